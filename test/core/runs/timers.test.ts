/** When time alone changes a run, and which change comes first. */
import { describe, expect, test } from 'vitest';
import { MINUTE_MS, SECOND_MS, after } from '../../../src/core/lib/time.ts';
import type { Now } from '../../../src/core/lib/time.ts';
import type { EndCause, JobDefinition, Run } from '../../../src/core/model/job.ts';
import { RunTimers } from '../../../src/core/runs/timers.ts';
import { START, aRun } from '../../support/desk.ts';
import { definition } from '../../support/settings.ts';

const at = (ms: number): Now => after(START, ms);

function run(job: Partial<JobDefinition>, over: Partial<Run> = {}): Run {
  return aRun({ definition: definition('copy', job), progressAt: START, ...over });
}

/** A run of a pipeline whose window of 15 minutes began at START: its fence is at 14:20 (a grace of 30 s, and 10 s more). */
function leased(job: Partial<JobDefinition> = {}, over: Partial<Run> = {}): Run {
  const task = {
    ...{ taskId: 't', pipelineId: 'df-1', attemptId: 'a', instance: 'i', workerGroup: 'files' },
    ...{ windowMs: 15 * MINUTE_MS, receivedAt: START },
  };
  return run(job, {
    pipeline: { task, acceptedAt: START, delivery: { state: 'pending' } },
    ...over,
  });
}
const FENCE_MS = 15 * MINUTE_MS - 40 * SECOND_MS;

function ending(cause: EndCause, graceMs: number, since = START): Partial<Run> {
  return { state: 'canceling', ending: { cause, detail: '', since, graceMs } };
}

/** When something is due for the run, in milliseconds after START, and what. */
function next(timers: RunTimers, one: Run, now = START): readonly [number, string | undefined] {
  timers.schedule(one, now);
  const ms = (timers.nextMs() ?? Infinity) - START.bootMs;
  return [ms, ms === Infinity ? undefined : timers.due(one, at(ms))];
}

describe('a run in progress', () => {
  test.each<[string, Run, number, string | undefined]>([
    ['nothing is due of a plain job', run({}), Infinity, undefined],
    ['its timeout', run({ timeoutMs: 5_000 }), 5_000, 'timeout'],
    ['a stall', run({ stallAfterMs: 7_000 }), 7_000, 'stall'],
    ['the end of its window, less grace and margin', leased(), FENCE_MS, 'fence'],
    ['the first of several', leased({ timeoutMs: 5_000, stallAfterMs: 4_000 }), 4_000, 'stall'],
    ['a fence before a timeout', leased({ timeoutMs: FENCE_MS }), FENCE_MS, 'fence'],
    ['a timeout before a stall', run({ timeoutMs: 5_000, stallAfterMs: 5_000 }), 5_000, 'timeout'],
    ['no stall twice', run({ stallAfterMs: 7_000 }, { stalled: true }), Infinity, undefined],
    ['no timeout before it has started', notStarted(), Infinity, undefined],
  ])('%s', (_what, one, ms, due) => {
    expect(next(new RunTimers(), one)).toEqual([ms, due]);
  });

  function notStarted(): Run {
    const { startedAt, progressAt, ...rest } = run({ timeoutMs: 5_000, stallAfterMs: 5_000 });
    expect([startedAt, progressAt]).toEqual([START, START]);
    return { ...rest, state: 'starting' };
  }

  test('nothing is due a moment earlier', () => {
    const timers = new RunTimers();
    expect(timers.due(run({ timeoutMs: 5_000 }), at(4_999))).toBeUndefined();
    expect(timers.due(leased(), at(FENCE_MS - 1))).toBeUndefined();
  });
});

describe('processes that are left', () => {
  const left = run({}, { processesLeft: [7] });

  test('are looked for at once, and then every five seconds', () => {
    const timers = new RunTimers();
    expect(timers.due(left, START)).toBe('tree-check');
    expect(timers.due(left, at(4_999))).toBeUndefined();
    timers.schedule(left, START);
    expect(timers.nextMs()).toBe(START.bootMs + 5_000);
    expect(timers.due(left, at(5_000))).toBe('tree-check');
    expect(timers.due(left, at(9_999))).toBeUndefined();
  });

  test('do not put a timeout off', () => {
    const timers = new RunTimers();
    expect(timers.due(run({ timeoutMs: 1 }, { processesLeft: [7] }), at(1))).toBe('timeout');
  });

  test('of a run that has ended and of its next one are counted apart', () => {
    const timers = new RunTimers();
    timers.due(left, START);
    timers.schedule({ ...left, state: 'lost' }, START);
    expect(timers.due(left, START)).toBe('tree-check');
  });
});

describe('a run that is being stopped', () => {
  test.each<[string, Run, number, string]>([
    ['its next step', run({}, ending('operator', 30_000)), 0, 'step'],
    ['a window that ends within the grace', leased({}, ending('operator', 3_600_000)), 0, 'step'],
  ])('%s', (_what, one, ms, due) => {
    expect(next(new RunTimers(), one)).toEqual([ms, due]);
  });

  test('the end of its window comes before a step, and before its timeout', () => {
    const timers = new RunTimers();
    const one = leased({ timeoutMs: FENCE_MS }, ending('operator', 3_600_000));
    expect(timers.due(one, at(FENCE_MS - 1))).toBe('step');
    expect(timers.due(one, at(FENCE_MS))).toBe('fence');
  });

  test('a long grace of an operator does not lengthen its timeout; other causes have no timeout', () => {
    const timers = new RunTimers();
    const job = { timeoutMs: 5_000 };
    expect(timers.due(run(job, ending('operator', 60_000)), at(4_999))).toBe('step');
    expect(timers.due(run(job, ending('operator', 60_000)), at(5_000))).toBe('timeout');
    expect(timers.due(run(job, ending('timeout', 60_000)), at(5_000))).toBe('step');
    expect(timers.due(run(job, ending('service', 60_000)), at(5_000))).toBe('step');
  });

  test('wakes for the timeout and for the window, if they come before the next step', () => {
    const timers = new RunTimers();
    const one = run({ timeoutMs: 500 }, ending('operator', 60_000));
    expect(timers.takeStep(one, START)).toBe('signal');
    // The first look follows after 100 ms, the second after a second more.
    expect(timers.takeStep(one, at(100))).toBe('check');
    timers.schedule(one, at(100));
    expect(timers.nextMs()).toBe(START.bootMs + 500);
    const windowed = leased({ stop: { signal: 'SIGTERM', graceMs: 0 } }, ending('operator', 9e9));
    const fenceMs = 15 * MINUTE_MS - 10 * SECOND_MS;
    const other = new RunTimers();
    expect(other.takeStep(windowed, at(fenceMs - 700))).toBe('signal');
    expect(other.takeStep(windowed, at(fenceMs - 600))).toBe('check');
    other.schedule(windowed, at(fenceMs - 600));
    expect(other.nextMs()).toBe(START.bootMs + fenceMs);
  });
});

describe('the steps of a stop', () => {
  test('are remembered: signal, looks, SIGKILL, and again', () => {
    const timers = new RunTimers();
    const one = run({}, ending('operator', 1_500));
    const steps = [0, 0, 99, 100, 1_099, 1_100, 1_499, 1_500, 1_749, 1_750].map((ms) =>
      timers.takeStep(one, at(ms)),
    );
    expect(steps).toEqual([
      ...['signal', undefined, undefined, 'check', undefined, 'check', undefined],
      ...['kill', undefined, 'kill'],
    ]);
  });

  test('a run that nobody stops has none', () => {
    expect(new RunTimers().takeStep(run({}), START)).toBeUndefined();
  });

  test('what was seen alive before SIGKILL has not outlived it: ten seconds count from when it was sent', () => {
    const timers = new RunTimers();
    const one = run({}, { ...ending('operator', 0), survivors: [7] });
    // A signal that an earlier agent had sent.
    timers.killed(one, START);
    expect(one.survivors).toEqual([7]);
    expect(timers.takeStep(one, START)).toBe('kill');
    expect(timers.takeStep(one, at(20_000))).toBe('kill');
    timers.killed(one, at(20_000));
    expect(one.survivors).toBeUndefined();
    one.survivors = [7];
    timers.killed(one, at(25_000));
    expect(one.survivors).toEqual([7]);
    expect(timers.takeStep(one, at(29_999))).toBe('kill');
    expect(timers.takeStep(one, at(30_000))).toBe('give-up');
  });

  test('nothing is given up while no survivor was seen', () => {
    const timers = new RunTimers();
    const one = run({}, ending('operator', 0));
    timers.takeStep(one, START);
    timers.killed(one, START);
    expect(timers.takeStep(one, at(60_000))).toBe('kill');
    one.survivors = [];
    expect(timers.takeStep(one, at(61_000))).toBe('kill');
  });

  test('begin anew for a run whose stop has ended', () => {
    const timers = new RunTimers();
    const one = run({}, ending('operator', 1_500));
    timers.takeStep(one, START);
    timers.schedule({ ...one, state: 'canceled' }, START);
    expect(timers.takeStep(one, START)).toBe('signal');
  });
});

describe('a window that no longer matters', () => {
  test('fences nothing until the run has another task', () => {
    const timers = new RunTimers();
    const one = leased();
    timers.unfence(one);
    expect(next(timers, one)).toEqual([Infinity, undefined]);
    timers.fenceAgain(one);
    expect(next(timers, one)).toEqual([FENCE_MS, 'fence']);
  });

  test('matters again for the next run of the same name', () => {
    const timers = new RunTimers();
    const one = leased();
    timers.unfence(one);
    timers.schedule({ ...one, state: 'failed' }, START);
    expect(timers.due(one, at(FENCE_MS))).toBe('fence');
  });
});

test('the run whose time has come is taken once, the earliest first; one that has ended is not', () => {
  const timers = new RunTimers();
  const runs = [3_000, 1_000, 2_000].map((timeoutMs, i) => run({ timeoutMs }, { id: `copy/${i}` }));
  for (const one of runs) timers.schedule(one, START);
  expect(timers.takeDue(at(999))).toBeUndefined();
  expect([timers.takeDue(at(2_000)), timers.takeDue(at(2_000))]).toEqual(['copy/1', 'copy/2']);
  expect(timers.takeDue(at(2_000))).toBeUndefined();
  const [late] = runs;
  if (late !== undefined) timers.schedule({ ...late, state: 'failed' }, at(2_000));
  expect([timers.takeDue(at(9_000)), timers.nextMs()]).toEqual([undefined, undefined]);
});

test('a change of the run moves its time', () => {
  const timers = new RunTimers();
  timers.schedule(run({ timeoutMs: 1_000 }), START);
  timers.schedule(run({ timeoutMs: 5_000 }), START);
  expect([timers.takeDue(at(1_000)), timers.nextMs()]).toEqual([undefined, START.bootMs + 5_000]);
});
