/** What the socket shows of a run beside its status: a page of Migration Hub's history, and the output of which run. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { call, serve } from '../control-server-fixture.ts';
import { jobNamed } from '../operator-in-memory.ts';

describe('history', () => {
  test('run and token reach the agent, and the page comes back with its times in ISO 8601', async () => {
    const { operator, socketPath } = await serve();
    operator.answer = () => ({
      ok: true,
      message: 'a page',
      page: {
        region: 'eu-central-1',
        stream: 'acme',
        task: 'copy',
        nextToken: 'more',
        updates: [
          { stampS: Date.UTC(2026, 10, 22, 3) / 1000, status: 'IN_PROGRESS', percent: 40 },
          { status: 'COMPLETED' },
        ],
      },
    });
    const { status, json } = await call(
      socketPath,
      'GET',
      '/v1/jobs/copy/history?run=2&token=next',
    );
    expect(status).toBe(200);
    expect(json).toMatchObject({
      schema: 1,
      region: 'eu-central-1',
      stream: 'acme',
      task: 'copy',
      nextToken: 'more',
      updates: [
        { at: '2026-11-22T03:00:00.000Z', status: 'IN_PROGRESS', percent: 40 },
        { status: 'COMPLETED' },
      ],
    });
    expect(JSON.stringify(json)).not.toContain('stampS');
    await call(socketPath, 'GET', '/v1/jobs/copy/history');
    expect(operator.asked).toEqual([
      { type: 'history', job: 'copy', run: 2, token: 'next' },
      { type: 'history', job: 'copy' },
    ]);
  });

  test.each([
    ['expired', 410],
    ['unavailable', 503],
    ['no-such-job', 404],
  ] as const)('a refusal of %s is the status %i with its message', async (code, status) => {
    const { operator, socketPath } = await serve();
    operator.answer = () => ({ ok: false, code, message: 'begin again' });
    const answer = await call(socketPath, 'GET', '/v1/jobs/copy/history');
    expect([answer.status, answer.json]).toEqual([
      status,
      { error: { code, message: 'begin again' } },
    ]);
  });
});

describe('output', () => {
  test('of a tracked run there is none; of an earlier run of that job there is', async () => {
    const { directory, operator, socketPath } = await serve();
    operator.show(jobNamed('copy', { run: 2, state: 'running', origin: 'tracked' }));
    await writeFile(join(directory, 'copy-1.out'), 'one\n');
    for (const what of ['logs', 'output']) {
      const path = `/v1/jobs/copy/${what}`;
      for (const query of ['', '?run=2']) {
        const { status, text } = await call(socketPath, 'GET', path + query);
        expect([status, text]).toMatchObject([409, expect.stringContaining('only tracked')]);
      }
      expect((await call(socketPath, 'GET', `${path}?run=1`)).text).toContain('one');
    }
  });

  test('ten lines of each stream unless another number is asked for, a thousand at most', async () => {
    const { directory, operator, socketPath } = await serve();
    operator.show(jobNamed('copy', { run: 1, state: 'running' }));
    const lines = Array.from({ length: 1001 }, (_, index) => String(index));
    await writeFile(join(directory, 'copy-1.out'), `${lines.join('\n')}\n`);
    const shown = async (query: string): Promise<unknown> =>
      ((await call(socketPath, 'GET', `/v1/jobs/copy/output${query}`)).json as { stdout: unknown })
        .stdout;
    expect(await shown('')).toEqual(lines.slice(-10));
    expect(await shown('?lines=1000')).toEqual(lines.slice(-1000));
    expect((await call(socketPath, 'GET', '/v1/jobs/copy/output?lines=1001')).status).toBe(400);
  });
});

test('a timeline has a hundred entries unless another number is asked for', async () => {
  const { operator, socketPath } = await serve();
  operator.show(jobNamed('copy'));
  const at = { wallMs: 0, bootMs: 0 };
  const entries = Array.from({ length: 150 }, (_, index) => ({
    at,
    event: `event${index}`,
    fields: {},
  }));
  operator.entries.set('copy', entries);
  const shown = async (query: string): Promise<readonly { event: string }[]> => {
    const { json } = await call(socketPath, 'GET', `/v1/jobs/copy/events${query}`);
    return (json as { events: { event: string }[] }).events;
  };
  expect((await shown('')).map(({ event }) => event)).toEqual(
    entries.slice(50).map(({ event }) => event),
  );
  expect(await shown('?limit=3')).toHaveLength(3);
  expect((await call(socketPath, 'GET', '/v1/jobs/copy/events?limit=10001')).status).toBe(400);
});
