/** What follows from a report that Migration Hub did not accept, by the kind of failure. */
import { describe, expect, test } from 'vitest';
import { HubConnection } from '../../../src/core/hub/connection.ts';
import { hubRetryAfter, payloadOf } from '../../../src/core/hub/failures.ts';
import type { HubRetry } from '../../../src/core/hub/failures.ts';
import { MINUTE_MS, after } from '../../../src/core/lib/time.ts';
import type { Call, NotifyCall, Outcome } from '../../../src/core/model/call.ts';
import type { FinalReport, HubTask } from '../../../src/core/model/hub-task.ts';
import { Reporters } from '../../../src/core/scheduling/reporters.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Timeline } from '../../../src/core/state/timeline.ts';
import { REFUSED, START, UNAVAILABLE, aRun, aTask } from '../../support/desk.ts';
import { settings } from '../../support/settings.ts';

const ADDRESS = { region: 'eu-central-1', stream: 'test-stream', task: 'copy' } as const;
const NOTIFY: NotifyCall = {
  ...{ operation: 'NotifyMigrationTaskState', ...ADDRESS, status: 'IN_PROGRESS' },
  ...{ stampS: 100, nextUpdateS: 300 },
};
const IMPORT: Call = { operation: 'ImportMigrationTask', ...ADDRESS };
const MISSING = { kind: 'missing', reason: 'ResourceNotFoundException' } as const;
type Failure = Exclude<Outcome, { kind: 'accepted' }>;

function hubOf(over: Partial<HubTask> = {}) {
  const state = new PersistentState();
  state.metadata = { streams: ['eu-central-1/test-stream'], homeRegion: 'eu-central-1' };
  const task = aTask({ run: 'copy/1', ...over });
  state.recoverHubTask(task);
  state.recoverRun(aRun({ hub: { task: 'copy', delivery: { state: 'pending' } } }));
  const timeline = new Timeline(state);
  const hub = new HubConnection({
    ...{ state, timeline },
    reporters: new Reporters(),
    settings: { current: settings() },
  });
  const fail = (call: Call, outcome: Failure, before?: HubRetry, now = START) =>
    hubRetryAfter({ state, hub, timeline, random: () => 1 }, task, before, call, outcome, now);
  const events = () => [...state.takeChanges().events].map(({ event, run }) => [event, run]);
  return { hub, state, task, fail, events };
}

function final(stampS: number, kind: FinalReport['kind'] = 'end'): FinalReport {
  return { run: 'copy/1', kind, payload: { status: 'FAILED' }, stampS, since: START };
}

test.each<[Failure]>([
  [UNAVAILABLE as Failure],
  [{ kind: 'throttled', reason: 'x' }],
  [{ kind: 'denied', reason: 'x' }],
  [{ kind: 'gone', reason: 'x' }],
  [{ kind: 'disabled', reason: 'x' }],
])('%j is tried again, within the slack of the promise', (outcome) => {
  const until = after(START, 8_000);
  const promise = {
    run: 'copy/1',
    payload: { status: 'IN_PROGRESS' as const },
    madeAt: START,
    until,
    nextUpdateS: 300,
  };
  const { events, fail } = hubOf({ promise });
  const first = fail(NOTIFY, outcome);
  expect(first).toEqual({
    ...{
      attempts: 1,
      firstAtMs: START.bootMs,
      retryAtMs: START.bootMs + 1_000,
      reason: outcome.reason,
    },
    ...{ isQuarantined: false, region: 'eu-central-1', missing: [] },
  });
  // A quarter of the slack is 2 s.
  expect(fail(NOTIFY, outcome, { ...first!, attempts: 9 })?.retryAtMs).toBe(START.bootMs + 2_000);
  expect(hubOf().fail(NOTIFY, outcome, { ...first!, attempts: 9 })?.retryAtMs).toBe(
    START.bootMs + 30_000,
  );
  expect(events()).toEqual([]);
});

test('without a home region everything waits for one', () => {
  const { fail, hub } = hubOf();
  expect(fail(NOTIFY, { kind: 'no-home-region', reason: 'none' })?.attempts).toBe(1);
  expect(hub.obstacle).toMatch(/has no home region \(none\)/);
});

describe('what is missing is made once more, and then tried rarely', () => {
  test('the task', () => {
    const { fail, hub, state, task } = hubOf();
    const first = fail(NOTIFY, MISSING);
    expect([task.imported, first?.missing]).toEqual([false, ['NotifyMigrationTaskState']]);
    expect(first?.retryAtMs).toBe(START.bootMs + 1_000);
    expect([...state.takeChanges().hubTasks]).toEqual([task]);
    const second = fail(NOTIFY, MISSING, first);
    expect(second?.retryAtMs).toBe(START.bootMs + 5 * MINUTE_MS);
    expect(second?.missing).toHaveLength(2);
    expect(hub.isReady).toBe(true);
  });

  test('the stream', () => {
    const { fail, hub } = hubOf();
    const first = fail(IMPORT, MISSING);
    expect(hub.isReady).toBe(false);
    expect(fail(NOTIFY, MISSING, first)?.retryAtMs).toBe(START.bootMs + 2_000);
    expect(fail(IMPORT, MISSING, first)?.retryAtMs).toBe(START.bootMs + 5 * MINUTE_MS);
  });
});

describe('a refusal', () => {
  const detailed: NotifyCall = { ...NOTIFY, percent: 5, detail: 'file 7' };

  test('by a region that is no longer the home region blames nothing: it is sent at once there', () => {
    const { events, fail, hub, state } = hubOf();
    hub.regionAnswered('us-west-2', after(START, 10));
    events();
    expect(fail(detailed, REFUSED as Failure)?.retryAtMs).toBe(START.bootMs);
    expect([events(), state.hubTasks.get('copy')?.quarantine]).toEqual([[], undefined]);
    expect(hub.isRegionDoubtful).toBe(false);
  });

  test('first asks for the region; after three attempts a live job’s report is reduced all the same', () => {
    const { events, fail, hub } = hubOf();
    let retry = fail(detailed, REFUSED as Failure);
    expect([hub.isRegionDoubtful, retry?.refused, events()]).toEqual([true, undefined, []]);
    retry = fail(detailed, REFUSED as Failure, retry);
    expect(retry?.refused).toBeUndefined();
    retry = fail(detailed, REFUSED as Failure, retry);
    expect(retry?.refused).toEqual({ status: 'IN_PROGRESS', percent: 5, detail: 'file 7' });
    expect(events()).toEqual([['report.reduced', 'copy/1']]);
  });

  test('in a confirmed region is of the details; without details it is quarantined for five minutes', () => {
    const { events, fail, hub } = hubOf();
    hub.regionAnswered('eu-central-1', START);
    expect(fail({ ...NOTIFY, detail: 'x' }, REFUSED as Failure)?.refused).toEqual({
      status: 'IN_PROGRESS',
      detail: 'x',
    });
    expect(fail({ ...NOTIFY, percent: 0 }, REFUSED as Failure)?.refused).toEqual({
      status: 'IN_PROGRESS',
      percent: 0,
    });
    events();
    expect(fail(NOTIFY, REFUSED as Failure)).toMatchObject({
      ...{ isQuarantined: true, retryAtMs: START.bootMs + 5 * MINUTE_MS },
    });
    expect(events()).toEqual([['report.refused', 'copy/1']]);
    expect(fail(IMPORT, REFUSED as Failure)?.isQuarantined).toBe(true);
  });

  test('of a final report waits for the region, however often it is tried', () => {
    const { fail, task } = hubOf({ finalReports: [final(100)] });
    let retry: HubRetry | undefined;
    for (let i = 0; i < 9; i++) retry = fail(NOTIFY, REFUSED as Failure, retry);
    expect([retry?.attempts, task.finalReports.length]).toEqual([9, 1]);
  });

  test('of a final report after an outage asks for the region, which may have moved since the last answer', () => {
    const { fail, hub, task } = hubOf({ finalReports: [final(100)] });
    const outage = fail(NOTIFY, UNAVAILABLE as Failure);
    hub.regionAnswered('eu-central-1', after(START, 1_000));
    const later = (ms: number) => after(START, ms);
    const refused = fail(NOTIFY, REFUSED as Failure, outage, later(2_000));
    expect([hub.isRegionDoubtful, task.finalReports.length]).toEqual([true, 1]);
    hub.regionAnswered('eu-central-1', later(3_000));
    // Another outage: the answer before it says nothing of the region after it.
    const again = fail(NOTIFY, UNAVAILABLE as Failure, refused, later(4_000));
    const second = fail(NOTIFY, REFUSED as Failure, again, later(5_000));
    expect([hub.isRegionDoubtful, task.finalReports.length]).toEqual([true, 1]);
    hub.regionAnswered('eu-central-1', later(6_000));
    expect(fail(NOTIFY, REFUSED as Failure, second, later(7_000))).toBeUndefined();
    expect(task.quarantine).toHaveLength(1);
  });

  test('of a final report puts it aside, and the next one is free to go', () => {
    const { events, fail, hub, state, task } = hubOf({ finalReports: [final(100), final(101)] });
    hub.regionAnswered('eu-central-1', START);
    events();
    expect(fail(NOTIFY, REFUSED as Failure)).toBeUndefined();
    expect(task.finalReports).toEqual([final(101)]);
    expect(task.quarantine).toEqual([
      { run: 'copy/1', report: final(100), reason: 'ValidationException', at: START },
    ]);
    expect(state.runs.get('copy/1')?.hub?.delivery).toEqual({
      state: 'refused',
      reason: 'ValidationException',
    });
    expect(events()).toEqual([['report.refused', 'copy/1']]);
  });

  test('of an opening leaves the delivery of the run open', () => {
    const { fail, hub, state } = hubOf({ finalReports: [final(100, 'opening'), final(101)] });
    hub.regionAnswered('eu-central-1', START);
    fail(NOTIFY, REFUSED as Failure);
    expect(state.runs.get('copy/1')?.hub?.delivery).toEqual({ state: 'pending' });
  });

  test('of a heartbeat that a final report has overtaken does not blame the final report', () => {
    const { fail, hub, task } = hubOf({ finalReports: [final(200)] });
    hub.regionAnswered('eu-central-1', START);
    expect(fail(NOTIFY, REFUSED as Failure)?.isQuarantined).toBe(true);
    expect([task.finalReports.length, task.quarantine]).toEqual([1, undefined]);
  });
});

test('the payload of a call is what it says of the task', () => {
  expect(payloadOf(NOTIFY)).toEqual({ status: 'IN_PROGRESS' });
  expect(payloadOf({ ...NOTIFY, percent: 0, detail: 'x' })).toEqual({
    status: 'IN_PROGRESS',
    percent: 0,
    detail: 'x',
  });
});
