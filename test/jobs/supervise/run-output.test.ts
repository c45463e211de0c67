/** How often the output of a run is looked at: a silent one is left alone until it writes. */
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Event } from '../../../src/core/model/event.ts';
import type { JobDefinition } from '../../../src/core/model/job.ts';
import { RunOutput } from '../../../src/jobs/supervise/run-output.ts';
import { until } from '../../support/until.ts';
import { makeRun } from '../support.ts';

async function output(definition: Partial<JobDefinition> = { progress: { parser: 'percent' } }) {
  const directory = await mkdtemp(join(tmpdir(), 'migration-agent-output-'));
  const logs = { stdout: join(directory, 'stdout.log'), stderr: join(directory, 'stderr.log') };
  await Promise.all(Object.values(logs).map((path) => writeFile(path, '')));
  const events: Event[] = [];
  const closing = new AbortController();
  const read = new RunOutput({
    ...{ run: makeRun(['true'], definition), directory, logs },
    ...{ members: () => Promise.resolve([]), mask: (text: string) => text },
    ...{ closing: closing.signal, launch: () => Promise.reject(new Error('not asked for')) },
    post: (event) => events.push(event),
  });
  onTestFinished(async () => {
    closing.abort();
    read.close();
    await rm(directory, { recursive: true, force: true });
  });
  let wakes = 0;
  const look = (): number => read.look(() => (wakes += 1));
  const percents = (): unknown[] =>
    events.map((event) => (event.type === 'progress-read' ? event.percent : event.type));
  return { directory, logs, read, look, percents, wakes: () => wakes };
}

/** Looks until it is looked at less often: after how many looks, and in which round it is looked at next. */
function fallSilent(look: () => number): { readonly looks: number; readonly wait: number } {
  for (let looks = 1; looks < 100; looks += 1) {
    const wait = look();
    if (wait > 1) return { looks, wait };
  }
  throw new Error('it is looked at in every round');
}

test('a silent run is looked at again when it writes, to either stream, and often from then on', async () => {
  const { logs, look, percents, wakes } = await output();
  for (const [count, path] of Object.values(logs).entries()) {
    const { looks, wait } = fallSilent(look);
    expect(looks).toBeGreaterThan(20);
    expect(wait).toBe(60);
    expect(wakes()).toBe(count);
    await appendFile(path, `${count + 1}%\n`);
    await until('it is to be looked at', () => wakes() === count + 1);
    expect(look()).toBe(1);
    expect(percents().at(-1)).toBe(count + 1);
  }
});

test('what it wrote before the kernel watched is read at the next look', async () => {
  const { logs, look, percents } = await output();
  for (let looks = 0; looks < 21; looks += 1) expect(look()).toBe(1);
  await appendFile(logs.stdout, '3%\n');
  expect(look()).toBe(1);
  expect(percents()).toEqual([3]);
});

test('a number that waits for its confirmation is reported before the run counts as silent', async () => {
  const { logs, look, percents } = await output();
  await appendFile(logs.stdout, '50%\n40%\n60%\n');
  look();
  fallSilent(look);
  expect(percents().at(-1)).toBe(60);
});

test('a run that the kernel cannot watch is looked at in each fourth round', async () => {
  const { directory, look } = await output();
  await rename(directory, `${directory}-away`);
  onTestFinished(() => rm(`${directory}-away`, { recursive: true }));
  expect(fallSilent(look).wait).toBe(4);
});

test('what is measured beside the output is read at each fourth round', async () => {
  const size = { progress: { parser: 'size', target: '/nowhere', totalBytes: 1 } } as const;
  const { look } = await output(size);
  expect(fallSilent(look).wait).toBe(4);
});

test('nothing is watched after the end', async () => {
  const { logs, look, read, wakes } = await output();
  fallSilent(look);
  read.close();
  await appendFile(logs.stdout, '1%\n');
  // Whatever the kernel has to report of the first file, it reports before this.
  const other = await output();
  fallSilent(other.look);
  await appendFile(other.logs.stdout, '1%\n');
  await until('the other is to be looked at', () => other.wakes() === 1);
  expect(wakes()).toBe(0);
});
