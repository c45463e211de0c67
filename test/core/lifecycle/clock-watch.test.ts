/** Steps of the wall clock and sleeps of the host: what counts as one, and what follows. */
import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS, after } from '../../../src/core/lib/time.ts';
import type { Now } from '../../../src/core/lib/time.ts';
import type { Run } from '../../../src/core/model/job.ts';
import { createOwners } from '../../../src/core/owners.ts';
import { EMPTY_CALENDAR } from '../../../src/core/runs/schedules.ts';
import { pipelineTaskKey } from '../../../src/core/scheduling/reporter-keys.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { START, UNAVAILABLE, aRun } from '../../support/desk.ts';
import { PIPELINE, settings } from '../../support/settings.ts';

type Lease = NonNullable<Run['pipeline']>;

function lease(over: Partial<Lease> = {}): Lease {
  return {
    task: {
      ...{ taskId: 't', pipelineId: 'df-1', attemptId: 'a', instance: 'i', workerGroup: 'files' },
      ...{ windowMs: 15 * MINUTE_MS, receivedAt: START },
    },
    acceptedAt: START,
    delivery: { state: 'pending' },
    ...over,
  };
}

function watchOf(...runs: Run[]) {
  const state = new PersistentState();
  for (const run of runs) state.recoverRun(run);
  const owners = createOwners(
    ...([state, settings({ dataPipeline: PIPELINE }), START, () => 0, EMPTY_CALENDAR] as const),
  );
  const events = () => [...state.takeChanges().events].map(({ event, fields }) => [event, fields]);
  events();
  const stepped = (now: Now, ms: number): Now => ({ ...now, wallMs: now.wallMs + ms });
  return { ...owners, state, events, stepped };
}

describe('a step of the wall clock', () => {
  test.each([
    [1_999, 0],
    [-1_999, 0],
    [2_000, 2_000],
    [-2_000, -2_000],
  ])('of %i ms is one of %i', (ms, found) => {
    const { clocks, events, stepped } = watchOf();
    const now = stepped(after(START, 1_000), ms);
    expect(clocks.check(now)).toBe(found);
    expect(events()).toEqual(found === 0 ? [] : [['clock.jumped', { stepS: found / 1_000 }]]);
    expect(clocks.wallLessBootMs).toBe(START.wallMs - START.bootMs + found);
  });

  test('is recorded in seconds, rounded', () => {
    const { clocks, events, stepped } = watchOf();
    clocks.check(stepped(START, 2_600));
    clocks.check(after(stepped(START, 2_600), 30_600));
    expect(events()).toEqual([
      ['clock.jumped', { stepS: 3 }],
      ['host.woke', { asleepS: 31 }],
    ]);
  });

  test('counts once, and the next one from there', () => {
    const { clock, clocks, stepped } = watchOf();
    clock.learn(START.wallMs - 500, START, START);
    const now = stepped(START, HOUR_MS);
    expect([clocks.check(now), clocks.check(now)]).toEqual([HOUR_MS, 0]);
    expect(clock.offsetMs).toBe(-HOUR_MS);
    expect(clocks.check(START)).toBe(-HOUR_MS);
    expect(clock.offsetMs).toBe(0);
  });
});

describe('a sleep', () => {
  test.each([
    [29_999, []],
    [30_000, [['host.woke', { asleepS: 30 }]]],
  ])('of %i ms', (ms, expected) => {
    const { clocks, events } = watchOf();
    clocks.check(after(START, 1_000));
    expect(clocks.check(after(START, 1_000 + ms))).toBe(0);
    expect(events()).toEqual(expected);
  });
});

describe('afterwards the tasks that may still be ours are reported first', () => {
  const HOLDING: [string, Partial<Run>, boolean][] = [
    ['a live run', { pipeline: lease() }, true],
    ['an ended one that has its status to set', { state: 'failed', pipeline: lease() }, true],
    [
      'a live one whose status was refused before',
      { pipeline: lease({ delivery: { state: 'refused', reason: 'x', isRetained: true } }) },
      true,
    ],
    [
      'not an ended one that was refused',
      {
        ...{ state: 'failed' },
        pipeline: lease({ delivery: { state: 'refused', reason: 'x', isRetained: true } }),
      },
      false,
    ],
    [
      'not one that was withheld',
      { pipeline: lease({ delivery: { state: 'withheld', reason: '' } }) },
      false,
    ],
    [
      'not one that was never acknowledged',
      { pipeline: { ...lease(), acceptedAt: undefined as never } },
      false,
    ],
    ['not a run without a task', {}, false],
  ];

  test.each(HOLDING)('%s', (_what, over, isHeld) => {
    const { clocks, resumeHold } = withHold(aRun(over));
    const woke = after(START, MINUTE_MS);
    clocks.check(woke);
    expect(resumeHold(woke)).toBe(isHeld);
  });

  test.each([
    [29_999, false],
    [30_000, true],
    [-30_000, true],
  ])('after a step of %i ms: %s', (ms, isHeld) => {
    const made = withHold(aRun({ pipeline: lease() }));
    const now = { ...START, wallMs: START.wallMs + ms };
    made.clocks.check(now);
    expect(made.resumeHold(now)).toBe(isHeld);
  });

  test('outages before it are no reason to wait', () => {
    const { clocks, pacing } = watchOf();
    for (let i = 0; i < 9; i++) {
      pacing.began('SetTaskStatus', START.bootMs, 1);
      pacing.settled('SetTaskStatus', UNAVAILABLE, START.bootMs + MINUTE_MS, () => 1);
    }
    expect(pacing.of('SetTaskStatus').pausedUntilMs).toBeGreaterThan(START.bootMs + MINUTE_MS);
    const woke = after(START, MINUTE_MS);
    clocks.check(woke);
    expect(pacing.of('SetTaskStatus').pausedUntilMs).toBe(woke.bootMs);
  });

  /** Whether other calls wait, by what the scheduler would wake up for. */
  function withHold(run: Run) {
    const made = watchOf(run);
    const { calls, reporters } = made;
    const resumeHold = (now: Now): boolean => {
      const touched = [...reporters.takeTouched()].map(({ owner }) => owner?.key);
      const isHeld = calls.wakeAtMs(now) === now.bootMs + 10_000;
      expect(touched.includes(pipelineTaskKey(run.id)) || !isHeld).toBe(true);
      return isHeld;
    };
    return { ...made, resumeHold };
  }
});
