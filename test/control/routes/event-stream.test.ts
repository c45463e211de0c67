/** Answers that go on: new timeline entries, and the output of a run. */
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { call, serve } from '../control-server-fixture.ts';
import type { Fixture } from '../control-server-fixture.ts';
import { jobNamed } from '../operator-in-memory.ts';
import { eventually } from '../../support/until.ts';

const AT = { wallMs: Date.UTC(2026, 10, 22, 3), bootMs: 5 };
const RUNNING = jobNamed('copy', {
  run: 2,
  state: 'running',
  startedAt: '2026-11-22T03:00:00.000Z',
});
const ENDED = jobNamed('copy', { run: 2, state: 'succeeded', endedAt: '2026-11-22T03:10:00.000Z' });

interface Open {
  readonly response: IncomingMessage;
  readonly text: () => string;
  readonly ended: Promise<void>;
  readonly leave: () => void;
}

function open(socketPath: string, path: string): Promise<Open> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, path }, (response) => {
      let text = '';
      response.on('data', (piece: Buffer) => (text += piece.toString()));
      response.on('error', () => {});
      const ended = new Promise<void>((done) => response.once('close', done));
      resolve({ response, text: () => text, ended, leave: () => request.destroy() });
    });
    request.once('error', reject);
    request.end();
  });
}

describe('events', () => {
  test('come as server-sent events, of one job if asked', async () => {
    const { operator, socketPath } = await serve();
    const all = await open(socketPath, '/v1/events');
    const one = await open(socketPath, '/v1/events?job=copy');
    expect(all.response.headers['content-type']).toBe('text/event-stream');
    operator.emit({ at: AT, job: 'other', event: 'run.queued', fields: {} });
    operator.emit({
      at: AT,
      job: 'copy',
      run: 'copy/2',
      event: 'job.exited',
      fields: { message: 'a\nb' },
    });
    const block =
      'event: job.exited\ndata: {"at":"2026-11-22T03:00:00.000Z","job":"copy","run":"copy/2","event":"job.exited","fields":{"message":"a\\nb"}}\n\n';
    await eventually(() => expect(one.text()).toMatch(/^: migration-agent\n\nid: \w+-2\n/));
    expect(one.text()).toContain(block);
    await eventually(() => expect(all.text()).toContain(block));
    expect(all.text()).toContain('event: run.queued\n');
  });

  test('go on after the last id that a client has, or report that some are missing', async () => {
    const { operator, socketPath } = await serve();
    const emit = (event: string): void => operator.emit({ at: AT, job: 'a', event, fields: {} });
    const first = await open(socketPath, '/v1/events');
    for (const event of ['one', 'two', 'three']) emit(event);
    await eventually(() => expect(first.text()).toContain('event: three'));
    const [, id = ''] = /id: (\S+)\nevent: one/.exec(first.text()) ?? [];
    first.leave();
    emit('four');
    const again = await open(socketPath, `/v1/events?after=${id}`);
    await eventually(() => expect(again.text()).toContain('event: four'));
    expect([...again.text().matchAll(/event: (\w+)/g)].map(([, name]) => name)).toEqual([
      'two',
      'three',
      'four',
    ]);
    emit('five');
    await eventually(() => expect(again.text()).toContain('event: five'));
    for (let number = 0; number < 1_000; number += 1) emit('flood');
    for (const known of [id, 'another-1', `${id}0000`, 'nonsense']) {
      const late = await open(socketPath, `/v1/events?after=${known}`);
      await eventually(() => expect(late.text()).toContain('event: gap\n'));
      late.leave();
    }
  });

  test('end when the agent stops', async () => {
    const { socketPath, operator, close } = await serve();
    const stream = await open(socketPath, '/v1/events');
    await close();
    await stream.ended;
    expect(operator.listeners.size).toBe(0);
  });

  test('a client that does not read is let go before it costs memory', async () => {
    const { operator, socketPath } = await serve();
    const stream = await open(socketPath, '/v1/events');
    stream.response.pause();
    const filler = 'x'.repeat(100_000);
    for (let sent = 0; sent < 100; sent += 1) {
      operator.emit({ at: AT, event: 'flood', fields: { filler } });
      await new Promise((resolve) => setImmediate(resolve));
    }
    stream.response.resume();
    await stream.ended;
    // The server ended it long before all of it was sent.
    expect(stream.text().length).toBeLessThan(5_000_000);
  });

  test('too many of them leave room for questions', async () => {
    const { socketPath } = await serve();
    const streams = await Promise.all(
      Array.from({ length: 33 }, () => open(socketPath, '/v1/events')),
    );
    const codes = streams.map(({ response }) => response.statusCode).sort();
    expect(codes).toEqual([...Array<number>(32).fill(200), 503]);
    expect((await call(socketPath, 'GET', '/v1/status')).status).toBe(200);
    for (const stream of streams) stream.leave();
    await eventually(async () => {
      const again = await open(socketPath, '/v1/events');
      again.leave();
      expect(again.response.statusCode).toBe(200);
    });
  });
});

describe('logs', () => {
  const outOf = ({ directory }: Fixture, run = 2) => join(directory, `copy-${run}.out`);
  const logs = async ({ socketPath }: Fixture, query: string) =>
    (await call(socketPath, 'GET', `/v1/jobs/copy/logs${query}`)).text;

  test('are the whole output of the latest run, or of another', async () => {
    const fixture = await serve();
    fixture.operator.show(ENDED);
    await writeFile(outOf(fixture), 'two\n');
    await writeFile(outOf(fixture, 1), 'one\n');
    await writeFile(join(fixture.directory, 'copy-2.err'), 'error\n');
    expect(await logs(fixture, '')).toBe('two\n');
    expect(await logs(fixture, '?run=1')).toBe('one\n');
    expect(await logs(fixture, '?stream=stderr')).toBe('error\n');
  });

  test('are empty if nothing was written, and a problem if nothing ran', async () => {
    const fixture = await serve();
    fixture.operator.show(ENDED, jobNamed('new'));
    expect(await logs(fixture, '')).toBe('');
    expect((await call(fixture.socketPath, 'GET', '/v1/jobs/new/logs')).status).toBe(409);
    expect((await call(fixture.socketPath, 'GET', '/v1/jobs/none/logs')).status).toBe(404);
    expect((await call(fixture.socketPath, 'GET', '/v1/jobs/copy/logs?run=3')).status).toBe(400);
    expect((await call(fixture.socketPath, 'GET', '/v1/jobs/copy/logs?tail=-1')).status).toBe(400);
  });

  test.each([
    ['a\nb\nc\n', 2, 'b\nc\n'],
    ['a\nb\nc', 2, 'b\nc'],
    ['a\nb\n', 9, 'a\nb\n'],
    ['a\n\n\n', 2, '\n\n'],
    ['a\nb\n', 0, ''],
    ['', 5, ''],
    [`${'long'.repeat(40_000)}\nb\n`, 2, `${'long'.repeat(40_000)}\nb\n`],
    [`first\n${'x\n'.repeat(100_000)}`, 100_000, 'x\n'.repeat(100_000)],
  ])('tail gives the last lines (case %#)', async (content, tail, expected) => {
    const fixture = await serve();
    fixture.operator.show(ENDED);
    await writeFile(outOf(fixture), content);
    // Compared as a truth: a failure would print a megabyte.
    expect((await logs(fixture, `?tail=${tail}`)) === expected).toBe(true);
  });

  test('follow gives what is written later, and ends with the run', async () => {
    const fixture = await serve();
    fixture.operator.show(RUNNING);
    const stream = await open(fixture.socketPath, '/v1/jobs/copy/logs?follow=1&tail=1');
    await writeFile(outOf(fixture), 'old\nfirst\n');
    await eventually(() => expect(stream.text()).toBe('first\n'));
    await appendFile(outOf(fixture), 'second\n');
    await eventually(() => expect(stream.text()).toBe('first\nsecond\n'));
    await appendFile(outOf(fixture), 'last\n');
    fixture.operator.show(ENDED);
    await stream.ended;
    expect(stream.text()).toBe('first\nsecond\nlast\n');
  });

  test('follow ends when a later run begins, although the job still runs', async () => {
    const fixture = await serve();
    fixture.operator.show({ ...RUNNING, run: 3 });
    await writeFile(join(fixture.directory, 'copy-3.out'), 'third\n');
    const stream = await open(fixture.socketPath, '/v1/jobs/copy/logs?follow=1');
    await eventually(() => expect(stream.text()).toBe('third\n'));
    fixture.operator.show({ ...RUNNING, run: 4 });
    await stream.ended;
    // The log of an earlier run is complete: following it ends at once.
    const earlier = await open(fixture.socketPath, '/v1/jobs/copy/logs?follow=1&run=3');
    await earlier.ended;
    expect(earlier.text()).toBe('third\n');
  });

  test.each([0, 5])('there is no run %d of a job that had four', async (run) => {
    const fixture = await serve();
    fixture.operator.show({ ...RUNNING, run: 4 });
    for (const what of ['logs', 'output']) {
      const answer = await call(fixture.socketPath, 'GET', `/v1/jobs/copy/${what}?run=${run}`);
      expect(answer.status).toBe(400);
      expect(answer.text).toContain('copy has runs 1 to 4');
    }
  });

  test('follow goes on in the new file when the log was replaced or cut', async () => {
    const fixture = await serve();
    fixture.operator.show(RUNNING);
    await writeFile(outOf(fixture), 'before\n');
    const stream = await open(fixture.socketPath, '/v1/jobs/copy/logs?follow=1');
    await eventually(() => expect(stream.text()).toBe('before\n'));
    await writeFile(`${outOf(fixture)}.new`, 'replaced by a longer one\n');
    await rename(`${outOf(fixture)}.new`, outOf(fixture));
    await eventually(() => expect(stream.text()).toBe('before\nreplaced by a longer one\n'));
    await writeFile(outOf(fixture), 'cut\n');
    await eventually(() => expect(stream.text()).toBe('before\nreplaced by a longer one\ncut\n'));
    stream.leave();
  });

  test('follow ends when the agent stops, and when its client leaves', async () => {
    const fixture = await serve();
    fixture.operator.show(RUNNING);
    const stream = await open(fixture.socketPath, '/v1/jobs/copy/logs?follow=1');
    await fixture.close();
    await stream.ended;
    expect(stream.text()).toBe('');
  });
});
