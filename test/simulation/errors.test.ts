/**
 * The table of errors (what each answer of the services means), in virtual time: what is reported in the end, what is never
 * lost, and how often the services are called meanwhile.
 */
import { describe, expect, test } from 'vitest';
import type { Call, NotifyCall, Outcome, PolledTask } from '../../src/core/model/call.ts';
import type { JobDefinition } from '../../src/core/model/job.ts';
import { snapshot } from '../../src/core/operator/status-document.ts';
import type { HubDestination } from '../../src/core/model/status.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import { HUB, HUB_JOB, PIPELINE, definition, settings } from '../support/settings.ts';
import { World } from '../support/world.ts';
import type { WorldOptions } from '../support/world.ts';

function world(over: Partial<WorldOptions> = {}, job: Partial<JobDefinition> = {}): World {
  const copy = definition('copy', job);
  const made = new World({
    seed: 1,
    failing: 0,
    jobs: { durationMs: () => 10 * HOUR_MS, exitCode: () => 0, progressEveryMs: MINUTE_MS },
    settings: settings({
      jobs: new Map([['copy', copy]]),
      dataPipeline: { ...PIPELINE, activities: [{ match: { name: 'copy' }, job: 'copy' }] },
    }),
    ...over,
  });
  made.calls = [];
  return made;
}

function task(): PolledTask {
  const attemptId = '@copy_1_Attempt=1';
  const fields = [
    { key: '@componentParent', refValue: 'copy' },
    { key: '@instanceParent', refValue: '@copy_1' },
  ];
  return {
    taskId: '',
    pipelineId: 'df-1',
    attemptId,
    objects: [{ id: attemptId, name: attemptId, fields }],
  };
}

function start(made: World): void {
  made.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
}

function accepted<Operation extends Call['operation']>(
  made: World,
  operation: Operation,
  fromMs = 0,
): Extract<Call, { operation: Operation }>[] {
  return (made.calls ?? []).flatMap(({ call, atMs }) =>
    call.operation === operation && atMs >= fromMs
      ? [call as Extract<Call, { operation: Operation }>]
      : [],
  );
}

function problems(made: World): readonly string[] {
  const facts = {
    version: '0',
    pid: 1,
    startedAt: made.time.now(),
    problems: [],
  };
  return snapshot(made.planner.view(), facts, made.time.now()).agent.problems;
}

function hubOf(made: World, job: string): HubDestination | undefined {
  const facts = { version: '0', pid: 1, startedAt: made.time.now(), problems: [] };
  const { jobs } = snapshot(made.planner.view(), facts, made.time.now());
  return jobs.find(({ name }) => name === job)?.destinations.migrationHub;
}

function events(made: World): string[] {
  return made.notes.map((note) => note.event);
}

const SHORT = { durationMs: () => 10 * MINUTE_MS, exitCode: () => 3, progressEveryMs: MINUTE_MS };
const refused = (reason = 'InvalidInputException'): Outcome => ({ kind: 'refused', reason });

describe('home region', () => {
  test('none is set: nothing is written to the Hub, status shows it, the pipeline is served; later everything is reported', () => {
    const made = world();
    made.service.setHomeRegion(undefined);
    made.service.offer(task());
    made.runUntil(HOUR_MS);
    expect(accepted(made, 'ImportMigrationTask')).toHaveLength(0);
    expect(accepted(made, 'ReportTaskProgress').length).toBeGreaterThan(55);
    expect(accepted(made, 'GetHomeRegion').length).toBeLessThan(40);
    expect(problems(made).join()).toContain('no home region');
    expect(events(made).filter((event) => event === 'hub.no_home_region')).toHaveLength(1);
    made.service.setHomeRegion('us-west-2');
    made.runUntil(HOUR_MS + 3 * MINUTE_MS);
    expect(made.service.lastNotify('copy')).toMatchObject({
      region: 'us-west-2',
      status: 'IN_PROGRESS',
    });
    expect(problems(made)).toEqual([]);
  });

  test('it cannot be read: each job shows why it is not reported', () => {
    const made = world({ isOut: (call) => call.operation === 'GetHomeRegion' });
    start(made);
    made.runUntil(10 * MINUTE_MS);
    expect(hubOf(made, 'copy')).toMatchObject({ delivery: 'pending', reason: 'simulated' });
  });

  test('it is removed during a job and set elsewhere: the job is reported there within minutes', () => {
    const made = world();
    start(made);
    made.runUntil(20 * MINUTE_MS);
    made.service.setHomeRegion(undefined);
    made.runUntil(HOUR_MS);
    expect(accepted(made, 'NotifyMigrationTaskState', 30 * MINUTE_MS).length).toBeLessThan(3);
    expect(problems(made).join()).toContain('no home region');
    made.service.setHomeRegion('ap-southeast-2');
    made.runUntil(HOUR_MS + 3 * MINUTE_MS);
    expect(made.service.lastNotify('copy')?.region).toBe('ap-southeast-2');
    expect(problems(made)).toEqual([]);
  });

  test('it has moved: it is asked for once, then every report goes to the new region', () => {
    const made = world();
    start(made);
    made.runUntil(20 * MINUTE_MS);
    made.service.setHomeRegion('us-west-2');
    made.runUntil(30 * MINUTE_MS);
    expect(accepted(made, 'GetHomeRegion', MINUTE_MS)).toHaveLength(1);
    const last = made.service.lastNotify('copy');
    expect(last).toMatchObject({ region: 'us-west-2', status: 'IN_PROGRESS', percent: 4 });
    expect(events(made)).not.toContain('report.refused');
    const missed = made.notes.filter((note) => JSON.stringify(note).includes('"missing"'));
    expect(missed).toEqual([]);
    expect(made.service.close().staleMs).toBe(0);
  });

  test('it has moved and cannot be read: no final report is given up for that', () => {
    const made = world({
      jobs: SHORT,
      isOut: (call, ms) => call.operation === 'GetHomeRegion' && ms > MINUTE_MS && ms < 2 * HOUR_MS,
    });
    start(made);
    made.runUntil(9 * MINUTE_MS);
    made.service.setHomeRegion('us-west-2');
    made.runUntil(2 * HOUR_MS);
    expect(made.state.runs.get('copy/1')?.hub?.delivery.state).toBe('pending');
    made.runUntil(2 * HOUR_MS + 5 * MINUTE_MS);
    expect(made.service.lastNotify('copy')).toMatchObject({
      region: 'us-west-2',
      status: 'FAILED',
      detail: 'failed: exit code 3',
    });
  });
});

describe('deleted meanwhile', () => {
  test('the stream: it and the task are made again once, and the report follows', () => {
    const made = world();
    start(made);
    made.runUntil(20 * MINUTE_MS);
    made.service.deleteStream();
    made.runUntil(30 * MINUTE_MS);
    expect(accepted(made, 'CreateProgressUpdateStream')).toHaveLength(2);
    expect(accepted(made, 'ImportMigrationTask')).toHaveLength(3);
    expect(made.service.lastNotify('copy')?.status).toBe('IN_PROGRESS');
    expect(made.service.close().staleMs).toBe(0);
  });

  test('one task: it alone is made again', () => {
    const made = world();
    start(made);
    made.runUntil(20 * MINUTE_MS);
    made.service.deleteTask('copy');
    made.runUntil(30 * MINUTE_MS);
    expect(accepted(made, 'CreateProgressUpdateStream')).toHaveLength(1);
    expect(accepted(made, 'ImportMigrationTask')).toHaveLength(2);
    expect(made.service.lastNotify('copy')?.status).toBe('IN_PROGRESS');
  });

  test('a task that stays missing after each import causes no loop', () => {
    const made = world({
      outcome: (call) =>
        call.operation === 'NotifyMigrationTaskState'
          ? { kind: 'missing', reason: 'ResourceNotFoundException' }
          : undefined,
    });
    start(made);
    made.runUntil(2 * HOUR_MS);
    expect(accepted(made, 'NotifyMigrationTaskState').length).toBeLessThan(30);
    expect(accepted(made, 'ImportMigrationTask').length).toBeLessThan(30);
  });

  test('a stream that stays missing after each creation causes no loop, however many jobs need it', () => {
    const jobs = Array.from({ length: 20 }, (_, i) => definition(`job-${i}`));
    const made = world({
      settings: settings({ jobs: new Map(jobs.map((job) => [job.name, job])) }),
      outcome: (call) =>
        call.operation === 'ImportMigrationTask'
          ? { kind: 'missing', reason: 'ResourceNotFoundException' }
          : undefined,
    });
    for (const { name } of jobs) {
      made.post({ type: 'start-requested', job: name, origin: 'operator' });
    }
    made.runUntil(2 * HOUR_MS);
    expect(accepted(made, 'CreateProgressUpdateStream').length).toBeLessThan(26);
    expect(accepted(made, 'ImportMigrationTask').length).toBeLessThan(20 * 30);
  });
});

describe('a policy is missing', () => {
  test('only that feature rests; other links and reports go on; later it is tried again', () => {
    const made = world(
      {
        outcome: (call, ms) =>
          call.operation === 'AssociateDiscoveredResource' && ms < 90 * MINUTE_MS
            ? { kind: 'disabled', reason: 'PolicyErrorException' }
            : undefined,
      },
      {
        migrationHub: {
          ...HUB_JOB,
          discoveredResource: 'd-server-1',
          application: 'd-application-1',
        },
      },
    );
    start(made);
    made.runUntil(HOUR_MS);
    expect(accepted(made, 'AssociateDiscoveredResource')).toHaveLength(1);
    expect(accepted(made, 'NotifyApplicationState')).toHaveLength(1);
    expect(accepted(made, 'NotifyMigrationTaskState').length).toBeGreaterThan(10);
    expect(problems(made).join()).toContain('AssociateDiscoveredResource is not called');
    made.runUntil(4 * HOUR_MS);
    expect(accepted(made, 'AssociateDiscoveredResource')).toHaveLength(3);
    expect(made.state.hubTasks.get('copy')?.links).toEqual([]);
    expect(problems(made)).toEqual([]);
  });
});

describe('denied', () => {
  test('credentials expire for a day: few calls, nothing is dropped, and all is reported within minutes afterwards', () => {
    const made = world({
      jobs: SHORT,
      outcome: (_call, ms) =>
        ms > MINUTE_MS && ms < DAY_MS
          ? { kind: 'denied', reason: 'ExpiredTokenException' }
          : undefined,
    });
    start(made);
    made.runUntil(DAY_MS);
    expect(accepted(made, 'NotifyMigrationTaskState').length).toBeLessThan(700);
    expect(problems(made).join()).toContain('ExpiredTokenException');
    made.runUntil(DAY_MS + 6 * MINUTE_MS);
    expect(made.service.lastNotify('copy')?.status).toBe('FAILED');
  });

  test('when one operation has its credentials back, the others look at once', () => {
    const made = world({
      outcome: (_call, ms) =>
        ms > 20 * MINUTE_MS && ms < 30 * MINUTE_MS
          ? { kind: 'denied', reason: 'ExpiredTokenException' }
          : undefined,
    });
    made.service.offer(task());
    made.runUntil(HOUR_MS);
    const back = (made.calls ?? []).filter(({ atMs }) => atMs > 30 * MINUTE_MS);
    const firstOf = (operation: Call['operation']): number =>
      back.find(({ call }) => call.operation === operation)?.atMs ?? Infinity;
    const first = firstOf('NotifyMigrationTaskState');
    expect(Math.abs(first - firstOf('ReportTaskProgress'))).toBeLessThan(5 * SECOND_MS);
    expect(made.running()).toBe(1);
  });
});

describe('a payload is refused', () => {
  const detailIsRefused = (call: Call): Outcome | undefined =>
    'detail' in call && call.detail.includes('poison') ? refused() : undefined;

  test('a final report: sent once more with the status only, which is delivered', () => {
    const made = world({ jobs: SHORT, outcome: detailIsRefused });
    start(made);
    made.runUntil(5 * MINUTE_MS);
    made.post({ type: 'run-exited', run: 'copy/1', exitCode: 3, errorTail: 'poison' });
    made.runUntil(10 * MINUTE_MS);
    const last = made.service.lastNotify('copy');
    expect(last?.status).toBe('FAILED');
    expect(last?.detail).toBeUndefined();
    expect(events(made).filter((event) => event === 'report.reduced')).toHaveLength(1);
    expect(made.state.runs.get('copy/1')?.hub?.delivery.state).toBe('delivered');
  });

  test('the detail of a running job: sent once, then the status only while it is unchanged', () => {
    const made = world({
      jobs: { ...SHORT, durationMs: () => 10 * HOUR_MS, progressEveryMs: DAY_MS },
      outcome: detailIsRefused,
    });
    start(made);
    made.runUntil(5 * MINUTE_MS);
    made.post({ type: 'progress-read', run: 'copy/1', percent: 7, detail: 'poison' });
    made.runUntil(HOUR_MS);
    const poisoned = accepted(made, 'NotifyMigrationTaskState').filter((call) => call.detail);
    // Once more when the region is known to be the right one.
    expect(poisoned).toHaveLength(2);
    expect(accepted(made, 'NotifyMigrationTaskState').length).toBeLessThan(40);
    expect(made.service.close().staleMs).toBe(0);
    made.post({ type: 'progress-read', run: 'copy/1', percent: 8, detail: 'wholesome' });
    made.runUntil(HOUR_MS + 10 * MINUTE_MS);
    expect(made.service.lastNotify('copy')).toMatchObject({ percent: 8, detail: 'wholesome' });
  });

  test('a final report that is refused again is quarantined with the reason, and blocks nothing', () => {
    const made = world({
      jobs: SHORT,
      outcome: (call) =>
        call.operation === 'NotifyMigrationTaskState' && call.status === 'FAILED'
          ? refused()
          : undefined,
    });
    start(made);
    made.runUntil(15 * MINUTE_MS);
    const ended = accepted(made, 'NotifyMigrationTaskState').filter(
      (call) => call.status === 'FAILED',
    );
    expect(ended.map((call: NotifyCall) => 'detail' in call)).toEqual([true, true, false]);
    expect(made.state.runs.get('copy/1')?.hub?.delivery).toEqual({
      state: 'refused',
      reason: 'InvalidInputException',
    });
    const kept = made.state.hubTasks.get('copy');
    expect(kept?.finalReports).toEqual([]);
    expect(kept?.quarantine?.[0]?.report?.payload.detail).toBe('failed: exit code 3');
    start(made);
    made.runUntil(18 * MINUTE_MS);
    expect(made.service.lastNotify('copy')?.status).toBe('IN_PROGRESS');
  });

  test('progress of a pipeline task: sent without its fields, and the agent keeps the task', () => {
    const made = world({
      outcome: (call) =>
        call.operation === 'ReportTaskProgress' && call.percent !== undefined
          ? refused('InvalidRequestException')
          : undefined,
    });
    made.service.offer(task());
    made.runUntil(2 * HOUR_MS);
    expect(made.running()).toBe(1);
    expect(made.service.close()).toMatchObject({ lapses: 0 });
    expect(accepted(made, 'ReportTaskProgress').filter((call) => 'percent' in call)).toHaveLength(
      1,
    );
  });

  test('the final report to a pipeline: status only; refused again it is retried rarely, and other reports go on', () => {
    const until = 2 * HOUR_MS;
    const made = world({
      jobs: SHORT,
      outcome: (call, ms) =>
        call.operation === 'SetTaskStatus' && ms < until
          ? refused('InvalidRequestException')
          : undefined,
    });
    made.service.offer(task());
    made.runUntil(until);
    const message = accepted(made, 'SetTaskStatus');
    expect(message.slice(0, 2).map((word) => word.errorMessage)).toEqual([
      'failed: exit code 3',
      undefined,
    ]);
    expect(message.length).toBeLessThan(12);
    expect(made.state.runs.get('copy/1')?.pipeline?.delivery).toMatchObject({ state: 'refused' });
    // Nobody else was given the work meanwhile.
    expect(made.service.close()).toMatchObject({ lapses: 0 });
    made.runUntil(until + 16 * MINUTE_MS);
    expect(made.service.taskState('@copy_1_Attempt=1')).toBe('FAILED');
    expect(made.state.runs.get('copy/1')?.pipeline?.delivery.state).toBe('delivered');
  });

  test('with a configured region the home region is not asked for', () => {
    const made = world({
      jobs: SHORT,
      settings: settings({
        migrationHub: { ...HUB, region: 'eu-central-1' },
        jobs: new Map([['copy', definition('copy')]]),
      }),
      outcome: (call) =>
        call.operation === 'NotifyMigrationTaskState' && call.status === 'FAILED'
          ? refused()
          : undefined,
    });
    start(made);
    made.runUntil(20 * MINUTE_MS);
    expect(accepted(made, 'GetHomeRegion')).toHaveLength(0);
    expect(made.state.hubTasks.get('copy')?.quarantine).toHaveLength(1);
  });
});
