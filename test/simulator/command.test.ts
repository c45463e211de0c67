/** `migration-agent simulate` as a process of its own. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LAUNCHER } from '../support/daemon.ts';
import { until } from './simulator-driver.ts';

let directory: string;
const children: ChildProcessWithoutNullStreams[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'simulate-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(directory, { recursive: true });
});

function simulate(...args: readonly string[]) {
  const child = spawn(LAUNCHER, ['simulate', ...args]);
  children.push(child);
  const seen = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (seen.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (seen.err += chunk.toString()));
  const ended = once(child, 'close') as Promise<[number | null]>;
  return { child, seen, ended };
}

test('it prints when it is ready, serves with its options, and ends on SIGTERM', async () => {
  const faults = join(directory, 'faults.yaml');
  await writeFile(faults, '- { operation: ListMigrationTasks, fault: error }\n');
  const { child, seen, ended } = simulate(
    '--port',
    '0',
    '--no-home-region',
    '--speed',
    '60',
    '--faults',
    faults,
  );
  const url = await until(
    () => /^simulator ready on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(seen.out)?.[1],
  );
  const call = async (target: string) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'x-amz-target': target },
      body: '{}',
    });
    return (await response.json()) as Readonly<Record<string, unknown>>;
  };
  expect(await call('AWSMigrationHubMultiAccountService.GetHomeRegion')).toEqual({});
  expect(await call('AWSMigrationHub.ListMigrationTasks')).toMatchObject({
    __type: 'InternalServerError',
  });
  await until(() => seen.err.includes(`AWS_ENDPOINT_URL=${url}`));
  const held = fetch(url, {
    method: 'POST',
    headers: { 'x-amz-target': 'DataPipeline.PollForTask' },
    body: '{"workerGroup":"w"}',
  });
  // 90 simulated seconds are 1.5 real seconds.
  const started = performance.now();
  expect(await (await held).json()).toEqual({});
  expect(performance.now() - started).toBeLessThan(10_000);
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

test('with --state, a simulator that was killed continues with its state when it is started again', async () => {
  const args = ['--port', '0', '--state', join(directory, 'state'), '--speed', '2'];
  const ready = (seen: { readonly out: string }) =>
    until(() => /^simulator ready on (\S+)\n$/.exec(seen.out)?.[1]);
  const call = async (url: string, target: string, body: object) => {
    const request = {
      method: 'POST',
      headers: { 'x-amz-target': target },
      body: JSON.stringify(body),
    };
    const response = await fetch(url, request);
    return { date: Date.parse(response.headers.get('date') ?? ''), body: await response.json() };
  };
  const first = simulate(...args);
  const url = await ready(first.seen);
  const stream = { ProgressUpdateStreamName: 'kept-stream' };
  await call(url, 'AWSMigrationHub.CreateProgressUpdateStream', stream);
  const list = 'AWSMigrationHub.ListProgressUpdateStreams';
  const before = await call(url, list, {});
  await until(
    () =>
      existsSync(join(directory, 'state')) &&
      readFileSync(join(directory, 'state')).includes('kept-stream'),
  );
  first.child.kill('SIGKILL');
  await first.ended;
  const second = simulate(...args);
  const after = await call(await ready(second.seen), list, {});
  expect(after.body).toEqual({ ProgressUpdateStreamSummaryList: [stream] });
  expect(after.date).toBeGreaterThanOrEqual(before.date);
});

test('commands print its journal, audit and switches', async () => {
  const running = simulate('--port', '0', '--set', 'reportAfterLapse=canceled');
  const url = await until(() => /^simulator ready on (\S+)\n$/.exec(running.seen.out)?.[1]);
  const ask = async (...args: readonly string[]) => {
    const asked = simulate(...args, '--url', url);
    return [(await asked.ended)[0], asked.seen.out, asked.seen.err] as const;
  };
  await fetch(url, {
    method: 'POST',
    headers: { 'x-amz-target': 'DataPipeline.SetTaskStatus', 'user-agent': 'tool/1 x/2 app/mine' },
    body: '{"taskId":"t","taskStatus":"DONE"}',
  });
  const [code, journal] = await ask('journal', '--errors');
  expect(code).toBe(0);
  expect(journal).toMatch(
    /^\d{4}-\S+Z ! SetTaskStatus taskId=t taskStatus=DONE -> InvalidRequestException, HTTP 400: 1 validation error .*\(\d+ ms\) \[tool\/1 app\/mine\]\n$/,
  );
  expect(await ask('audit')).toEqual([1, '1 invalid requests\n', '']);
  expect((await ask('set', 'progressMs=5m'))[0]).toBe(0);
  const [, switches] = await ask('switches');
  expect(switches).toContain('reportAfterLapse=canceled  (not-found | canceled)');
  expect(switches).toContain('progressMs=5m ');
  const wrong = await ask('set', 'progressMs=soon');
  expect([wrong[0], wrong[2]]).toEqual([2, expect.stringContaining('a duration such as')]);
  expect((await simulate('audit', '--url', 'http://127.0.0.1:9').ended)[0]).toBe(4);
});

test.each([
  ['an unknown switch', ['--set', 'colour=red'], 'no such switch'],
  [
    'an invalid state file',
    ['--port', '0', '--state', import.meta.filename],
    'is not a state file',
  ],
  ['an invalid port', ['--port', 'x'], 'expected a port'],
  ['a speed of zero', ['--speed', '0'], 'expected a number greater than 0'],
  ['an invalid region', ['--home-region', 'Mars'], 'expected a region'],
  ['an unknown option', ['--colour', 'red'], 'unknown option'],
  ['a missing fault file', ['--faults', '/nowhere/faults.yaml'], 'cannot read the file'],
])('%s is wrong usage', async (_, args, message) => {
  const { seen, ended } = simulate(...args);
  expect((await ended)[0]).toBe(2);
  expect(seen.err).toContain(message);
  expect(seen.out).toBe('');
});

test('a port in use is reported with a clear message', async () => {
  const first = simulate('--port', '0');
  const port = await until(() => /:(\d+)\n$/.exec(first.seen.out)?.[1]);
  const { seen, ended } = simulate('--port', port);
  expect((await ended)[0]).toBe(2);
  expect(seen.err).toContain(`cannot listen on port ${port}`);
});

test('an error in a fault file is reported with its place', async () => {
  const faults = join(directory, 'faults.yaml');
  await writeFile(faults, "- operation: '*'\n  fault: dorp\n");
  const { seen, ended } = simulate('--faults', faults);
  expect((await ended)[0]).toBe(2);
  expect(seen.err).toContain(`${faults}:2:10 0.fault: `);
});
