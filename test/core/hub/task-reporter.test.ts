/** The reports of one task: what goes first, what it says, what it promises, and what is remembered of it (P1, P5). */
import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS, after } from '../../../src/core/lib/time.ts';
import type { Call, NotifyCall, Outcome } from '../../../src/core/model/call.ts';
import type { JobDefinition } from '../../../src/core/model/job.ts';
import type { Settings } from '../../../src/core/model/settings.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Desk, REFUSED, START, UNAVAILABLE, accepted, failing } from '../../support/desk.ts';
import { HUB, definition, rates } from '../../support/settings.ts';

const NOTIFY = 'NotifyMigrationTaskState';
const OK: Outcome = { kind: 'accepted', answer: {} };

function deskOf(
  over: Partial<Settings> = {},
  jobs: readonly JobDefinition[] = [definition('copy')],
): Desk {
  return new Desk({ jobs, settings: over });
}

const notifies = (desk: Desk): NotifyCall[] => desk.callsOf(NOTIFY);
const last = (desk: Desk): NotifyCall | undefined => notifies(desk).at(-1);
/** Reports are not answered from now on, so that the test settles them. */
function hold(desk: Desk): void {
  desk.answers = (call: Call) => (call.operation === NOTIFY ? undefined : accepted(call));
}

describe('a run in progress', () => {
  test('is imported, then reported with the promise, and its stamp is the service’s second', () => {
    const desk = deskOf();
    desk.start('copy');
    expect(desk.calls.map(({ operation }) => operation).slice(-2)).toEqual([
      'ImportMigrationTask',
      NOTIFY,
    ]);
    expect(last(desk)).toEqual({
      ...{ operation: NOTIFY, region: 'eu-central-1', stream: 'test-stream', task: 'copy' },
      ...{ status: 'IN_PROGRESS', stampS: START.wallMs / 1000, nextUpdateS: 300 },
    });
    expect(desk.task('copy').promise).toMatchObject({
      ...{ run: 'copy/1', payload: { status: 'IN_PROGRESS' }, nextUpdateS: 300 },
      until: { bootMs: START.bootMs + 300_000 },
    });
    expect(desk.task('copy').offered).toBeUndefined();
  });

  test('is renewed at half of its promise, and new progress is reported sooner', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.pass(149_000);
    expect(notifies(desk)).toHaveLength(1);
    desk.pass(2_000);
    expect(notifies(desk)).toHaveLength(2);
    desk.pass(10_000);
    desk.post({ type: 'progress-read', run: run.id, percent: 7, detail: 'file 7' });
    expect(last(desk)).toMatchObject({ percent: 7, detail: 'file 7' });
    desk.post({ type: 'progress-read', run: run.id, percent: 8 });
    expect(notifies(desk)).toHaveLength(3);
    desk.pass(5_000);
    expect(last(desk)?.percent).toBe(8);
  });

  test('that fails is tried again before the promise ends', () => {
    const desk = deskOf();
    desk.start('copy');
    desk.answers = failing(NOTIFY, UNAVAILABLE);
    desk.pass(5 * MINUTE_MS);
    expect(notifies(desk).length).toBeGreaterThan(5);
    const [, first, second] = notifies(desk);
    // Each attempt has a later stamp: an earlier one may have been accepted.
    expect(second?.stampS).toBeGreaterThan(first?.stampS ?? Infinity);
  });

  test('a queued run of an ended task has nothing to report; of a fresh one it is NOT_STARTED', () => {
    const desk = deskOf();
    desk.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
    expect(last(desk)?.status).toBe('IN_PROGRESS');
  });
});

describe('the budget', () => {
  test('without room a task waits, and is reported when another has ended', () => {
    // One promise of an hour at most: 0.93 × 3600 × the steady rate is below two.
    const tiny = { perSecond: 1 / 2000, burst: 1 };
    const desk = deskOf({ rates: rates({ [NOTIFY]: tiny }) }, [definition('a'), definition('b')]);
    const a = desk.start('a');
    desk.start('b');
    expect(notifies(desk).map(({ task }) => task)).toEqual(['a']);
    expect(desk.planner.view().promises.waiting).toBe(1);
    desk.exit(a);
    desk.pass(2_000);
    expect(notifies(desk).map(({ task, status }) => `${task} ${status}`)).toEqual([
      ...['a IN_PROGRESS', 'b IN_PROGRESS', 'a COMPLETED'],
    ]);
  });
});

describe('final reports', () => {
  test('go out as they were made, with the long promise, and the run is delivered', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.pass(10_000);
    desk.exit(run);
    expect(last(desk)).toMatchObject({
      ...{ status: 'COMPLETED', percent: 100, nextUpdateS: 365 * 86_400 },
      stampS: START.wallMs / 1000 + 10,
    });
    expect(run.hub?.delivery).toEqual({ state: 'delivered', at: desk.now });
    expect(desk.task('copy').finalReports).toEqual([]);
    const event = desk.events.find(({ event: name }) => name === 'report.delivered');
    expect(event).toMatchObject({
      ...{
        run: 'copy/1',
        fields: { task: 'copy', status: 'COMPLETED', percent: 100, to: 'migrationHub', afterS: 0 },
      },
    });
    desk.pass(DAY_MS);
    expect(last(desk)?.status).toBe('COMPLETED');
    expect(notifies(desk)).toHaveLength(2);
  });

  test('are tried until they are accepted, with the same stamp, and the event says after how long', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.pass(10_000);
    desk.answers = failing(NOTIFY, UNAVAILABLE);
    desk.exit(run, 3);
    desk.pass(HOUR_MS);
    desk.answers = accepted;
    desk.pass(MINUTE_MS);
    const finals = notifies(desk).filter(({ status }) => status === 'FAILED');
    expect(finals.length).toBeGreaterThan(50);
    expect(new Set(finals.map(({ stampS }) => stampS)).size).toBe(1);
    const event = desk.events.find(({ event: name }) => name === 'report.delivered');
    expect(Number((event?.fields as { afterS?: number }).afterS)).toBeGreaterThanOrEqual(3600);
  });

  test('of several runs go in order, an opening before the end of a run that nobody saw', () => {
    const desk = deskOf();
    desk.answers = failing('ImportMigrationTask', UNAVAILABLE);
    desk.exit(desk.start('copy'));
    desk.pass(5_000);
    desk.exit(desk.start('copy'), 3);
    desk.answers = accepted;
    desk.pass(MINUTE_MS);
    expect(notifies(desk).map(({ status }) => status)).toEqual([
      ...['IN_PROGRESS', 'COMPLETED', 'IN_PROGRESS', 'FAILED'],
    ]);
    const stamps = notifies(desk).map(({ stampS }) => stampS);
    expect(stamps).toEqual(stamps.toSorted((a, b) => a - b));
    expect(new Set(stamps).size).toBe(4);
  });

  test('go before the next run of the task, which opens it again', () => {
    const desk = deskOf();
    desk.exit(desk.start('copy'));
    desk.start('copy');
    desk.pass(5_000);
    expect(notifies(desk).map(({ status }) => status)).toEqual([
      'IN_PROGRESS',
      'COMPLETED',
      'IN_PROGRESS',
    ]);
  });

  test('an answer to a heartbeat that comes after the end does not stand for the end', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    hold(desk);
    desk.pass(155_000);
    desk.exit(run);
    expect(desk.task('copy').finalReports).toHaveLength(1);
    desk.settle(NOTIFY, OK);
    expect(run.hub?.delivery.state).toBe('pending');
    desk.settle(NOTIFY, OK);
    expect(run.hub?.delivery.state).toBe('delivered');
    expect(last(desk)?.status).toBe('COMPLETED');
  });
});

describe('a payload that is refused', () => {
  test('is followed by its status alone, until status or detail change', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.pass(10_000);
    desk.answers = (call) =>
      call.operation === NOTIFY && call.detail === 'bad' ? REFUSED : accepted(call);
    desk.post({ type: 'progress-read', run: run.id, percent: 5, detail: 'bad' });
    desk.pass(10_000);
    // The service has that status already: the next report is the renewal.
    expect(notifies(desk)).toHaveLength(3);
    desk.pass(2 * MINUTE_MS + 30_000);
    expect(last(desk)).toMatchObject({ status: 'IN_PROGRESS', nextUpdateS: 300 });
    expect(last(desk)).not.toHaveProperty('detail');
    expect(desk.eventNames()).toContain('report.reduced');
    desk.post({ type: 'progress-read', run: run.id, percent: 6 });
    desk.pass(10_000);
    expect(last(desk)).not.toHaveProperty('percent');
    desk.post({ type: 'progress-read', run: run.id, percent: 7, detail: 'good' });
    desk.pass(10_000);
    expect(last(desk)).toMatchObject({ percent: 7, detail: 'good' });
  });
});

describe('a planned stop', () => {
  test('promises the longest, and the next agent takes that back within ten seconds', () => {
    const desk = deskOf();
    desk.start('copy');
    desk.pass(10_000);
    desk.post({ type: 'stop-requested' });
    expect(last(desk)?.nextUpdateS).toBe(3600);
    expect(desk.task('copy').promise?.isShutdown).toBe(true);
    const next = new Desk({
      jobs: [definition('copy')],
      state: desk.state,
      now: after(desk.now, MINUTE_MS),
      random: () => 1,
    });
    expect(notifies(next)).toEqual([]);
    next.pass(10_000);
    expect(notifies(next)).toMatchObject([{ nextUpdateS: 300 }]);
    expect(next.task('copy').promise?.isShutdown).toBeUndefined();
  });
});

describe('while the store takes no changes', () => {
  test('the last report is repeated, and nothing new is said; the end waits', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.pass(10_000);
    desk.isDiskFull = true;
    desk.pass(10_000);
    desk.exit(run);
    desk.pass(10 * MINUTE_MS);
    expect(notifies(desk).length).toBeGreaterThan(3);
    expect(new Set(notifies(desk).map(({ status }) => status))).toEqual(new Set(['IN_PROGRESS']));
    desk.isDiskFull = false;
    desk.pass(5_000);
    expect(last(desk)?.status).toBe('COMPLETED');
  });
});

describe('a promise that ended without a report', () => {
  test('is recorded with how late it was', () => {
    const desk = deskOf();
    desk.start('copy');
    desk.answers = failing(NOTIFY, UNAVAILABLE);
    desk.pass(6 * MINUTE_MS);
    desk.answers = accepted;
    desk.pass(MINUTE_MS);
    const event = desk.events.find(({ event: name }) => name === 'promise.broken');
    expect(event?.fields).toMatchObject({ task: 'copy' });
    expect(Number((event?.fields as { lateS?: number }).lateS)).toBeGreaterThanOrEqual(60);
  });

  test.each([
    [MINUTE_MS, 'promise.unconfirmed'],
    [HOUR_MS, 'promise.broken'],
  ])('and that an earlier agent made, %i ms ago, may have been renewed by it', (lateMs, name) => {
    const desk = deskOf();
    desk.start('copy');
    // The next agent starts before the promise ends, and reports after it.
    const next = new Desk({
      jobs: [definition('copy')],
      state: desk.state,
      now: after(desk.now, 4 * MINUTE_MS),
      answers: failing(NOTIFY, UNAVAILABLE),
    });
    next.pass(MINUTE_MS + lateMs);
    next.answers = accepted;
    next.pass(MINUTE_MS);
    expect(next.eventNames().filter((one) => /^promise\.[ub]/.test(one))).toEqual([name]);
  });

  test('while no agent ran is not called broken: nobody knows here', () => {
    const desk = deskOf();
    desk.start('copy');
    const next = new Desk({
      jobs: [definition('copy')],
      state: desk.state,
      now: after(desk.now, HOUR_MS),
    });
    next.pass(5_000);
    expect(next.eventNames()).toContain('promise.unconfirmed');
    expect(next.eventNames()).not.toContain('promise.broken');
  });
});

describe('the clock', () => {
  test('of 1970 stamps nothing: the service’s time is asked for by an import', () => {
    const now = { wallMs: 60_000, bootMs: START.bootMs };
    const answers = (call: Call): Outcome | undefined => {
      const outcome = accepted(call);
      return outcome === undefined ? undefined : { ...outcome, serverDateMs: 0 };
    };
    const desk = new Desk({ jobs: [definition('copy')], now, answers });
    desk.start('copy');
    desk.pass(MINUTE_MS);
    expect(notifies(desk)).toEqual([]);
    // Every five seconds.
    expect(desk.callsOf('ImportMigrationTask').length).toBeGreaterThanOrEqual(10);
    expect(desk.callsOf('ImportMigrationTask').length).toBeLessThanOrEqual(13);
    desk.answers = (call) => {
      const outcome = accepted(call);
      return outcome === undefined ? undefined : { ...outcome, serverDateMs: START.wallMs };
    };
    desk.pass(20_000);
    expect(Math.abs((last(desk)?.stampS ?? 0) - START.wallMs / 1000)).toBeLessThan(30);
  });
});

test('with the destination taken away nothing more is called', () => {
  const state = new PersistentState();
  const desk = new Desk({ jobs: [definition('copy')], state });
  desk.start('copy');
  const { migrationHub, ...none } = { migrationHub: HUB };
  expect([migrationHub, none]).toEqual([HUB, {}]);
  const next = new Desk({
    jobs: [definition('copy')],
    state,
    settings: { migrationHub: undefined as never },
  });
  next.pass(HOUR_MS);
  expect(next.calls).toEqual([]);
});
