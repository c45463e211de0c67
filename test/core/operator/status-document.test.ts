/** The document behind `status`: every field by its rule, and nothing that is unknown (P11). */
import { describe, expect, test } from 'vitest';
import { MINUTE_MS, after, iso } from '../../../src/core/lib/time.ts';
import type { PipelineTask, Run } from '../../../src/core/model/job.ts';
import {
  agentStatus,
  budgets,
  jobNames,
  jobStatusOf,
  nearestDeadlineMs,
  reasonOf,
  snapshot,
} from '../../../src/core/operator/status-document.ts';
import { EMPTY_CALENDAR } from '../../../src/core/runs/schedules.ts';
import { Desk, START, UNAVAILABLE, aRun, failing } from '../../support/desk.ts';
import type { DeskOptions } from '../../support/desk.ts';
import { PIPELINE, definition } from '../../support/settings.ts';

const AGENT = { version: '1.2.3', pid: 42, startedAt: after(START, -1_000), problems: [] };
const TASK: PipelineTask = {
  ...{ taskId: 't1', pipelineId: 'df-1', attemptId: '@a_Attempt=1', instance: 'df-1/@a' },
  ...{ workerGroup: 'files', windowMs: 15 * MINUTE_MS, receivedAt: START },
};

const deskOf = (options: DeskOptions = {}) => new Desk({ jobs: [definition('copy')], ...options });
const statusOf = (desk: Desk, name = 'copy') => jobStatusOf(desk.planner.view(), name, desk.now);
/** The status of a run that is as the test says. */
function statusOfRun(over: Partial<Run>) {
  const desk = deskOf();
  Object.assign(desk.start('copy'), over);
  return statusOf(desk);
}

describe('the agent', () => {
  test('that has nothing to do', () => {
    const desk = deskOf();
    desk.pass(1_000);
    expect(agentStatus(desk.planner.view(), AGENT, desk.now)).toEqual({
      ...{ version: '1.2.3', pid: 42, host: 'test-host', state: 'running' },
      ...{ startedAt: iso(START.wallMs - 1_000), now: iso(desk.now.wallMs) },
      ...{ clockOffsetSeconds: 0, homeRegion: 'eu-central-1', waitingForBudget: 0, outbox: 0 },
      ...{ health: 'healthy', problems: [] },
    });
  });

  test('with a clock that is behind that of the services says by how many seconds', () => {
    const desk = deskOf();
    const view = desk.planner.view();
    const clock = Object.create(view.clock, { offsetMs: { value: 2_500 } }) as typeof view.clock;
    expect(agentStatus({ ...view, clock }, AGENT, desk.now).clockOffsetSeconds).toBe(2.5);
  });

  test('with a report that is pending, a promise, and what only the adapters know', () => {
    const desk = deskOf({ jobs: [definition('copy'), definition('other')] });
    desk.start('other');
    const run = desk.start('copy');
    desk.answers = failing('NotifyMigrationTaskState', UNAVAILABLE);
    desk.exit(run);
    desk.pass(8_600);
    const agent = {
      ...{ ...AGENT, problems: ['the disk is full'], credentialsExpireAtMs: START.wallMs + 5_000 },
      fleet: { shared: true } as never,
    };
    expect(agentStatus(desk.planner.view(), agent, desk.now)).toMatchObject({
      ...{ outbox: 1, outboxAgeSeconds: 9, nearestDeadlineSeconds: 291 },
      ...{ credentialsExpireAt: iso(START.wallMs + 5_000), fleet: { shared: true } },
      health: 'degraded',
    });
    expect(agentStatus(desk.planner.view(), agent, desk.now).problems[0]).toBe('the disk is full');
  });

  test('that drains says so', () => {
    const desk = deskOf();
    desk.post({ type: 'drain-requested' });
    expect(agentStatus(desk.planner.view(), AGENT, desk.now).state).toBe('draining');
  });
});

describe('the nearest deadline', () => {
  test('is of the run whose promise or window ends first; without one there is none', () => {
    const desk = deskOf({ jobs: [definition('a'), definition('b')] });
    expect(nearestDeadlineMs(desk.planner.view())).toBeUndefined();
    desk.start('a');
    desk.pass(5_000);
    const b = desk.start('b');
    expect(nearestDeadlineMs(desk.planner.view())).toBe(START.bootMs + 300_000);
    b.pipeline = { task: { ...TASK, windowMs: 60_000 }, delivery: { state: 'pending' } };
    expect(nearestDeadlineMs(desk.planner.view())).toBe(START.bootMs + 300_000);
    b.pipeline = { ...b.pipeline, acceptedAt: after(START, 1_000) };
    desk.state.saveRun(b);
    expect(nearestDeadlineMs(desk.planner.view())).toBe(START.bootMs + 61_000);
  });

  test('is not that of an earlier run of the task', () => {
    const desk = deskOf();
    desk.start('copy');
    const { promise } = desk.task('copy');
    Object.assign(desk.task('copy'), { promise: { ...promise, run: 'copy/0' } });
    expect(nearestDeadlineMs(desk.planner.view())).toBeUndefined();
  });
});

describe('the jobs', () => {
  test('are those of the configuration, then those that are known by their runs, each once', () => {
    const desk = deskOf();
    desk.start('copy');
    desk.post({
      type: 'track-requested',
      definitions: [definition('db', { tracked: { by: 'report' } })],
    });
    expect(jobNames(desk.planner.view())).toEqual(['copy', 'db']);
    const all = snapshot(desk.planner.view(), AGENT, desk.now);
    expect([all.schema, all.jobs.map(({ name }) => name)]).toEqual([1, ['copy', 'db']]);
    expect(all.agent.pid).toBe(42);
    expect(all.budgets.map(({ operation }) => operation)).toContain('NotifyMigrationTaskState');
    expect(statusOf(desk, 'none')).toBeUndefined();
    expect(statusOf(desk, 'db')?.state).toBe('running');
  });

  test('that never ran are idle, and show when they start next', () => {
    expect(statusOf(deskOf())).toEqual({ name: 'copy', state: 'idle', destinations: {} });
    const job = definition('copy', { schedule: { cron: '0 2 * * *', missedStart: 'skip' } });
    const calendar = { ...EMPTY_CALENDAR, nextStartMs: () => START.wallMs + 60_000 };
    const desk = deskOf({ jobs: [job], calendar });
    expect(statusOf(desk)).toMatchObject({
      state: 'idle',
      nextStartAt: iso(START.wallMs + 60_000),
    });
    desk.start('copy');
    expect(statusOf(desk)).toMatchObject({
      state: 'running',
      nextStartAt: iso(START.wallMs + 60_000),
    });
  });

  test('show the run that is under way before those that wait, and else the last one', () => {
    const desk = deskOf();
    const first = desk.start('copy');
    desk.post({ type: 'start-requested', job: 'copy', origin: 'pipeline' as never });
    const second = aRun({ number: 2, state: 'queued' });
    desk.planner.view().runs.add(second);
    expect(statusOf(desk)?.run).toBe(1);
    desk.exit(first);
    second.state = 'queued';
    expect(statusOf(desk)?.run).toBe(2);
  });
});

describe('a run', () => {
  test('has what is known of it', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.pass(20_000);
    desk.post({ type: 'progress-read', run: run.id, percent: 50, detail: 'file 7' });
    expect(statusOf(desk)).toEqual({
      ...{ name: 'copy', run: 1, state: 'running', origin: 'operator', pid: 100 },
      ...{ elapsedSeconds: 20, etaSeconds: 20, percent: 50, detail: 'file 7' },
      startedAt: iso(START.wallMs),
      destinations: {
        migrationHub: {
          ...{ task: 'copy', delivery: 'pending', lastStatus: 'IN_PROGRESS' },
          ...{ lastAcceptedAt: iso(desk.now.wallMs), nextUpdateSeconds: 300 },
          ...{ deadlineAt: iso(desk.now.wallMs + 300_000), slackSeconds: 300 },
        },
      },
    });
  });

  test('that has ended has no deadline', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.pass(5_000);
    desk.exit(run, 3);
    const status = statusOf(desk);
    expect(status).toMatchObject({
      state: 'failed',
      exitCode: 3,
      endedAt: iso(run.endedAt?.wallMs ?? 0),
    });
    expect(status?.destinations.migrationHub).toEqual({
      ...{ task: 'copy', delivery: 'delivered', lastStatus: 'FAILED' },
      ...{ lastAcceptedAt: iso(desk.now.wallMs), nextUpdateSeconds: 365 * 86_400 },
    });
  });

  test('that a signal has ended shows the signal', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.post({ type: 'run-exited', run: run.id, exitCode: 137, signal: 'SIGKILL' });
    expect(statusOf(desk)).toMatchObject({ state: 'failed', exitSignal: 'SIGKILL' });
  });

  test('shows the unit or the file that is watched', () => {
    const tracked = { by: 'unit', unit: 'dms.service' } as never;
    expect(statusOfRun({ definition: definition('copy', { tracked }) })).toMatchObject({
      unit: 'dms.service',
    });
    const file = { by: 'status-file', path: '/run/s' } as never;
    expect(statusOfRun({ definition: definition('copy', { tracked: file }) })).toMatchObject({
      statusFile: '/run/s',
    });
    expect(statusOfRun({})).not.toHaveProperty('unit');
    expect(statusOfRun({})).not.toHaveProperty('statusFile');
  });

  test('is called incompletely canceled only when it has ended', () => {
    const survivors = [{ pid: 7, command: 'dd' }] as never;
    expect(statusOfRun({ survivors, state: 'canceled' })).toMatchObject({
      cancelIncomplete: true,
      survivors,
    });
    expect(statusOfRun({ survivors, state: 'canceling' })).not.toHaveProperty('cancelIncomplete');
    expect(statusOfRun({ state: 'canceled' })).not.toHaveProperty('cancelIncomplete');
  });

  test('has the reason of its end: what stopped it, and what is not known of that', () => {
    const ending = { cause: 'operator', detail: 'by root', since: START, graceMs: 1 } as const;
    expect(reasonOf(aRun({ reason: 'exit code 3' }))).toBe('exit code 3');
    expect(reasonOf(aRun({ ending }))).toBe('canceled by the operator: by root');
    expect(reasonOf(aRun({ ending, survivorsDoubt: 'ps failed' }))).toBe(
      'canceled by the operator: by root',
    );
    expect(reasonOf(aRun({ ending, survivorsDoubt: 'ps failed', state: 'canceled' }))).toBe(
      'canceled by the operator: by root; ps failed',
    );
    expect(reasonOf(aRun({ copiedHost: true, reason: 'x' }))).toMatch(/host/);
  });
});

describe('a destination shows why nothing arrives', () => {
  test('Migration Hub: the report itself, else the step before it, else that it has no region', () => {
    const reason = (operation: Parameters<typeof failing>[0]) => {
      const desk = deskOf({
        answers: failing(operation, { ...UNAVAILABLE, reason: operation } as never),
      });
      desk.start('copy');
      return statusOf(desk)?.destinations.migrationHub;
    };
    for (const step of [
      'GetHomeRegion',
      'CreateProgressUpdateStream',
      'ImportMigrationTask',
      'NotifyMigrationTaskState',
    ] as const) {
      expect(reason(step)).toEqual({ task: 'copy', delivery: 'pending', reason: step });
    }
    const desk = deskOf({
      answers: failing('GetHomeRegion', { kind: 'no-home-region', reason: 'none is set' }),
    });
    desk.start('copy');
    expect(statusOf(desk)?.destinations.migrationHub?.reason).toMatch(
      /has no home region \(none is set\)/,
    );
  });

  test('a reason of the delivery itself comes first, and what was delivered has none', () => {
    const hub = (delivery: NonNullable<Run['hub']>['delivery']) =>
      statusOfRun({ hub: { task: 'copy', delivery } })?.destinations.migrationHub?.reason;
    expect(hub({ state: 'refused', reason: 'bad' })).toBe('bad');
    expect(hub({ state: 'delivered', at: START })).toBeUndefined();
    const desk = deskOf({ answers: failing('NotifyMigrationTaskState', UNAVAILABLE) });
    desk.start('copy').hub = { task: 'copy', delivery: { state: 'delivered', at: START } };
    const { pacing } = desk.planner.view();
    expect(pacing.failureOf('NotifyMigrationTaskState')).toBeDefined();
    expect(statusOf(desk)?.destinations.migrationHub).not.toHaveProperty('reason');
  });

  test('Data Pipeline: the task, and its window once it was accepted', () => {
    const pipeline = (over: Partial<NonNullable<Run['pipeline']>>) =>
      statusOfRun({ pipeline: { task: TASK, delivery: { state: 'pending' }, ...over } })
        ?.destinations.dataPipeline;
    const task = {
      ...{ taskId: 't1', pipelineId: 'df-1', attemptId: '@a_Attempt=1', workerGroup: 'files' },
    };
    expect(pipeline({})).toEqual({ ...task, delivery: 'pending' });
    const acceptedAt = after(START, 400);
    expect(pipeline({ acceptedAt })).toEqual({
      ...{ ...task, delivery: 'pending', lastAcceptedAt: iso(acceptedAt.wallMs) },
      ...{ deadlineAt: iso(acceptedAt.wallMs + 15 * MINUTE_MS), slackSeconds: 900 },
    });
    const withheld = { state: 'withheld', reason: 'canceled' } as const;
    expect(pipeline({ acceptedAt, delivery: withheld })).toEqual({
      ...{
        ...task,
        delivery: 'withheld',
        reason: 'canceled',
        lastAcceptedAt: iso(acceptedAt.wallMs),
      },
    });
  });
});

describe('a budget', () => {
  const of = (desk: Desk, level?: number) =>
    budgets(
      desk.planner.view(),
      level === undefined ? {} : { gateLevels: new Map([['GetHomeRegion', level]]) },
      desk.now,
    ).find(({ operation }) => operation === 'GetHomeRegion');

  test('shows the limit, what is left of it in whole calls, and how the calls went', () => {
    const desk = deskOf();
    const counts = {
      operation: 'GetHomeRegion',
      perSecond: 1,
      burst: 10,
      accepted: 1,
      throttled: 0,
      failed: 0,
    };
    expect(of(desk)).toEqual(counts);
    expect(of(desk, 3.9)).toEqual({ ...counts, available: 3 });
    expect(of(desk, -0.5)?.available).toBe(0);
  });

  test('that is paused shows until when and why, and no longer afterwards', () => {
    const desk = deskOf({ answers: failing('GetHomeRegion', UNAVAILABLE), random: () => 1 });
    expect(of(desk)).toMatchObject({
      ...{ failed: 1, pausedUntil: iso(START.wallMs + 500), pausedBecause: 'ECONNREFUSED' },
    });
    const { pacing } = desk.planner.view();
    pacing.of('GetHomeRegion').pausedUntilMs = START.bootMs;
    expect(of(desk)).not.toHaveProperty('pausedUntil');
    expect(of(desk)).not.toHaveProperty('pausedBecause');
    // The gap of a lowered rate is no pause.
    pacing.of('GetHomeRegion').pausedUntilMs = START.bootMs + 400;
    delete pacing.of('GetHomeRegion').because;
    expect(of(desk)).not.toHaveProperty('pausedUntil');
  });
});

test('the runner is shown with its id', () => {
  const desk = deskOf({ settings: { dataPipeline: PIPELINE } });
  expect(agentStatus(desk.planner.view(), AGENT, desk.now).taskRunnerId).toBe('runner-1');
});
