/** What is noticed at once and what in the round that all runs share. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Event } from '../../../src/core/model/event.ts';
import { Rounds } from '../../../src/jobs/supervise/rounds.ts';
import { watchRun } from '../../../src/jobs/supervise/run-watch.ts';
import { readProcess } from '../../../src/jobs/process/process-table.ts';
import { until } from '../../support/until.ts';
import { bootId, makeRun } from '../support.ts';

/** A run whose shim this test plays: the process is that of the test. */
async function watched(everyMs: number, ended?: Promise<number>) {
  const directory = await mkdtemp(join(tmpdir(), 'migration-agent-watch-'));
  const records = join(directory, '.shim');
  await mkdir(records);
  const logs = { stdout: join(directory, 'stdout.log'), stderr: join(directory, 'stderr.log') };
  await Promise.all(Object.values(logs).map((path) => writeFile(path, '')));
  const events: Event[] = [];
  const closing = new AbortController();
  const { startTicks } = readProcess(process.pid)!;
  const run = makeRun(['true'], { progress: { parser: 'percent' } }, { spawn: 1 });
  const record = async (name: string, text: string): Promise<void> => {
    await writeFile(join(records, `${name}.tmp`), text);
    await rename(join(records, `${name}.tmp`), join(records, name));
  };
  await record('started.1', `${process.pid} ${bootId} ${startTicks} /socket\n`);
  const done = watchRun({
    ...{ run, directory, logs, bootId, members: () => Promise.resolve([]), mask: (text) => text },
    ...{ process: { pid: process.pid, bootId, startTicks }, rounds: new Rounds(everyMs) },
    ...{ closing: closing.signal, launch: () => Promise.reject(new Error('not asked for')) },
    post: (event) => events.push(event),
    ...(ended === undefined ? {} : { ended }),
  });
  onTestFinished(async () => {
    closing.abort();
    await done;
    await rm(directory, { recursive: true });
  });
  await until('it runs', () => events.some(({ type }) => type === 'run-started'));
  return { logs, events, record, done };
}

test('the end of a shim of this agent is noticed when it ends, whenever the next round is', async () => {
  let end: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => (end = resolve));
  const { events, record, done } = await watched(3_600_000, ended);
  await record('exit.1', '7\n');
  end(7);
  await done;
  expect(events.at(-1)).toMatchObject({ type: 'run-exited', exitCode: 7 });
});

test('a round reads progress, and sees the record of a shim that lives on or is not the agent’s child', async () => {
  const { logs, events, record, done } = await watched(10);
  await writeFile(logs.stdout, '1%\n');
  await until('progress is read', () => events.some(({ type }) => type === 'progress-read'));
  await record('exit.1', '0\n');
  await done;
  expect(events.at(-1)).toMatchObject({ type: 'run-exited', exitCode: 0 });
});
