/** After a reboot: what is moved onto the new boot's clock, and what of a row is then known no longer. */
import { describe, expect, test } from 'vitest';
import { after } from '../../../src/core/lib/time.ts';
import type { Instant } from '../../../src/core/lib/time.ts';
import type { Run } from '../../../src/core/model/job.ts';
import { rebaseHubTask, rebaseMetadata, rebaseRun } from '../../../src/core/state/rebase.ts';
import { START, aRun, aTask } from '../../support/desk.ts';

/** The same wall clock, a minute later; the host has just booted. */
const NOW = { wallMs: START.wallMs + 60_000, bootMs: 5_000 };
const MOVED = { wallMs: START.wallMs, bootMs: NOW.bootMs - 60_000 };
const PROMISE = {
  ...{
    run: 'copy/1',
    payload: { status: 'IN_PROGRESS' as const },
    madeAt: START,
    nextUpdateS: 300,
  },
  until: after(START, 300_000),
};
/** By clocks that cannot be right. */
const IN_1970 = { wallMs: 5_000, bootMs: 5_000 };
const IN_2100 = { wallMs: Date.UTC(2100, 0, 1), bootMs: 5_000 };

const pipelineOf = (at: Instant): NonNullable<Run['pipeline']> => ({
  task: {
    ...{ taskId: 't', pipelineId: 'df', attemptId: 'a', instance: 'i', workerGroup: 'g' },
    ...{ windowMs: 900_000, receivedAt: at },
  },
  ...{ delivery: { state: 'pending' }, acknowledgedAt: at, acceptedAt: at },
});

test('a promise is as old as before, ends when it would have, and is to be renewed soon', () => {
  expect(rebaseHubTask(aTask({ promise: PROMISE }), NOW).promise).toEqual({
    ...PROMISE,
    madeAt: MOVED,
    until: { wallMs: START.wallMs + 300_000, bootMs: NOW.bootMs + 240_000 },
    isShutdown: true,
  });
});

test('a task without a promise has none afterwards', () => {
  expect(rebaseHubTask(aTask(), NOW)).toEqual(aTask());
});

test('every instant of a row is moved, however deep it lies, and nothing else is changed', () => {
  const run = aRun({
    ...{ requestedAt: START, startedAt: START, percent: 5, detail: 'x' },
    ending: { cause: 'operator', detail: 'd', since: START, graceMs: 1 },
    survivors: [{ pid: 7, command: 'dd' }] as never,
  });
  expect(rebaseRun(run, NOW)).toEqual({
    ...{ ...run, requestedAt: MOVED, startedAt: MOVED },
    ending: { cause: 'operator', detail: 'd', since: MOVED, graceMs: 1 },
  });
  const report = { run: 'copy/1', kind: 'end', payload: { status: 'FAILED' }, stampS: 6 } as const;
  const task = aTask({ finalReports: [{ ...report, since: START }] });
  expect(rebaseHubTask(task, NOW).finalReports).toEqual([{ ...report, since: MOVED }]);
  // Half an instant is none.
  const odd = { ...run, detail: { wallMs: 1 }, reason: { bootMs: 1 } } as unknown as Run;
  expect(rebaseRun(odd, NOW)).toMatchObject({ detail: { wallMs: 1 }, reason: { bootMs: 1 } });
});

test('the task of a run that has not ended has to be confirmed again', () => {
  const pipeline = pipelineOf(START);
  const since = (state: Run['state']): Instant | undefined =>
    rebaseRun(aRun({ state, pipeline }), NOW).pipeline?.unconfirmedSince;
  for (const state of ['queued', 'starting', 'running', 'canceling'] as const) {
    expect(since(state)).toEqual(NOW);
  }
  for (const state of ['succeeded', 'lost', 'canceled'] as const) {
    expect(since(state)).toBeUndefined();
  }
  expect(rebaseRun(aRun({ state: 'queued' }), NOW)).not.toHaveProperty('pipeline');
});

describe('an instant of a clock that was wrong', () => {
  test.each([
    ['1970', IN_1970],
    ['2100', IN_2100],
  ])('%s: its age is not known, so it counts from now', (_year, at) => {
    expect(rebaseRun(aRun({ requestedAt: at, endedAt: at }), NOW)).toMatchObject({
      ...{ requestedAt: NOW, endedAt: NOW },
    });
  });

  test('a window or a promise of unknown age has ended', () => {
    const { acceptedAt, task } = rebaseRun(aRun({ pipeline: pipelineOf(IN_1970) }), NOW).pipeline!;
    for (const at of [acceptedAt, task.receivedAt]) {
      expect(at).toEqual({ wallMs: 5_000, bootMs: NOW.bootMs - NOW.wallMs + 5_000 });
    }
    const promise = { ...PROMISE, madeAt: IN_1970, until: after(IN_1970, 300_000) };
    const found = rebaseHubTask(aTask({ promise }), NOW).promise!;
    expect(found.madeAt.bootMs).toBeLessThan(0);
    expect(found.until.bootMs).toBeLessThan(0);
  });

  test('what began in the future has begun now, by a clock that is right', () => {
    const ahead = after(NOW, 1);
    expect(rebaseRun(aRun({ requestedAt: ahead }), NOW).requestedAt).toEqual(NOW);
    expect(rebaseRun(aRun({ requestedAt: NOW }), NOW).requestedAt).toEqual(NOW);
    // By a clock that is wrong the wall time is kept: it may be right.
    const wrong = { wallMs: 5_000, bootMs: 5_000 };
    expect(rebaseRun(aRun({ requestedAt: START }), wrong).requestedAt).toEqual({
      ...{ wallMs: START.wallMs, bootMs: wrong.bootMs },
    });
  });
});

test("the service's clock keeps its offset, and its age by the calendar, whatever the clock showed", () => {
  const clock = { at: IN_1970, offsetMs: 7 };
  const moved = rebaseMetadata({ streams: ['s'], clock }, NOW);
  expect(moved).toEqual({
    streams: ['s'],
    clock: { at: { wallMs: 5_000, bootMs: NOW.bootMs - NOW.wallMs + 5_000 }, offsetMs: 7 },
  });
  expect(rebaseMetadata({ streams: ['s'] }, NOW)).toEqual({ streams: ['s'] });
});
