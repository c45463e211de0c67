/**
 * How long a run is waited for: one that an earlier agent has started, and the control group of one that has ended. The pauses
 * are over at once here, and the clock moves by them.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Run } from '../../../src/core/model/job.ts';
import { findRun } from '../../../src/jobs/supervise/adoption.ts';
import type { Adoption } from '../../../src/jobs/supervise/adoption.ts';
import { RunTrees } from '../../../src/jobs/supervise/run-trees.ts';
import { runDirectory, writeCgroup } from '../../../src/jobs/files/run-directory.ts';
import { RunCgroup } from '../../../src/jobs/process/cgroups.ts';
import { bootId, makeRun } from '../support.ts';

interface Time {
  nowMs: number;
  onPause: (nowMs: number) => void;
}
const time = vi.hoisted((): Time => ({ nowMs: 0, onPause: () => undefined }));
vi.mock(import('../../../src/jobs/supervise/run-end.ts'), async (original) => ({
  ...(await original()),
  pause: (ms) => {
    time.nowMs += ms;
    time.onPause(time.nowMs);
    return Promise.resolve();
  },
}));

let state: string;
let directory: string;
let run: Run;
let closing: AbortController;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'waits-'));
  const made = state;
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  run = makeRun(['true'], {}, { job: 'copy', number: 1 });
  directory = runDirectory(state, 'copy', 1);
  mkdirSync(join(directory, '.shim'), { recursive: true });
  closing = new AbortController();
  Object.assign(time, { nowMs: 0, onPause: () => undefined });
});

describe('a run whose shim has its start lock', () => {
  beforeEach(() => {
    writeFileSync(join(directory, '.shim', 'start-lock.1'), '');
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => time.nowMs);
    onTestFinished(() => clock.mockRestore());
  });

  const find = (over: Partial<Adoption> = {}): ReturnType<typeof findRun> =>
    findRun({
      ...{ run, directory, bootId, socketPath: '/run/a.sock', mask: (text) => text },
      logs: { stdout: join(directory, 'stdout.log'), stderr: join(directory, 'stderr.log') },
      ...{ members: () => Promise.resolve([]), closing: closing.signal },
      ...over,
    });
  /** Once so much time has passed. */
  const after = (ms: number, act: () => void): void => {
    time.onPause = (nowMs) => {
      if (nowMs >= ms) act();
    };
  };
  const record = (name: string, text: string): void =>
    writeFileSync(join(directory, '.shim', name), text);

  test('and never recorded that it started is lost after five seconds', async () => {
    expect(await find()).toEqual({
      ...{ type: 'run-lost', run: run.id },
      reason: 'the shim took its start lock and never recorded that it started',
    });
    // And the moment in which a record may still come.
    expect(time.nowMs).toBe(5_200);
  });

  test('and records it within that time has started', async () => {
    after(4_900, () => {
      record('started.1', '1 another-boot 5 /run/a.sock\n');
      record('exit.1', '3\n');
    });
    expect(await find()).toEqual({ type: 'run-exited', run: run.id, exitCode: 3 });
    expect(time.nowMs).toBe(4_900);
  });

  test('is waited for as long as it has processes: a busy host is slow', async () => {
    let living: number[] = [7];
    after(60_000, () => (living = []));
    expect(await find({ members: () => Promise.resolve(living) })).toMatchObject({
      type: 'run-lost',
    });
    expect(time.nowMs).toBe(60_200);
  });

  test('that an agent has known is not waited for', async () => {
    run = { ...run, process: { pid: 1, bootId: 'another-boot', startTicks: '5' } };
    expect(await find()).toMatchObject({
      ...{ type: 'run-lost', reason: 'the host was restarted while the run was under way' },
    });
    expect(time.nowMs).toBe(200);
    run = { ...run, process: { pid: 4_194_303, bootId, startTicks: '5' } };
    expect(await find()).toMatchObject({ reason: 'the run is gone and left no exit record' });
  });

  test('is not waited for by an agent that stops', async () => {
    after(100, () => closing.abort());
    await find();
    expect(time.nowMs).toBe(300);
  });
});

describe('the control group of a run', () => {
  let trees: RunTrees;
  let group: string;

  beforeEach(() => {
    trees = new RunTrees({ stateDirectory: state, socketPath: '/run/a.sock', bootId });
    group = join(state, 'group');
  });

  /** An ordinary directory: what lies in it keeps it from being removed, as a process keeps a group. */
  function make(isBusy: boolean): void {
    mkdirSync(group);
    if (isBusy) writeFileSync(join(group, 'busy'), '');
    writeCgroup(directory, 1, bootId, new RunCgroup(group));
  }

  test('is removed when it is empty; a run without one has nothing to remove', () => {
    expect(trees.removeCgroup(run)).toBe(true);
    make(false);
    expect(trees.removeCgroup(run)).toBe(true);
    expect(trees.removeCgroup(run)).toBe(true);
  });

  test('that is not empty is tried twenty times, for ten seconds', async () => {
    make(true);
    expect(trees.removeCgroup(run)).toBe(false);
    await trees.removeCgroupInTime(run, closing.signal);
    expect(time.nowMs).toBe(10_000);
  });

  test('that becomes empty meanwhile is removed, and not tried again', async () => {
    make(true);
    time.onPause = (nowMs) => {
      if (nowMs === 1_500) rmSync(join(group, 'busy'));
    };
    await trees.removeCgroupInTime(run, closing.signal);
    expect(time.nowMs).toBe(1_500);
  });

  test('is not waited for by an agent that stops', async () => {
    make(true);
    time.onPause = () => closing.abort();
    await trees.removeCgroupInTime(run, closing.signal);
    expect(time.nowMs).toBe(500);
  });
});
