/** `migration-agent simulate` as a process of its own. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from './simulator-driver.ts';

const COMMAND = new URL('../../src/cli/simulate.ts', import.meta.url).href;
const PROGRAM = `import { simulateCommand } from '${COMMAND}'; await simulateCommand().parseAsync();`;

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
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, '--', ...args]);
  children.push(child);
  const seen = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (seen.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (seen.err += chunk.toString()));
  const ended = once(child, 'close') as Promise<[number | null]>;
  return { child, seen, ended };
}

test('it says when it is ready, serves with its options, and ends on SIGTERM', async () => {
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
  // 90 simulated seconds are one and a half real ones.
  const started = performance.now();
  expect(await (await held).json()).toEqual({});
  expect(performance.now() - started).toBeLessThan(10_000);
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

test.each([
  ['a port that is none', ['--port', 'x'], 'expected a port'],
  ['a speed of nothing', ['--speed', '0'], 'expected a number greater than 0'],
  ['a region that is none', ['--home-region', 'Mars'], 'expected a region'],
  ['an option that is none', ['--colour', 'red'], 'unknown option'],
  ['a fault file that is not there', ['--faults', '/nowhere/faults.yaml'], 'cannot read the file'],
])('%s is wrong usage', async (_, args, words) => {
  const { seen, ended } = simulate(...args);
  expect((await ended)[0]).toBe(2);
  expect(seen.err).toContain(words);
  expect(seen.out).toBe('');
});

test('a port that is taken is said in words', async () => {
  const first = simulate('--port', '0');
  const port = await until(() => /:(\d+)\n$/.exec(first.seen.out)?.[1]);
  const { seen, ended } = simulate('--port', port);
  expect((await ended)[0]).toBe(2);
  expect(seen.err).toContain(`cannot listen on port ${port}`);
});

test('a fault file with a mistake is told with its place', async () => {
  const faults = join(directory, 'faults.yaml');
  await writeFile(faults, "- operation: '*'\n  fault: dorp\n");
  const { seen, ended } = simulate('--faults', faults);
  expect((await ended)[0]).toBe(2);
  expect(seen.err).toContain(`${faults}:2:10 0.fault: `);
});
