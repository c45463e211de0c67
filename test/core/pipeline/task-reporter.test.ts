/** The reports of a pipeline task: when, what they say, what a refusal does to them (P2). */
import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS, after } from '../../../src/core/lib/time.ts';
import type { Call, Outcome } from '../../../src/core/model/call.ts';
import type { Run } from '../../../src/core/model/job.ts';
import type { PipelineSettings, Settings } from '../../../src/core/model/settings.ts';
import { shorten } from '../../../src/core/pipeline/task-reporter.ts';
import {
  Desk,
  PROCESS,
  REFUSED,
  START,
  UNAVAILABLE,
  accepted,
  failing,
} from '../../support/desk.ts';
import { pipelineTaskKey } from '../../../src/core/scheduling/reporter-keys.ts';
import { polledTask } from '../../support/polled-task.ts';
import { PIPELINE, definition, rates } from '../../support/settings.ts';

const REPORT = 'ReportTaskProgress';
const STATUS = 'SetTaskStatus';

function running(
  over: Partial<PipelineSettings> = {},
  more: Partial<Settings> = {},
): { desk: Desk; run: Run } {
  const activities = [{ match: { name: 'copy' }, job: 'copy' }];
  const { migrationHub, ...unreported } = definition('copy');
  expect(migrationHub).toBeDefined();
  const desk = new Desk({
    jobs: [unreported],
    settings: { dataPipeline: { ...PIPELINE, activities, ...over }, ...more },
  });
  const task = { ...polledTask('copy'), taskId: 'task-1' };
  desk.settle('PollForTask', { kind: 'accepted', answer: { task } });
  const run = desk.runOf('copy');
  desk.post({ type: 'run-started', run: run.id, process: PROCESS });
  return { desk, run };
}

const reports = (desk: Desk) => desk.callsOf(REPORT);

describe('a report', () => {
  test('says how far the run is', () => {
    const { desk, run } = running();
    expect(reports(desk)).toEqual([{ operation: REPORT, taskId: 'task-1' }]);
    desk.post({ type: 'progress-read', run: run.id, percent: 7, detail: 'file 7' });
    desk.pass(MINUTE_MS);
    expect(reports(desk).at(-1)).toMatchObject({ taskId: 'task-1', percent: 7, detail: 'file 7' });
  });

  test('comes at a quarter of the interval while the budget has plenty, else at the interval', () => {
    const plenty = running().desk;
    plenty.pass(10 * MINUTE_MS);
    expect(reports(plenty)).toHaveLength(41);
    const scarce = rates({ [REPORT]: { perSecond: 0.1, burst: 10 } });
    const short = running({}, { rates: scarce }).desk;
    short.pass(10 * MINUTE_MS);
    expect(reports(short)).toHaveLength(11);
  });

  test('after a failure comes again soon, and at the interval until the rate is whole again', () => {
    const { desk } = running();
    desk.answers = failing(REPORT, UNAVAILABLE);
    desk.pass(2 * MINUTE_MS);
    const failed = reports(desk).length - 1;
    expect(failed).toBeGreaterThan(4);
    desk.answers = accepted;
    desk.pass(MINUTE_MS);
    expect(reports(desk).length).toBeGreaterThan(failed + 2);
    const throttled = running().desk;
    throttled.answers = failing(REPORT, { kind: 'throttled', reason: 'x' });
    throttled.pass(20_000);
    throttled.answers = accepted;
    throttled.pass(MINUTE_MS);
    const before = reports(throttled).length;
    throttled.pass(10 * MINUTE_MS);
    expect(reports(throttled).length - before).toBeLessThanOrEqual(11);
  });

  test('that could not be delivered keeps its fields', () => {
    const { desk, run } = running();
    desk.post({ type: 'progress-read', run: run.id, percent: 7 });
    desk.answers = failing(REPORT, UNAVAILABLE);
    desk.pass(MINUTE_MS);
    expect(reports(desk).at(-1)).toMatchObject({ percent: 7 });
    expect(desk.eventNames()).not.toContain('report.reduced');
  });

  test('of a task that waits for its acknowledgement is repeated, ever less often, within two minutes', () => {
    const activities = [{ match: { name: 'copy' }, job: 'copy' }];
    const desk = new Desk({
      jobs: [definition('copy')],
      settings: { dataPipeline: { ...PIPELINE, activities } },
      answers: failing(REPORT, UNAVAILABLE),
      random: () => 1,
    });
    const receivedAtMs = desk.now.bootMs;
    const task = { ...polledTask('copy'), taskId: 'task-1' };
    desk.settle('PollForTask', { kind: 'accepted', answer: { task } });
    const times: number[] = [];
    while (desk.now.bootMs < receivedAtMs + 2 * MINUTE_MS) {
      const before = reports(desk).length;
      desk.pass(500);
      if (reports(desk).length > before) times.push(desk.now.bootMs - receivedAtMs);
    }
    const gaps = times.slice(1).map((at, i) => at - times[i]!);
    expect(Math.max(...gaps)).toBeGreaterThan(10_000);
    expect(times.length).toBeGreaterThan(6);
    expect(times.at(-1)).toBeGreaterThan(MINUTE_MS);
  });

  test('is not made of a task that the configuration refuses: it has ended before it was acknowledged', () => {
    const desk = new Desk({
      settings: { dataPipeline: PIPELINE },
      answers: failing(STATUS, UNAVAILABLE),
    });
    const task = { ...polledTask('copy'), taskId: 'task-1' };
    desk.settle('PollForTask', { kind: 'accepted', answer: { task } });
    desk.pass(10 * MINUTE_MS);
    expect(desk.callsOf(STATUS).length).toBeGreaterThan(2);
    expect(reports(desk)).toEqual([]);
  });

  test('that is refused with its fields goes without them', () => {
    const { desk, run } = running();
    desk.post({ type: 'progress-read', run: run.id, percent: 7 });
    desk.answers = (call: Call) =>
      call.operation === REPORT && call.percent !== undefined ? REFUSED : accepted(call);
    desk.pass(5 * MINUTE_MS);
    expect(reports(desk).filter(({ percent }) => percent !== undefined)).toHaveLength(1);
    expect(desk.eventNames().filter((name) => name === 'report.reduced')).toHaveLength(1);
    expect(run.state).toBe('running');
  });
});

describe('what keeps a task from being reported', () => {
  const blocked = (desk: Desk, run: Run) =>
    desk.planner.view().reporters.get(keyOf(run))?.blockedBy?.();
  const keyOf = (run: Run): string => pipelineTaskKey(run.id);

  test('is of a live run the failure of its report, and nothing once one was accepted', () => {
    const { desk, run } = running();
    expect(blocked(desk, run)).toBeUndefined();
    desk.answers = failing(REPORT, { kind: 'unavailable', reason: 'the first' });
    desk.pass(MINUTE_MS);
    desk.answers = failing(REPORT, { kind: 'unavailable', reason: 'the last' });
    desk.pass(MINUTE_MS);
    expect(blocked(desk, run)).toMatchObject({ reason: 'the last' });
    desk.answers = accepted;
    desk.pass(MINUTE_MS);
    expect(blocked(desk, run)).toBeUndefined();
  });

  test('is of an ended run the failure of its final status, whatever its reports do', () => {
    const { desk, run } = running();
    desk.answers = (call) =>
      call.operation === REPORT || call.operation === STATUS
        ? { kind: 'unavailable', reason: call.operation }
        : accepted(call);
    desk.pass(MINUTE_MS);
    desk.exit(run);
    expect(blocked(desk, run)).toMatchObject({ reason: STATUS, attempts: 1 });
    expect(desk.planner.view().state.outboxRuns).toContain(run);
  });
});

test('a report that fails is repeated ever less often, but after a quarter of what is left of the window at the latest', () => {
  const windowMs = 5 * MINUTE_MS;
  const { desk, run } = running({ windowMs });
  desk.answers = failing(REPORT, UNAVAILABLE);
  const beganMs = desk.now.bootMs;
  const times: number[] = [];
  while (run.state === 'running') {
    const before = reports(desk).length;
    desk.pass(100);
    if (reports(desk).length > before) times.push(desk.now.bootMs - beganMs);
  }
  // The first failure counts as one that came before its time.
  const gaps = times
    .slice(2)
    .map((at, i) => ({ gapMs: at - times[i + 1]!, fromMs: times[i + 1]! }));
  expect(Math.max(...gaps.map(({ gapMs }) => gapMs))).toBeGreaterThan(10_000);
  for (const { gapMs, fromMs } of gaps) expect(gapMs).toBeLessThanOrEqual((windowMs - fromMs) / 4);
  expect(gaps.at(-1)!.gapMs).toBeLessThan(10_000);
});

describe('by itself', () => {
  const OK: Outcome = { kind: 'accepted', answer: {} };
  const CALL: Call = { operation: REPORT, taskId: 'task-1' };

  /** Nothing is answered, so that the test settles each call itself. */
  function alone() {
    const { desk, run } = running();
    const reporter = desk.planner.view().reporters.get(pipelineTaskKey(run.id))!;
    const settle = (outcome: Outcome, call = CALL, atMs = 0) => {
      const before = desk.events.length;
      const now = after(desk.now, atMs);
      const fact = reporter.settled(call, outcome, now, after(now, -500));
      desk.post({ type: 'time-passed' });
      return {
        fact,
        events: desk.events.slice(before).map(({ event, fields }) => [event, fields]),
      };
    };
    return { desk, reporter, run, settle };
  }

  test('an accepted report acknowledges the task, confirms it, or is written down', () => {
    const { run, settle } = alone();
    const pipeline = run.pipeline!;
    delete pipeline.acknowledgedAt;
    expect(settle(OK).fact).toEqual({ type: 'task-acknowledged', run });
    run.percent = 7;
    const fields = { taskId: 'task-1', percent: 7, windowS: 900 };
    expect(settle(OK)).toEqual({ fact: undefined, events: [['report.accepted', fields]] });
    pipeline.unconfirmedSince = START;
    expect(settle(OK)).toEqual({
      fact: { type: 'task-confirmed', run },
      events: [['report.accepted', fields]],
    });
    expect(pipeline.unconfirmedSince).toBeUndefined();
  });

  test('its window counts from when the report was sent, its acknowledgement from the answer', () => {
    const { desk, run, settle } = alone();
    delete run.pipeline!.acknowledgedAt;
    settle(OK, CALL, 2_000);
    expect(run.pipeline?.acceptedAt).toEqual(after(desk.now, 1_500));
    expect(run.pipeline?.acknowledgedAt).toEqual(after(desk.now, 2_000));
  });

  test('an answer that cancels, or says that the task is gone, says why', () => {
    const { run, settle } = alone();
    const canceled: Outcome = { kind: 'accepted', answer: { canceled: true } };
    const reason = 'ReportTaskProgress answered canceled';
    expect(settle(canceled).fact).toEqual({ type: 'task-canceled', run, reason });
    const gone: Outcome = { kind: 'gone', reason: 'PipelineDeletedException' };
    const fact = { type: 'task-gone', run, reason: 'PipelineDeletedException' };
    expect(settle(gone).fact).toEqual(fact);
    expect(settle(gone, { ...CALL, taskId: 'task-0' }).fact).toBeUndefined();
  });

  test('what is refused is written down with its reason, once for each way in which it is reduced', () => {
    const { desk, reporter, run, settle } = alone();
    const refused: Outcome = { kind: 'refused', reason: 'too long' };
    expect(settle(refused).events).toEqual([['report.reduced', { reason: 'too long' }]]);
    expect(settle(refused).events).toEqual([]);
    expect(reporter.blockedBy?.()).toMatchObject({ attempts: 2, reason: 'too long' });
    desk.answers = () => undefined;
    desk.exit(run);
    const status: Call = { operation: STATUS, taskId: 'task-1', status: 'FINISHED' };
    expect(settle(refused, status).events).toEqual([['report.reduced', { reason: 'too long' }]]);
    expect(settle(refused, status).events).toEqual([['report.refused', { reason: 'too long' }]]);
    expect(settle(refused, status).events).toEqual([]);
    expect(reporter.blockedBy?.()).toMatchObject({ attempts: 3, reason: 'too long' });
  });

  test('a report is urgent half an interval after its time, and late at the end of the documents’ five minutes', () => {
    const { reporter, run, desk } = alone();
    const acceptedMs = run.pipeline!.acceptedAt!.bootMs;
    expect(reporter.next(desk.now)).toEqual({
      operation: REPORT,
      readyAtMs: acceptedMs + 15_000,
      deadline: { urgentAtMs: acceptedMs + 90_000, byMs: acceptedMs + 5 * MINUTE_MS },
    });
    run.pipeline!.unconfirmedSince = START;
    expect(reporter.next(desk.now)?.readyAtMs).toBe(acceptedMs);
    delete run.pipeline!.acknowledgedAt;
    const receivedMs = run.pipeline!.task.receivedAt.bootMs;
    const first = { operation: REPORT, readyAtMs: 0, sinceMs: receivedMs };
    expect(reporter.next(desk.now)).toEqual(first);
  });

  test('a final status is ready at once, in the order of the ends, and only of an end that is confirmed', () => {
    const { desk, reporter, run } = alone();
    desk.answers = () => undefined;
    desk.pass(5_000);
    desk.exit(run);
    const endedMs = run.endedAt!.bootMs;
    const status = { operation: STATUS, readyAtMs: 0, sinceMs: endedMs, isDurable: true };
    expect(reporter.next(desk.now)).toEqual(status);
    run.pipeline!.unconfirmedSince = START;
    expect(reporter.next(desk.now)?.operation).toBe(REPORT);
    run.pipeline!.delivery = { state: 'delivered', at: desk.now };
    expect(reporter.next(desk.now)).toBeUndefined();
    expect(reporter.call(desk.now)).toBeUndefined();
  });
});

describe('an answer that comes too late', () => {
  test.each<[string, Outcome]>([
    ['accepted', { kind: 'accepted', answer: {} }],
    ['refused', REFUSED],
  ])('to a final status that was dropped meanwhile changes nothing: %s', (_kind, outcome) => {
    const { desk, run } = running();
    desk.answers = (call) => (call.operation === STATUS ? undefined : accepted(call));
    desk.exit(run);
    desk.post({ type: 'outbox-requested', action: 'drop', choice: { job: 'copy' }, by: 'anna' });
    const dropped = { state: 'withheld', reason: 'dropped from the outbox by anna' };
    const events = desk.eventNames().filter((name) => name.startsWith('report.'));
    desk.settle(STATUS, outcome);
    expect(run.pipeline?.delivery).toEqual(dropped);
    const more = desk.eventNames().filter((name) => name.startsWith('report.'));
    expect(more.slice(events.length)).toEqual(outcome.kind === 'accepted' ? [] : ['report.failed']);
  });
});

describe('the final status', () => {
  test('is set at once, and nothing follows', () => {
    const { desk, run } = running();
    desk.pass(5_000);
    desk.exit(run);
    expect(desk.callsOf(STATUS)).toEqual([
      { operation: STATUS, taskId: 'task-1', status: 'FINISHED' },
    ]);
    expect(run.pipeline?.delivery).toEqual({ state: 'delivered', at: desk.now });
    const event = desk.events.find(({ event: name }) => name === 'report.delivered');
    expect(event?.fields).toEqual({
      to: 'dataPipeline',
      taskId: 'task-1',
      status: 'FINISHED',
      afterS: 0,
    });
    const count = reports(desk).length;
    desk.pass(HOUR_MS);
    expect(reports(desk)).toHaveLength(count);
  });

  test('that fails is tried again; reports go on meanwhile, so that no other host repeats the work', () => {
    const { desk, run } = running();
    desk.answers = failing(STATUS, UNAVAILABLE);
    desk.exit(run, 3);
    const count = reports(desk).length;
    desk.pass(10 * MINUTE_MS);
    expect(desk.callsOf(STATUS).length).toBeGreaterThan(10);
    expect(reports(desk).length).toBeGreaterThan(count + 5);
    desk.answers = accepted;
    desk.pass(MINUTE_MS);
    expect(run.pipeline?.delivery.state).toBe('delivered');
    const event = desk.events.find(({ event: name }) => name === 'report.delivered');
    const endedAtMs = run.endedAt!.bootMs;
    const at = run.pipeline?.delivery.state === 'delivered' ? run.pipeline.delivery.at : START;
    expect(event?.fields).toMatchObject({ afterS: Math.round((at.bootMs - endedAtMs) / 1000) });
    expect(at.bootMs - endedAtMs).toBeGreaterThanOrEqual(10 * MINUTE_MS);
  });

  test('that is refused goes without its texts, then stays in the outbox and is tried every quarter of an hour', () => {
    const { desk, run } = running();
    desk.answers = failing(STATUS, REFUSED);
    desk.exit(run, 3);
    desk.pass(10 * MINUTE_MS);
    const [first, second, ...others] = desk.callsOf(STATUS);
    expect(first).toMatchObject({
      status: 'FAILED',
      errorId: 'JobFailed',
      errorMessage: 'failed: exit code 3',
    });
    expect(second).toEqual({ operation: STATUS, taskId: 'task-1', status: 'FAILED' });
    expect(others).toEqual([]);
    expect(run.pipeline?.delivery).toEqual({
      state: 'refused',
      reason: 'ValidationException',
      isRetained: true,
    });
    desk.pass(21 * MINUTE_MS);
    expect(desk.callsOf(STATUS)).toHaveLength(4);
    expect(desk.eventNames().filter((name) => name === 'report.refused')).toHaveLength(1);
    desk.answers = accepted;
    desk.post({ type: 'outbox-requested', action: 'retry', choice: {}, by: 'anna' });
    expect(desk.callsOf(STATUS).at(-1)).toMatchObject({ errorId: 'JobFailed' });
    expect(run.pipeline?.delivery.state).toBe('delivered');
  });

  test('waits while the end is not on disk', () => {
    const { desk, run } = running();
    desk.isDiskFull = true;
    desk.exit(run);
    desk.pass(2 * MINUTE_MS);
    expect(desk.callsOf(STATUS)).toEqual([]);
    expect(reports(desk).length).toBeGreaterThan(2);
    desk.isDiskFull = false;
    desk.pass(2_000);
    expect(desk.callsOf(STATUS)).toHaveLength(1);
  });
});

test.each<[string, Outcome, string]>([
  ['a task that AWS canceled', { kind: 'accepted', answer: { canceled: true } }, 'service'],
  ['a task that is gone', { kind: 'gone', reason: 'TaskNotFoundException' }, 'gone'],
])('%s ends its run, and nothing more is reported of it', (_what, outcome, cause) => {
  const { desk, run } = running();
  desk.answers = failing(REPORT, outcome);
  desk.pass(MINUTE_MS);
  expect([run.ending?.cause, run.pipeline?.delivery.state]).toEqual([cause, 'withheld']);
  const count = desk.calls.length;
  desk.pass(10 * MINUTE_MS);
  expect(desk.calls.slice(count).filter((call) => 'taskId' in call)).toEqual([]);
});

test('a final status that is on disk is sent although the disk takes nothing more', () => {
  const { desk, run } = running();
  desk.answers = failing(STATUS, UNAVAILABLE);
  desk.exit(run);
  const count = desk.callsOf(STATUS).length;
  expect(count).toBe(1);
  desk.isDiskFull = true;
  desk.pass(MINUTE_MS);
  expect(desk.callsOf(STATUS).length).toBeGreaterThan(count);
});

test('an answer about an earlier task of the run says nothing', () => {
  const { desk, run } = running();
  desk.answers = (call) => (call.operation === REPORT ? undefined : accepted(call));
  desk.pass(MINUTE_MS);
  const task = { ...polledTask('copy'), taskId: 'task-2' };
  desk.settle('PollForTask', { kind: 'accepted', answer: { task } });
  const gone: Outcome = { kind: 'gone', reason: 'TaskNotFoundException' };
  desk.settle(REPORT, gone);
  expect(run).toMatchObject({ state: 'running', pipeline: { delivery: { state: 'pending' } } });
});

test('a task that AWS has to confirm first is reported at once, and its confirmation is an event of its own', () => {
  const { desk, run } = running();
  desk.pass(5_000);
  const count = reports(desk).length;
  run.pipeline!.unconfirmedSince = desk.now;
  desk.state.saveRun(run);
  desk.planner.view().reporters.touchAll();
  desk.post({ type: 'time-passed' });
  expect(reports(desk)).toHaveLength(count + 1);
  expect(run.pipeline?.unconfirmedSince).toBeUndefined();
  desk.pass(5_000);
  expect(reports(desk)).toHaveLength(count + 1);
});

test('before a planned stop each task is reported once more', () => {
  const { desk } = running();
  desk.pass(5_000);
  const count = reports(desk).length;
  desk.post({ type: 'stop-requested' });
  expect(reports(desk)).toHaveLength(count + 1);
});

test('a long task id is shortened for the log', () => {
  expect([shorten('a'.repeat(24)), shorten('a'.repeat(25))]).toEqual([
    ...['a'.repeat(24), `${'a'.repeat(24)}…`],
  ]);
});
