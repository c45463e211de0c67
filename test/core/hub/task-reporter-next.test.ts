/** What the reporter of a task has to call next, from when and until when; and what the call then says. */
import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, after } from '../../../src/core/lib/time.ts';
import type { HubTask } from '../../../src/core/model/hub-task.ts';
import { REFUSED, START, UNAVAILABLE } from '../../support/desk.ts';
import { START_S, TaskBench, finalOf, promiseOf } from './task-bench.ts';
import type { BenchOptions } from './task-bench.ts';

const NOTIFY = 'NotifyMigrationTaskState';
const IMPORT = 'ImportMigrationTask';

describe('nothing is pending', () => {
  test.each<[string, BenchOptions]>([
    ['before the stream exists', { metadata: { streams: [] } }],
    ['for a task that no run, report or link needs', { run: undefined }],
    [
      'for the promise of a run that has ended',
      { run: { state: 'succeeded' }, task: { promise: promiseOf() } },
    ],
    [
      'for a queued run whose task shows the end of an earlier one',
      {
        run: { state: 'queued', number: 2 },
        task: { promise: promiseOf({ payload: { status: 'FAILED' } }) },
      },
    ],
  ])('%s', (_what, options) => {
    expect(new TaskBench(options).next()).toBeUndefined();
  });

  test('and no call is made without the destination', () => {
    const bench = new TaskBench();
    bench.parts.settings.current = {
      ...bench.parts.settings.current,
      migrationHub: undefined as never,
    };
    expect(bench.reporter.call(START)).toBeUndefined();
  });

  test('and no call is made without the region', () => {
    const bench = new TaskBench();
    delete bench.state.metadata.homeRegion;
    expect(bench.reporter.call(START)).toBeUndefined();
  });

  test('and no call is made of a run that has ended meanwhile', () => {
    const bench = new TaskBench({ run: { state: 'succeeded' } });
    expect(bench.reporter.call(START)).toBeUndefined();
  });
});

describe('the import', () => {
  test('comes first, and is as old as what waits for it: a final report, else the run', () => {
    const requestedAt = after(START, -7_000);
    const bench = new TaskBench({ run: { requestedAt }, task: { imported: false } });
    expect(bench.next()).toEqual({
      ...{ operation: IMPORT, readyAtMs: 0, sinceMs: requestedAt.bootMs },
    });
    bench.task.finalReports = [finalOf({ since: after(START, -9_000) })];
    expect(bench.next()?.sinceMs).toBe(START.bootMs - 9_000);
    expect(bench.reporter.call(START)).toEqual({
      ...{ operation: IMPORT, region: 'eu-central-1', stream: 'test-stream', task: 'copy' },
    });
  });

  test('for links alone is as old as now', () => {
    const bench = new TaskBench({
      run: undefined,
      task: {
        imported: false,
        links: [{ operation: 'AssociateDiscoveredResource', configurationId: 'd' }],
      },
    });
    expect(bench.next()).toEqual({ operation: IMPORT, readyAtMs: 0, sinceMs: START.bootMs });
  });

  test('wakes the links of the task, and is saved', () => {
    const bench = new TaskBench({ task: { imported: false } });
    bench.settle({ operation: IMPORT, region: 'r', stream: 's', task: 'copy' });
    expect(bench.task.imported).toBe(true);
    expect(bench.turn().rows).toEqual(['task copy']);
  });
});

describe('while no answer has confirmed the clock', () => {
  const asks = (task: Partial<HubTask>, run: BenchOptions['run'] = {}) =>
    new TaskBench({ isClockNew: true, run, task }).next()?.operation;

  test('a task that was stamped within a day is reported, an older one asks for the time first', () => {
    expect(asks({ lastStampS: START_S })).toBe(NOTIFY);
    expect(asks({ lastStampS: START_S - 86_399 })).toBe(NOTIFY);
    expect(asks({ lastStampS: START_S - 86_400 })).toBe(IMPORT);
    expect(asks({ lastStampS: START_S + 86_399 })).toBe(NOTIFY);
    expect(asks({ lastStampS: START_S + 86_400 })).toBe(IMPORT);
    expect(asks({ lastStampS: 0 })).toBe(IMPORT);
  });

  test('a final report, stamped by whatever clock the host had, asks for it always', () => {
    const task = { lastStampS: START_S, finalReports: [finalOf()] };
    expect(asks(task, { state: 'succeeded' })).toBe(IMPORT);
  });

  test('that import needs no disk, has the deadline of the promise, and is repeated every five seconds', () => {
    const promise = promiseOf();
    const bench = new TaskBench({ isClockNew: true, task: { promise } });
    const deadline = { urgentAtMs: START.bootMs + 225_000, byMs: START.bootMs + 300_000 };
    const pending = { operation: IMPORT, sinceMs: START.bootMs, isDurable: true, deadline };
    expect(bench.next()).toEqual({ ...pending, readyAtMs: 0 });
    bench.parts.clock.learn(0, START, START);
    bench.settle({ operation: IMPORT, region: 'r', stream: 's', task: 'copy' });
    // It was asked for: without a Date header the host's clock has to do.
    expect(bench.next()?.operation).toBe(NOTIFY);
    bench.now = { wallMs: 60_000, bootMs: START.bootMs };
    expect(bench.next()).toEqual({ ...pending, readyAtMs: START.bootMs + 5_000 });
  });
});

describe('a status change', () => {
  test('of the first report of a run is as old as the start of the run', () => {
    const startedAt = after(START, -3_000);
    const bench = new TaskBench({ run: { startedAt, requestedAt: after(START, -9_000) } });
    expect(bench.next()).toEqual({
      ...{ operation: NOTIFY, readyAtMs: 0, sinceMs: startedAt.bootMs },
    });
  });

  test('of a run that has not started is as old as the request', () => {
    const requestedAt = after(START, -9_000);
    const bench = new TaskBench({ run: { requestedAt, state: 'queued' } });
    delete bench.run?.startedAt;
    expect(bench.next()?.sinceMs).toBe(requestedAt.bootMs);
    expect(bench.call().status).toBe('NOT_STARTED');
  });

  test('keeps the promise that the task has; of an ended task there is none to keep', () => {
    const queued = promiseOf({ payload: { status: 'NOT_STARTED' } });
    const deadline = { urgentAtMs: START.bootMs + 225_000, byMs: START.bootMs + 300_000 };
    expect(new TaskBench({ task: { promise: queued } }).next()?.deadline).toEqual(deadline);
    const ended = promiseOf({ run: 'copy/0', payload: { status: 'COMPLETED' } });
    expect(new TaskBench({ task: { promise: ended } }).next()).not.toHaveProperty('deadline');
    expect(new TaskBench({ task: { promise: promiseOf({ run: 'copy/0' }) } }).next()).toMatchObject(
      {
        deadline,
      },
    );
  });

  test('waits for the next second: stamps are whole seconds, and two must differ', () => {
    const promise = promiseOf({ payload: { status: 'NOT_STARTED' } });
    const bench = new TaskBench({ task: { promise, lastStampS: START_S } });
    expect(bench.next()?.readyAtMs).toBe(START.bootMs + 1_000);
    bench.pass(400);
    expect(bench.next()?.readyAtMs).toBe(START.bootMs + 1_000);
    bench.pass(600);
    expect(bench.next()?.readyAtMs).toBe(0);
    bench.pass(5_000);
    expect(bench.next()?.readyAtMs).toBe(0);
  });

  test('does not wait for a stamp that lies further ahead, which no second can reach', () => {
    const bench = new TaskBench({ task: { lastStampS: START_S + 1 } });
    expect(bench.next()?.readyAtMs).toBe(0);
    expect(bench.call().stampS).toBe(START_S + 2);
  });
});

describe('a heartbeat', () => {
  const promised = (over: BenchOptions = {}) =>
    new TaskBench({ ...over, task: { promise: promiseOf(), lastStampS: START_S, ...over.task } });

  test('is due at half of the promise, less the task’s own jitter', () => {
    const deadline = { urgentAtMs: START.bootMs + 225_000, byMs: START.bootMs + 300_000 };
    expect(promised().next()).toEqual({
      ...{ operation: NOTIFY, readyAtMs: START.bootMs + 150_000, deadline },
    });
    expect(promised({ jitter: 1 }).next()?.readyAtMs).toBe(START.bootMs + 135_000);
  });

  test.each([{ percent: 1 }, { detail: 'file 7' }])(
    'with %j is due five seconds after the last',
    (change) => {
      const bench = promised({ run: change });
      expect(bench.next()?.readyAtMs).toBe(START.bootMs + 5_000);
    },
  );

  test('says what is new, and for how long the run has been running', () => {
    const bench = promised({ run: { percent: 10, progressAt: after(START, 20_000) } });
    bench.pass(20_000);
    expect(bench.call()).toEqual({
      ...{ operation: NOTIFY, region: 'eu-central-1', stream: 'test-stream', task: 'copy' },
      ...{ status: 'IN_PROGRESS', percent: 10, timing: 'running for 20s, about 3m left' },
      ...{ stampS: START_S + 20, nextUpdateS: 300 },
    });
  });

  test('waits for its next try', () => {
    const bench = promised();
    bench.pass(150_000);
    bench.report(UNAVAILABLE);
    expect(bench.next()?.readyAtMs).toBe(START.bootMs + 150_500);
    bench.reporter.retry();
    expect(bench.next()?.readyAtMs).toBe(START.bootMs + 150_000);
    expect(bench.reporter.blockedBy()).toBeUndefined();
  });

  test('that one region refused is due at once in another', () => {
    const bench = promised();
    bench.pass(150_000);
    bench.report(UNAVAILABLE);
    expect(bench.reporter.blockedBy()).toMatchObject({ attempts: 1, region: 'eu-central-1' });
    bench.state.metadata = { streams: ['us-west-2/test-stream'], homeRegion: 'us-west-2' };
    expect(bench.next()?.readyAtMs).toBe(START.bootMs + 150_000);
    expect(bench.reporter.blockedBy()).toBeUndefined();
  });

  test('after a refused detail has the status alone, and no time either', () => {
    const bench = promised({ run: { percent: 10, detail: 'bad' } });
    bench.pass(20_000);
    bench.parts.hub.regionAnswered('eu-central-1', bench.now);
    bench.report(REFUSED);
    bench.pass(150_000);
    const { status, percent, detail, timing } = bench.call();
    expect([status, percent, detail, timing]).toEqual([
      'IN_PROGRESS',
      undefined,
      undefined,
      undefined,
    ]);
    // An accepted report forgets the failures, not what was refused.
    bench.report();
    expect(bench.reporter.blockedBy()).toMatchObject({
      ...{ attempts: 0, retryAtMs: 0, isQuarantined: false },
      refused: { detail: 'bad' },
    });
    expect(bench.next()?.readyAtMs).toBe(bench.now.bootMs + 150_000);
  });

  test('that is accepted forgets the failures before it', () => {
    const bench = promised();
    bench.pass(150_000);
    bench.report(UNAVAILABLE);
    bench.report();
    expect(bench.reporter.blockedBy()).toBeUndefined();
  });

  test('after an import that was accepted, failures count on', () => {
    const bench = promised({ task: { imported: false } });
    const call = { operation: IMPORT, region: 'eu-central-1', stream: 's', task: 'copy' } as const;
    bench.settle(call, UNAVAILABLE);
    bench.settle(call);
    expect(bench.reporter.blockedBy()?.attempts).toBe(1);
  });
});

describe('before and after a planned stop', () => {
  test('the promise is replaced at once by the longest', () => {
    const bench = new TaskBench({ task: { promise: promiseOf(), lastStampS: START_S } });
    bench.pass(10_000);
    bench.parts.shutdown.request(bench.now);
    expect(bench.next()?.readyAtMs).toBe(START.bootMs);
    expect(bench.report().nextUpdateS).toBe(3600);
    expect(bench.task.promise?.isShutdown).toBe(true);
    // Half of an hour from now: nothing more is to be sent.
    expect(bench.next()?.readyAtMs).toBe(bench.now.bootMs + HOUR_MS / 2);
  });

  test('the next agent takes it back within ten seconds of its start, by the task’s own jitter', () => {
    const promise = promiseOf({
      nextUpdateS: 3600,
      isShutdown: true,
      madeAt: after(START, -60_000),
    });
    const bench = new TaskBench({ jitter: 0.5, task: { promise, lastStampS: START_S - 60 } });
    expect(bench.next()?.readyAtMs).toBe(START.bootMs + 5_000);
    bench.pass(5_000);
    expect(bench.report().nextUpdateS).toBe(300);
    expect(bench.task.promise).not.toHaveProperty('isShutdown');
  });
});

describe('a final report', () => {
  const ended = (over: BenchOptions = {}) =>
    new TaskBench({
      run: { state: 'succeeded', endedAt: START },
      ...over,
      task: { finalReports: [finalOf()], lastStampS: START_S, promise: promiseOf(), ...over.task },
    });

  test('goes at once, also while the store takes no changes, and is as old as the end', () => {
    const deadline = { urgentAtMs: START.bootMs + 225_000, byMs: START.bootMs + 300_000 };
    expect(ended().next()).toEqual({
      ...{ operation: NOTIFY, readyAtMs: 0, sinceMs: START.bootMs, isDurable: true, deadline },
    });
  });

  test('is sent with the stamp and the payload that it was made with, and the longest promise', () => {
    const bench = ended({
      task: { finalReports: [finalOf({ stampS: 77, since: after(START, -DAY_MS) })] },
    });
    bench.task.finalReports = [finalOf({ stampS: START_S - 3 })];
    bench.pass(20_000);
    expect(bench.call()).toEqual({
      ...{ operation: NOTIFY, region: 'eu-central-1', stream: 'test-stream', task: 'copy' },
      ...{ status: 'COMPLETED', stampS: START_S - 3, nextUpdateS: 365 * 86_400 },
    });
  });

  test('that was stamped by a wrong clock is stamped anew, and that is on disk before it is sent', () => {
    const bench = ended({
      task: { finalReports: [finalOf({ stampS: 60, isProvisional: true })], lastStampS: 60 },
    });
    bench.pass(10_000);
    bench.next();
    expect(bench.turn().rows).toEqual(['task copy']);
    expect(bench.task.finalReports[0]?.stampS).toBe(START_S);
    bench.next();
    expect(bench.turn().rows).toEqual([]);
  });

  test('ends the promise, is delivered, and is recorded with how long it took in whole seconds', () => {
    const bench = ended();
    bench.pass(4_600);
    bench.report();
    expect(bench.run?.hub?.delivery).toEqual({ state: 'delivered', at: bench.now });
    expect(bench.task.finalReports).toEqual([]);
    expect(bench.task.promise).toMatchObject({ run: 'copy/1', payload: { status: 'COMPLETED' } });
    const { events, rows } = bench.turn();
    expect(rows).toEqual(['task copy', 'run copy/1']);
    expect(events).toMatchObject([
      {
        ...{ event: 'report.delivered', run: 'copy/1' },
        fields: { task: 'copy', status: 'COMPLETED', to: 'migrationHub', afterS: 5 },
      },
    ]);
    bench.pass(DAY_MS);
    expect(bench.next()).toBeUndefined();
  });

  test('of a run that is no longer kept is delivered all the same', () => {
    const bench = ended({ run: undefined, task: { finalReports: [finalOf({ run: 'copy/9' })] } });
    bench.report();
    expect(bench.task.finalReports).toEqual([]);
    expect(bench.task.promise?.run).toBe('copy/9');
  });

  test('an opening is recorded as any report, and leaves the run pending', () => {
    const opening = finalOf({
      kind: 'opening',
      payload: { status: 'IN_PROGRESS' },
      stampS: START_S - 5,
    });
    const bench = ended({ task: { finalReports: [opening, finalOf()] } });
    bench.report();
    expect(bench.run?.hub?.delivery.state).toBe('pending');
    expect(bench.task.finalReports).toHaveLength(1);
    expect(bench.turn().events).toMatchObject([{ event: 'report.accepted' }]);
  });
});
