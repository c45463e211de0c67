/** Each problem in its own words, with the numbers and the remedy, and nothing while there is none (P11). */
import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS, after } from '../../../src/core/lib/time.ts';
import type { Operation } from '../../../src/core/model/call.ts';
import type { Delivery, PipelineTask, Run } from '../../../src/core/model/job.ts';
import { problems } from '../../../src/core/operator/health.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Desk, REFUSED, START, aRun, aTask, accepted, failing } from '../../support/desk.ts';
import type { DeskOptions } from '../../support/desk.ts';
import { HUB, PIPELINE, definition, rates } from '../../support/settings.ts';

const found = (desk: Desk): string[] => problems(desk.planner.view(), desk.now);
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `job${i}`);
const deskOf = (options: DeskOptions = {}) => new Desk({ answers: () => undefined, ...options });

describe('operations that fail', () => {
  const withReason = (reason: string, ...operations: Operation[]): string[] => {
    const desk = deskOf({ settings: { dataPipeline: PIPELINE } });
    for (const operation of operations) {
      const health = desk.planner.view().pacing.of(operation);
      Object.assign(health, { problems: 1, lastFailure: 'denied', because: reason });
    }
    return found(desk);
  };

  test('for one reason are one problem, whose remedy is one statement of a policy', () => {
    expect(
      withReason('AccessDenied: no', 'PollForTask', 'ImportMigrationTask', 'SetTaskStatus'),
    ).toEqual([
      'PollForTask, ImportMigrationTask, SetTaskStatus fail: AccessDenied: no; add to the IAM policy of the agent\'s identity: {"Effect":"Allow","Action":["datapipeline:PollForTask","mgh:ImportMigrationTask","datapipeline:SetTaskStatus"],"Resource":"*"}',
    ]);
    expect(withReason('NotAuthorized', 'PollForTask')).toEqual([
      'PollForTask fails: NotAuthorized; add to the IAM policy of the agent\'s identity: {"Effect":"Allow","Action":"datapipeline:PollForTask","Resource":"*"}',
    ]);
  });

  test('for several reasons are several', () => {
    const desk = deskOf({ settings: { dataPipeline: PIPELINE } });
    const { pacing } = desk.planner.view();
    Object.assign(pacing.of('PollForTask'), {
      problems: 3,
      lastFailure: 'unavailable',
      because: 'a',
    });
    Object.assign(pacing.of('SetTaskStatus'), {
      problems: 3,
      lastFailure: 'unavailable',
      because: 'b',
    });
    Object.assign(pacing.of('GetHomeRegion'), {
      problems: 2,
      lastFailure: 'unavailable',
      because: 'c',
    });
    Object.assign(pacing.of('ImportMigrationTask'), { problems: 3, lastFailure: 'throttled' });
    expect(found(desk)).toEqual([
      'PollForTask fails: a',
      'SetTaskStatus fails: b',
      'ImportMigrationTask fails: for an unknown reason',
    ]);
  });

  test('because of credentials that have ended send the operator to the doctor', () => {
    expect(withReason('ExpiredTokenException: it is over', 'PollForTask')).toEqual([
      'PollForTask fails: ExpiredTokenException: it is over; check the credentials and the clock of this host with migration-agent doctor',
    ]);
  });
});

describe('a missing stream', () => {
  const missingStream = (createStream: boolean): string[] => {
    const desk = new Desk({
      ...{ jobs: [definition('copy')], settings: { migrationHub: { ...HUB, createStream } } },
      answers: (call) =>
        call.operation === 'ImportMigrationTask'
          ? { kind: 'missing', reason: 'no such stream' }
          : accepted(call),
    });
    desk.start('copy');
    const first = found(desk);
    desk.pass(MINUTE_MS);
    expect(first).toEqual(createStream ? [] : found(desk));
    return found(desk);
  };

  test.each([true, false])('createStream: %s', (createStream) => {
    expect(missingStream(createStream)).toEqual([
      'ImportMigrationTask fails: no such stream; create the stream test-stream in eu-central-1, or set migrationHub.createStream: true',
    ]);
  });
});

describe('reports that were refused for good', () => {
  const refused = { run: 'copy/1', reason: 'bad', at: START } as const;
  const TASK: PipelineTask = {
    ...{ taskId: 't1', pipelineId: 'df-1', attemptId: 'a', instance: 'df-1/@a' },
    ...{ workerGroup: 'files', windowMs: 15 * MINUTE_MS, receivedAt: START },
  };
  const pipelineRun = (number: number, delivery: Delivery): Run =>
    aRun({ number, state: 'failed', endedAt: START, pipeline: { task: TASK, delivery } });
  const with_ = (fill: (state: PersistentState) => void): string[] => {
    const state = new PersistentState();
    fill(state);
    return found(deskOf({ state, settings: { dataPipeline: PIPELINE } }));
  };

  test('are counted, of both destinations', () => {
    expect(
      with_((state) => {
        state.recoverHubTask(aTask({ quarantine: [refused] }));
        state.recoverHubTask(aTask({ name: 'other' }));
      }),
    ).toEqual([
      '1 report was refused for good: migration-agent outbox shows why, outbox retry or drop',
    ]);
    expect(
      with_((state) => {
        state.recoverHubTask(aTask({ quarantine: [refused, refused] }));
        state.recoverHubTask(aTask({ name: 'other', quarantine: [refused] }));
        const isRetained = true;
        state.recoverRun(pipelineRun(1, { state: 'refused', reason: 'bad', isRetained }));
      }),
    ).toEqual([
      '4 reports were refused for good: migration-agent outbox shows why, outbox retry or drop',
    ]);
  });

  test('of a pipeline task count only if they are kept', () => {
    expect(
      with_((state) => {
        state.recoverRun(pipelineRun(1, { state: 'refused', reason: 'bad' }));
        state.recoverRun(pipelineRun(2, { state: 'delivered', at: START }));
        state.recoverRun(pipelineRun(4, { state: 'pending' }));
        state.recoverRun(aRun({ number: 3, state: 'failed', endedAt: START }));
      }),
    ).toEqual([]);
  });
});

describe('jobs that the budget has no promise for', () => {
  test.each([
    [1, 1, '1 job is not'],
    [3, 2, '3 jobs are not'],
  ])('%i: %s', (waiting, promised, text) => {
    const { migrationHub } = { migrationHub: { ...HUB, nextUpdateMaxMs: MINUTE_MS } };
    const perSecond = 0.01;
    const jobs = names(30).map((name) => definition(name));
    const desk = deskOf({
      ...{ jobs, answers: accepted },
      settings: {
        migrationHub,
        rates: rates({ NotifyMigrationTaskState: { perSecond, burst: 1 } }),
      },
    });
    expect(found(desk)).toEqual([]);
    const { promises } = desk.planner.view();
    for (const { name } of jobs) {
      if (promises.waiting === waiting) break;
      desk.start(name);
    }
    expect(promised).toBeGreaterThan(0);
    expect(found(desk)).toEqual([
      `${text} reported to Migration Hub, the budget keeps ${promises.promised} promises: raise migrationHub.rate or nextUpdateMax`,
    ]);
  });
});

describe('reports that are late', () => {
  /** Jobs whose promise or window ended so long ago. */
  const late = (...byMs: number[]): string[] => {
    const desk = deskOf({ jobs: byMs.map((_, i) => definition(`job${i}`)), answers: accepted });
    for (const [i] of byMs.entries()) desk.start(`job${i}`);
    for (const [i, ms] of byMs.entries()) {
      const task = desk.task(`job${i}`);
      Object.assign(task, { promise: { ...task.promise, until: after(desk.now, -ms) } });
    }
    return found(desk);
  };

  test('are named, with how late they are', () => {
    expect(late(0)).toEqual([]);
    expect(late(1)).toEqual([
      'reports are late in Migration Hub, which shows them as stale: job0 by 1 s',
    ]);
    expect(late(1000, 1001, 61_000)).toEqual([
      'reports are late in Migration Hub, which shows them as stale: job0 by 1 s, job1 by 2 s, job2 by 61 s',
    ]);
    expect(late(1000, 1000, 1000, 1000)[0]).toMatch(/job2 by 1 s and 1 more$/);
  });

  test('of an earlier run are no concern', () => {
    const desk = deskOf({ jobs: [definition('copy')], answers: accepted });
    desk.start('copy');
    const task = desk.task('copy');
    Object.assign(task, {
      promise: { ...task.promise, run: 'copy/0', until: after(desk.now, -1000) },
    });
    expect(found(desk)).toEqual([]);
  });

  test('of a pipeline task count from its last accepted report, while they are pending', () => {
    const past = (over: Partial<NonNullable<Run['pipeline']>>): string[] => {
      const desk = deskOf({ jobs: [definition('copy')], answers: accepted });
      const run = desk.start('copy');
      run.pipeline = {
        task: {
          ...{ taskId: 't1', pipelineId: 'df-1', attemptId: 'a', instance: 'df-1/@a' },
          ...{ workerGroup: 'files', windowMs: 60_000, receivedAt: START },
        },
        ...{ delivery: { state: 'pending' }, acceptedAt: after(desk.now, -63_000), ...over },
      };
      desk.state.saveRun(run);
      return found(desk);
    };
    expect(past({})).toEqual([
      'reports are past the window of their pipeline tasks, which another host may run: copy by 3 s',
    ]);
    expect(past({ acceptedAt: after(START, -60_000) })).toEqual([]);
    expect(past({ acceptedAt: after(START, -60_001) })).toHaveLength(1);
    expect(past({ delivery: { state: 'withheld', reason: 'canceled' } })).toEqual([]);
    expect(past({ acceptedAt: undefined as never })).toEqual([]);
  });
});

test('a policy that is missing is named until it is tried again', () => {
  const state = new PersistentState();
  state.metadata = { streams: ['eu-central-1/test-stream'], homeRegion: 'eu-central-1' };
  state.recoverHubTask(
    aTask({ links: [{ operation: 'AssociateDiscoveredResource', configurationId: 'd-1' }] }),
  );
  const disabled = { kind: 'disabled', reason: 'no role' } as const;
  const desk = new Desk({ state, answers: failing('AssociateDiscoveredResource', disabled) });
  expect(found(desk)).toEqual([
    'AssociateDiscoveredResource is not called, a policy is missing: no role; grant it, then migration-agent outbox retry',
  ]);
  expect(problems(desk.planner.view(), after(desk.now, HOUR_MS - 1))).toHaveLength(1);
  expect(problems(desk.planner.view(), after(desk.now, HOUR_MS))).toEqual([]);
});

test('runs of another host are counted', () => {
  const desk = deskOf();
  desk.state.copiedHostRuns.set('copy/1', aRun({ copiedHost: true }));
  expect(found(desk)).toEqual([
    'this state was copied from another host, 1 of its runs are withheld: if it was moved here, migration-agent claim; else see "A copied host" in the operator\'s guide',
  ]);
});

test('what an operator has to fix comes before what passes', () => {
  const desk = new Desk({ jobs: [definition('copy')], answers: accepted });
  desk.start('copy');
  const task = desk.task('copy');
  Object.assign(task, { promise: { ...task.promise, until: after(desk.now, -1000) } });
  task.quarantine = [{ run: 'copy/0', reason: REFUSED.kind, at: START }];
  desk.state.saveHubTask(task);
  const { pacing } = desk.planner.view();
  Object.assign(pacing.of('PollForTask'), { problems: 1, lastFailure: 'denied', because: 'a' });
  desk.state.copiedHostRuns.set('copy/0', aRun({ number: 0, copiedHost: true }));
  expect(found(desk).map((text) => text.split(' ').slice(0, 3).join(' '))).toEqual([
    ...['PollForTask fails: a;', 'this state was', 'reports are late', '1 report was'],
  ]);
});
