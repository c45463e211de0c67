/** A run whose processes cannot be seen: it is looked at again until they can, and becomes a problem if that takes long. */
import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Event } from '../../../src/core/model/event.ts';
import { Rounds } from '../../../src/jobs/supervise/rounds.ts';
import { watchRun } from '../../../src/jobs/supervise/run-watch.ts';
import { until } from '../../support/until.ts';
import { bootId, makeRun } from '../support.ts';

/** How long each pause was meant to be: it is over at once. */
const pausesMs = vi.hoisted(() => [] as number[]);
vi.mock(import('../../../src/jobs/supervise/run-end.ts'), async (original) => ({
  ...(await original()),
  pause: async (ms) => {
    pausesMs.push(ms);
    await nextTurn();
  },
}));

test('it is a problem after ten looks that failed, and none any more when it is seen', async () => {
  pausesMs.length = 0;
  const directory = await mkdtemp(join(tmpdir(), 'migration-agent-unseen-'));
  await mkdir(join(directory, '.shim'));
  await writeFile(join(directory, '.shim/exit.1'), '7\n');
  const events: Event[] = [];
  const closing = new AbortController();
  const run = makeRun(['true'], {}, { spawn: 1 });
  let looks = 0;
  let failing = Infinity;
  const done = watchRun({
    ...{ run, directory, bootId, mask: (text) => text, rounds: new Rounds(1) },
    logs: { stdout: join(directory, 'stdout.log'), stderr: join(directory, 'stderr.log') },
    process: { pid: process.pid, bootId, startTicks: '1' },
    members: () => {
      looks += 1;
      if (looks <= failing) return Promise.reject(new Error('no descriptors'));
      return Promise.resolve([]);
    },
    ...{ closing: closing.signal, launch: () => Promise.reject(new Error('not asked for')) },
    post: (event) => {
      events.push(event);
      if (event.type === 'watch-problem' && event.reason !== undefined) failing = looks + 2;
    },
  });
  onTestFinished(async () => {
    closing.abort();
    await done;
    await rm(directory, { recursive: true });
  });
  await until('its end is seen', () => events.some(({ type }) => type === 'run-exited'));
  await done;
  expect(looks).toBe(13);
  expect(events).toEqual([
    { type: 'run-started', run: run.id, process: { pid: process.pid, bootId, startTicks: '1' } },
    {
      ...{ type: 'watch-problem', run: run.id },
      reason: 'its processes cannot be seen: no descriptors',
    },
    { type: 'watch-problem', run: run.id },
    { type: 'run-exited', run: run.id, exitCode: 7 },
  ]);
  expect(pausesMs.filter((ms) => ms === 500)).toHaveLength(12);
});

test('a moment without a sight of it is no problem', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'migration-agent-unseen-'));
  await mkdir(join(directory, '.shim'));
  await writeFile(join(directory, '.shim/exit.1'), '0\n');
  const events: Event[] = [];
  const run = makeRun(['true'], {}, { spawn: 1 });
  let looks = 0;
  onTestFinished(() => rm(directory, { recursive: true }));
  await watchRun({
    ...{ run, directory, bootId, mask: (text) => text, rounds: new Rounds(1) },
    logs: { stdout: join(directory, 'stdout.log'), stderr: join(directory, 'stderr.log') },
    process: { pid: process.pid, bootId, startTicks: '1' },
    members: () => {
      looks += 1;
      return looks < 10 ? Promise.reject(new Error('no descriptors')) : Promise.resolve([]);
    },
    closing: new AbortController().signal,
    launch: () => Promise.reject(new Error('not asked for')),
    post: (event) => events.push(event),
  });
  expect(events.map(({ type }) => type)).toEqual(['run-started', 'run-exited']);
});
