/** `track` and `report`: what they send, what they print for many at once, how they exit. */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { call, serve } from '../../control/control-server-fixture.ts';
import type { Fixture } from '../../control/control-server-fixture.ts';
import { run } from '../terminal-in-memory.ts';

async function tracking(): Promise<Fixture & { track: typeof run; report: typeof run }> {
  const fixture = await serve();
  const { operator, socketPath } = fixture;
  operator.answer = (request) => {
    if (request.type === 'track')
      return { ok: true, run: 'copy/1', message: 'tracked', refused: [] };
    if (request.type === 'report') return { ok: true, message: 'taken', refused: [] };
    return { ok: false, code: 'invalid', message: 'unexpected' };
  };
  return {
    ...fixture,
    track: (message, more) => run(['track', '--socket', socketPath, ...message], more),
    report: (message, more) => run(['report', '--socket', socketPath, ...message], more),
  };
}

describe('track', () => {
  test('sends its options, the path from here, and prints the run', async () => {
    const { operator, track } = await tracking();
    expect(await track(['copy', '--status-file', 'status.json'])).toEqual({
      code: 0,
      stdout: 'copy/1\n',
      stderr: 'tracked\n',
    });
    const tracked = { by: 'status-file', path: resolve('status.json') };
    expect(operator.asked).toMatchObject([
      { type: 'track', definitions: [{ name: 'copy', tracked }] },
    ]);
  });

  test.each([
    [['copy', '--pid', 'x'], /expected the number of a process/],
    [['copy', '--pid', '1', '--unit', 'a'], /give one of pid, unit and statusFile, or none/],
    [['copy', '--pid', '999'], /^migration-agent: --pid: there is no process 999$/m],
    [[], /name the job/],
    [['copy', '--from', '-'], /with --from, the file has the names/],
  ])('%j is wrong usage', async (message, expected) => {
    const { operator, track } = await tracking();
    const { code, stderr } = await track(message);
    expect([code, stderr]).toEqual([2, expect.stringMatching(expected)]);
    expect(operator.asked).toEqual([]);
  });

  test('a name that is live already is an error, exit code 1', async () => {
    const { operator, track } = await tracking();
    const refused = [
      { index: 0, name: 'copy', code: 'conflict' as const, message: 'copy is running already' },
    ];
    operator.answer = () => ({ ok: true, message: '0 tracked, 1 refused', refused });
    expect(await track(['copy'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'migration-agent: copy is running already\n',
    });
  });
});

describe('--from', () => {
  test('takes many from a file, blank lines passed over', async () => {
    const { operator, directory, track } = await tracking();
    const file = join(directory, 'jobs.jsonl');
    await writeFile(file, '{"name":"a"}\n\n{"name":"b","statusFile":"/srv/s"}\r\n');
    expect((await track(['--from', file])).code).toBe(0);
    expect(operator.asked).toMatchObject([{ definitions: [{ name: 'a' }, { name: 'b' }] }]);
  });

  test('every line that is no JSON is an error with its number, and nothing is taken', async () => {
    const { operator, report } = await tracking();
    const stdin = '{"name":"a","percent":1}\nnonsense\n[]\n{"name":"b","percent":2}\n';
    const { code, stderr } = await report(['--from', '-'], { stdin });
    expect(code).toBe(2);
    expect(stderr.split('\n').slice(0, 3)).toEqual([
      'migration-agent: nothing was taken:',
      expect.stringMatching(/^\(stdin\):2 is no JSON: /),
      '(stdin):3 is no JSON object such as {"name": "copy"}',
    ]);
    expect(operator.asked).toEqual([]);
  });

  test('every value that is wrong is an error with its line, and nothing is taken', async () => {
    const { operator, report } = await tracking();
    const stdin = [
      '{"name":"a","percent":1}',
      '',
      '{"name":"b","percent":140}',
      '{"name":"c","percent":"40"}',
      '{"name":"d"}',
      '{"name":"e","percent":1,"eta":3}',
      '{"name":"f","percent":1e999}',
      '{"name":"g","status":"done"}',
    ].join('\n');
    const { code, stderr } = await report(['--from', '-'], { stdin });
    expect(code).toBe(2);
    expect(stderr.trimEnd().split('\n')).toEqual([
      'migration-agent: nothing was taken:',
      '(stdin):3 percent: expected a number from 0 to 100',
      '(stdin):4 percent: expected a number from 0 to 100',
      '(stdin):5 is empty: give percent, detail or status',
      '(stdin):6 Unrecognized key: "eta"',
      '(stdin):7 percent: expected a number from 0 to 100',
      '(stdin):8 status: expected completed or failed',
    ]);
    expect(operator.asked).toEqual([]);
  });

  test('what the agent refuses is an error with its line; the others are taken; no such job is exit code 3', async () => {
    const { operator, report } = await tracking();
    operator.answer = () => ({
      ok: true,
      message: '1 recorded, 1 refused',
      refused: [{ index: 1, name: 'b', code: 'no-such-job', message: 'there is no job "b"' }],
    });
    const stdin = '{"name":"a","percent":1}\n\n{"name":"b","percent":2}\n';
    expect(await report(['--from', '-'], { stdin })).toEqual({
      code: 3,
      stdout: '',
      stderr: '(stdin):3 b: there is no job "b"\n1 recorded, 1 refused\n',
    });
  });

  test('more than one request holds is sent in parts', async () => {
    const { operator, report } = await tracking();
    const stdin = Array.from({ length: 12_000 }, (_, i) => `{"name":"j${i}","percent":1}`).join(
      '\n',
    );
    expect((await report(['--from', '-'], { stdin })).code).toBe(0);
    expect(
      operator.asked.map((asked) => (asked.type === 'report' ? asked.reports.length : 0)),
    ).toEqual([10_000, 2_000]);
  });

  test('a file that is not there is wrong usage', async () => {
    const { track } = await tracking();
    const { code, stderr } = await track(['--from', '/no/such/file']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('/no/such/file cannot be read')]);
  });
});

describe('report', () => {
  test('within a job of the agent, its name is known', async () => {
    const { operator, report } = await tracking();
    const environment = { MIGRATION_JOB: 'nightly' };
    expect((await report(['--percent', '40.5%', '--detail', ' half '], { environment })).code).toBe(
      0,
    );
    expect(operator.asked).toEqual([
      { type: 'report', reports: [{ name: 'nightly', percent: 40.5, detail: 'half' }] },
    ]);
    expect((await report(['--percent', '40'])).code).toBe(2);
  });

  test.each([
    [['copy', '--percent', '101'], /expected a number from 0 to 100/],
    [['copy', '--percent', 'NaN'], /expected a number from 0 to 100/],
    [['copy', '--percent', '-1'], /./],
    [['copy', '--status', 'done'], /Allowed choices are completed, failed/],
    [['copy'], /give --percent, --detail or --status/],
  ])('%j is wrong usage', async (message, expected) => {
    const { operator, report } = await tracking();
    const { code, stderr } = await report(message);
    expect([code, stderr]).toEqual([2, expect.stringMatching(expected)]);
    expect(operator.asked).toEqual([]);
  });

  test('no such job is exit code 3, and 404', async () => {
    const { operator, report, socketPath } = await tracking();
    operator.answer = () => ({
      ok: true,
      message: '0 recorded, 1 refused',
      refused: [{ index: 0, name: 'copy', code: 'no-such-job', message: 'there is no job "copy"' }],
    });
    expect((await report(['copy', '--percent', '4'])).code).toBe(3);
    const body = { name: 'copy', percent: 4 };
    const one = await call(socketPath, 'POST', '/v1/reports', JSON.stringify(body));
    expect([one.status, one.json]).toEqual([
      404,
      { error: { code: 'no-such-job', message: 'there is no job "copy"' } },
    ]);
    const many = await call(socketPath, 'POST', '/v1/reports', JSON.stringify([body]));
    expect([many.status, many.json]).toEqual([
      200,
      {
        message: '0 recorded, 1 refused',
        refused: [
          { index: 0, name: 'copy', code: 'no-such-job', message: 'there is no job "copy"' },
        ],
      },
    ]);
  });

  test('over the socket, each bad value is an error with its place', async () => {
    const { operator, socketPath } = await tracking();
    const post = (body: unknown) => call(socketPath, 'POST', '/v1/reports', JSON.stringify(body));
    const problem = async (body: unknown) => {
      const { status, json } = await post(body);
      return [status, (json as { error: { message: string } }).error.message];
    };
    expect(await problem({ name: 'a', percent: 101 })).toEqual([
      400,
      'body.percent: expected a number from 0 to 100',
    ]);
    expect(
      await problem([
        { name: 'a', percent: 1 },
        { name: '', percent: 1 },
      ]),
    ).toEqual([400, 'body[1].name: is empty']);
    expect(await problem('text')).toEqual([400, expect.stringMatching(/^body: /)]);
    expect(await post([])).toMatchObject({ status: 400 });
    expect(operator.asked).toEqual([]);
  });
});
