/** What an accepted report leaves on disk and in the timeline; and what is sent while the store takes no changes (P1, P5). */
import { describe, expect, test } from 'vitest';
import { after } from '../../../src/core/lib/time.ts';
import { START, UNAVAILABLE } from '../../support/desk.ts';
import { START_S, TaskBench, finalOf, promiseOf } from './task-bench.ts';
import type { BenchOptions } from './task-bench.ts';
import { HUB } from '../../support/settings.ts';

/** Its promise is of the same run and status, so that the next report only renews it. */
const renewing = (over: BenchOptions = {}) =>
  new TaskBench({ ...over, task: { promise: promiseOf(), lastStampS: START_S, ...over.task } });

/** What the turns of three heartbeats write, 150 s apart. */
function threeHeartbeats(bench: TaskBench): readonly (readonly string[])[] {
  return [1, 2, 3].map(() => {
    bench.pass(150_000);
    bench.report();
    return bench.turn().rows;
  });
}

describe('a heartbeat that only renews the promise', () => {
  test('is not written by itself once the floor of stamps is above it', () => {
    const bench = renewing({ floorS: START_S + 400 });
    // The second turn finds that the first renewal has waited for ten seconds.
    expect(threeHeartbeats(bench)).toEqual([[], ['task copy'], ['task copy', 'metadata']]);
    expect(bench.state.metadata.stampFloorS).toBe(START_S + 450 + 10);
  });

  test('is written ten seconds later at the latest', () => {
    const bench = renewing({ floorS: START_S + 400 });
    bench.pass(150_000);
    bench.report();
    expect(bench.turn().rows).toEqual([]);
    bench.pass(10_000);
    expect(bench.turn().rows).toEqual(['task copy']);
  });

  test('leaves the new promise in memory, from when it was sent until what the service was told', () => {
    const bench = renewing();
    bench.pass(150_000);
    const sentAt = bench.now;
    bench.report(undefined, 700);
    expect(bench.task.promise).toEqual(promiseOf({ madeAt: sentAt, until: after(START, 450_000) }));
  });

  test.each<[string, BenchOptions, (bench: TaskBench) => void]>([
    ['the first of a run', { task: { promise: promiseOf({ run: 'copy/0' }) } }, () => undefined],
    [
      'a change of status',
      { task: { promise: promiseOf({ payload: { status: 'NOT_STARTED' } }) } },
      () => undefined,
    ],
    [
      'one that ends sooner than the promise before',
      { task: { promise: promiseOf({ nextUpdateS: 3600 }) } },
      () => undefined,
    ],
    [
      'the first without an earlier one',
      { task: { promise: undefined as never } },
      () => undefined,
    ],
    ['one whose promise was only offered so far', { task: { offered: 'copy/1' } }, () => undefined],
    ['one for a planned stop', {}, ({ now, parts }) => parts.shutdown.request(after(now, 1))],
    ['one while the store is behind', {}, ({ parts }) => parts.durability.committed(false)],
  ])('but %s is written at once', (_what, options, prepare) => {
    const bench = renewing({ floorS: START_S + 400, ...options });
    bench.pass(150_000);
    prepare(bench);
    bench.report();
    expect(bench.turn().rows).toContain('task copy');
  });

  test('is held with the new detail of its run', () => {
    const bench = renewing({ floorS: START_S + 400 });
    bench.pass(150_000);
    if (bench.run !== undefined) bench.state.holdRun(bench.run, bench.now);
    bench.report();
    expect(bench.turn().rows).toEqual([]);
    bench.pass(10_000);
    expect(bench.turn().rows).toEqual(['task copy', 'run copy/1']);
  });

  test('is an event with what it said and promised', () => {
    const bench = renewing({ run: { percent: 4 } });
    bench.pass(150_000);
    bench.report();
    expect(bench.turn().events).toEqual([
      {
        ...{ event: 'report.accepted', at: bench.now, job: 'copy', run: 'copy/1' },
        fields: { task: 'copy', status: 'IN_PROGRESS', percent: 4, nextUpdateS: 300 },
      },
    ]);
  });

  test('lets the task that waits longest for a promise look again', () => {
    const bench = renewing();
    bench.pass(150_000);
    let isOffered = false;
    bench.parts.promises.offerToNext = () => {
      isOffered = true;
    };
    bench.report();
    expect(isOffered).toBe(true);
  });
});

describe('an answer that comes late', () => {
  const eventsAt = (lateMs: number, over: BenchOptions = {}) => {
    const bench = renewing(over);
    bench.pass(300_000 + lateMs);
    bench.report();
    return bench.turn().events.map(({ event, fields }) => [event, fields]);
  };

  test('of a promise that ended meanwhile is one broken promise, with how late in whole seconds', () => {
    expect(eventsAt(1_600)[1]).toEqual(['promise.broken', { task: 'copy', lateS: 2 }]);
    expect(eventsAt(1)[1]).toEqual(['promise.broken', { task: 'copy', lateS: 0 }]);
  });

  test('just in time breaks nothing', () => {
    expect(eventsAt(0)).toHaveLength(1);
    expect(eventsAt(-1)).toHaveLength(1);
  });

  test('breaks nothing if the run before had ended', () => {
    const promise = promiseOf({ run: 'copy/0', payload: { status: 'FAILED' } });
    expect(eventsAt(1_000, { task: { promise } })).toHaveLength(1);
  });

  test('is not known to break what an earlier agent may have renewed until its end', () => {
    const next = { startedAt: after(START, 1) };
    expect(eventsAt(5_000, next)[1]).toEqual(['promise.unconfirmed', { task: 'copy' }]);
    // The longest promise of that agent has ended too.
    const longestMs = HUB.nextUpdateMaxMs - 300_000;
    expect(eventsAt(longestMs + 1, next)[1]?.[0]).toBe('promise.unconfirmed');
    expect(eventsAt(longestMs + 2, next)[1]?.[0]).toBe('promise.broken');
    expect(eventsAt(5_000, { startedAt: START })[1]?.[0]).toBe('promise.broken');
  });

  test('of a heartbeat of the run before does not stand for the run that has the task now', () => {
    const bench = renewing();
    bench.pass(150_000);
    const call = bench.call();
    bench.task.run = 'copy/2';
    bench.state.saveHubTask(bench.task);
    bench.settle(call);
    expect(bench.task.promise?.run).toBe('copy/1');
  });

  test('of a final report that another agent has dropped leaves the run of the call with the promise', () => {
    const bench = renewing({ task: { finalReports: [finalOf()] } });
    const call = bench.call();
    bench.task.finalReports = [];
    bench.settle(call);
    expect(bench.task.promise).toMatchObject({ run: 'copy/1', payload: { status: 'COMPLETED' } });
  });

  test('of no run at all is saved, and promises nothing', () => {
    const bench = new TaskBench({ run: undefined });
    bench.settle({
      ...{ operation: 'NotifyMigrationTaskState', region: 'r', stream: 's', task: 'copy' },
      ...{ status: 'IN_PROGRESS', stampS: START_S, nextUpdateS: 300 },
    });
    expect(bench.task.promise).toBeUndefined();
    expect(bench.turn().events).toEqual([]);
  });
});

describe('while the store takes no changes', () => {
  const full = (over: BenchOptions = {}) => {
    const bench = renewing(over);
    bench.parts.durability.committed(false);
    return bench;
  };

  test('the last report is repeated when it is due, with the highest percent that was sent, and without a time', () => {
    const bench = full({
      run: { percent: 9, detail: 'new' },
      task: {
        promise: promiseOf({ payload: { status: 'IN_PROGRESS', percent: 5, detail: 'old' } }),
      },
    });
    bench.parts.durability.committed(true);
    bench.report(UNAVAILABLE);
    bench.parts.durability.committed(false);
    if (bench.run !== undefined) bench.run.percent = 30;
    bench.pass(150_000);
    expect(bench.next()).toMatchObject({ readyAtMs: START.bootMs + 150_000 });
    expect(bench.next()).not.toHaveProperty('isDurable');
    const { percent, detail, timing } = bench.call();
    expect([percent, detail, timing]).toEqual([9, 'old', undefined]);
  });

  test('a final report that gets another stamp waits until that stamp is on disk', () => {
    const provisional = finalOf({ isProvisional: true, stampS: START_S + 1 });
    const bench = full({ run: undefined, task: { finalReports: [provisional] } });
    bench.pass(150_000);
    expect(bench.next()).not.toHaveProperty('isDurable');
    // Its stamp stays, but the next agent would find the one before.
    expect(bench.next()).not.toHaveProperty('isDurable');
    bench.parts.durability.committed(true);
    bench.parts.durability.committed(false);
    expect(bench.next()).toMatchObject({ isDurable: true });
  });

  test('a final report that got another stamp is not sent in the turn that made it', () => {
    const provisional = finalOf({ isProvisional: true, stampS: START_S + 1 });
    const bench = renewing({ run: undefined, task: { finalReports: [provisional] } });
    bench.pass(150_000);
    expect(bench.next()?.readyAtMs).toBe(bench.now.bootMs + 1);
    expect(bench.next()?.readyAtMs).toBeLessThanOrEqual(bench.now.bootMs);
  });

  test('an agent that starts then knows the percent that its run had', () => {
    const promise = promiseOf({ payload: { status: 'IN_PROGRESS', percent: 5 } });
    const bench = full({ run: { percent: 7 }, task: { promise } });
    bench.pass(150_000);
    expect(bench.call().percent).toBe(7);
    expect(full({ task: { promise } }).call().percent).toBe(5);
  });

  test('what has changed since makes the report no sooner', () => {
    const bench = full({ run: { percent: 9 } });
    expect(bench.next()?.readyAtMs).toBe(START.bootMs + 150_000);
  });

  test('a promise of an earlier run of the task is not repeated, and neither is an end', () => {
    expect(full({ task: { promise: promiseOf({ run: 'copy/0' }) } }).next()?.sinceMs).toBeDefined();
    const ended = promiseOf({ payload: { status: 'FAILED' } });
    expect(full({ task: { promise: ended } }).next()?.sinceMs).toBeDefined();
  });

  test('an end that is not on disk waits: what was reported before it is repeated', () => {
    const bench = full({ run: { state: 'succeeded' }, task: { finalReports: [finalOf()] } });
    bench.parts.durability.runEnded('copy/1');
    expect(bench.next()).toMatchObject({ readyAtMs: START.bootMs + 150_000 });
    bench.pass(150_000);
    expect(bench.call()).toMatchObject({ status: 'IN_PROGRESS' });
    bench.settle(bench.call());
    expect(bench.task.promise?.run).toBe('copy/1');
    expect(bench.task.finalReports).toHaveLength(1);
  });

  test('an end that is not on disk, of a task without a promise, waits for the disk', () => {
    const bench = full({ run: { state: 'succeeded' }, task: { finalReports: [finalOf()] } });
    delete bench.task.promise;
    bench.parts.durability.runEnded('copy/1');
    expect(bench.next()).not.toHaveProperty('isDurable');
  });

  test('of final reports that are on disk one is sent, and the next one when that is on disk', () => {
    const bench = full({
      run: { state: 'failed' },
      task: { finalReports: [finalOf({ stampS: START_S }), finalOf({ stampS: START_S + 1 })] },
    });
    expect(bench.next()?.isDurable).toBe(true);
    bench.report();
    expect(bench.next()).toMatchObject({ sinceMs: START.bootMs });
    expect(bench.next()).not.toHaveProperty('isDurable');
    bench.parts.durability.committed(true);
    expect(bench.next()?.isDurable).toBe(true);
  });

  test('a first import waits for the disk', () => {
    expect(full({ task: { imported: false } }).next()).not.toHaveProperty('isDurable');
  });
});

test('without room in the budget the first report of a run waits, and the others do not', () => {
  const bench = new TaskBench({ hub: { nextUpdateMaxMs: 1_000 } });
  expect(bench.next()).toBeUndefined();
  expect(bench.parts.promises.waiting).toBe(1);
  expect(renewing({ hub: { nextUpdateMaxMs: 1_000 } }).next()).toBeDefined();
});
