/** How often the output of a run is looked at: a silent one is left alone until it writes. */
import { readdirSync, statSync } from 'node:fs';
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
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
  return { directory, logs, read, look, percents, events, wakes: () => wakes };
}

/** Looks until it is looked at less often: after how many looks, and in which round it is looked at next. */
function fallSilent(look: () => number): { readonly looks: number; readonly wait: number } {
  for (let looks = 1; looks < 100; looks += 1) {
    const wait = look();
    if (wait > 2) return { looks, wait };
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

describe('a run that goes on writing', () => {
  test('is looked at in each round for fifteen seconds, then in each second one', async () => {
    const { logs, look, percents } = await output();
    const waits: number[] = [];
    for (let looks = 1; looks <= 40; looks += 1) {
      await appendFile(logs.stderr, `${looks}%\n`);
      waits.push(look());
    }
    expect(waits).toEqual([...Array<number>(30).fill(1), ...Array<number>(10).fill(2)]);
    expect(percents().at(-1)).toBe(40);
  });

  test('and much is looked at in each round, and so is one that was silent', async () => {
    const { logs, look, wakes } = await output();
    const line = `${'x'.repeat(1023)}\n`;
    for (let looks = 1; looks <= 40; looks += 1) {
      await appendFile(logs.stdout, line);
      look();
    }
    await appendFile(logs.stdout, line.repeat(64));
    expect(look()).toBe(2);
    await appendFile(logs.stdout, line.repeat(65));
    expect(look()).toBe(1);
    fallSilent(look);
    await appendFile(logs.stdout, line);
    await until('it is to be looked at', () => wakes() === 1);
    expect(look()).toBe(1);
  });
});

test('what it wrote before the kernel watched is read at the next look', async () => {
  const { logs, look, percents } = await output();
  for (let looks = 0; looks < 20; looks += 1) expect(look()).toBe(1);
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

describe('the last look', () => {
  const over = { log: { sizeBytes: 1, files: 9 }, progress: { parser: 'percent' } } as const;
  const archives = (directory: string): string[] =>
    readdirSync(directory).filter((name) => name.startsWith('stdout.log.'));

  test('reads the rest, and the logs are within their bounds when it is over', async () => {
    const { directory, logs, read, percents } = await output(over);
    await appendFile(logs.stdout, `${'x'.repeat(200)}\n`.repeat(1_000));
    await appendFile(logs.stdout, '7%\n');
    await read.lastLook(true);
    expect(percents()).toEqual([7]);
    expect(archives(directory)).not.toEqual([]);
  });

  test('waits for a log that is being cut', async () => {
    const { directory, logs, read, look, percents } = await output(over);
    await appendFile(logs.stdout, `${'x'.repeat(200)}\n`.repeat(1_000));
    look();
    // Nothing is read meanwhile.
    await appendFile(logs.stdout, '7%\n');
    expect(look()).toBe(1);
    expect(percents()).toEqual([]);
    await read.lastLook(true);
    expect(percents()).toEqual([7]);
    expect(archives(directory)).not.toEqual([]);
  });

  test('leaves no timer behind', async () => {
    const { read } = await output(over);
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await read.lastLook(true);
    expect(timers()).toBeLessThanOrEqual(before);
  });
});

test('a log beyond its limit is cut at a look, also that of stderr; others are not', async () => {
  const { directory, logs, look, read } = await output({
    ...{ log: { sizeBytes: 1, files: 9 }, progress: { parser: 'none' } },
  });
  await appendFile(logs.stderr, `${'x'.repeat(200)}\n`.repeat(1_000));
  look();
  await until('it is cut', () => statSync(logs.stderr).size < 150_000);
  await read.lastLook(true);
  expect(readdirSync(directory).filter((name) => name.startsWith('stdout'))).toEqual([
    'stdout.log',
  ]);
});

test('after a cut the run is read again', async () => {
  const { logs, look, percents } = await output({
    ...{ log: { sizeBytes: 1, files: 9 }, progress: { parser: 'percent' } },
  });
  await appendFile(logs.stdout, `${'x'.repeat(200)}\n`.repeat(1_000));
  look();
  await appendFile(logs.stdout, '7%\n');
  await until('it is read', () => {
    look();
    return percents().includes(7);
  });
});

test('why progress cannot be read is posted once', async () => {
  const { look, events } = await output({
    progress: { parser: 'size', target: join(tmpdir(), 'nowhere'), totalBytes: 1 },
  });
  await until('it is a problem', () => {
    look();
    return events.length > 0;
  });
  look();
  expect(events).toEqual([
    expect.objectContaining({
      type: 'watch-problem',
      reason: expect.stringContaining('cannot be measured: not asked for') as string,
    }),
  ]);
});
