/**
 * One scenario for each promise of the planner (src/README.md lists them), in virtual time. The model of the services
 * (test/support/service-model.ts) checks what it receives, and knows nothing of the planner.
 */
import { describe, expect, test } from 'vitest';
import { steadyPerSecond } from '../../src/core/scheduling/token-bucket.ts';
import type { Call, NotifyCall, PolledTask } from '../../src/core/model/call.ts';
import { promisesMax } from '../../src/core/scheduling/deadlines.ts';
import type { HubTask } from '../../src/core/model/hub-task.ts';
import type { JobDefinition, Run } from '../../src/core/model/job.ts';
import { PersistentState, hasRows } from '../../src/core/state/persistent-state.ts';
import type { PipelineSettings } from '../../src/core/model/settings.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import { HUB, PIPELINE, definition, rates, settings } from '../support/settings.ts';
import { World } from '../support/world.ts';
import type { WorldOptions } from '../support/world.ts';

function world(jobs: readonly JobDefinition[], over: Partial<WorldOptions> = {}): World {
  const made = new World({
    seed: 1,
    failing: 0,
    jobs: { durationMs: () => 10 * HOUR_MS, exitCode: () => 0, progressEveryMs: 10 * SECOND_MS },
    settings: settings({
      jobs: new Map(jobs.map((job) => [job.name, job])),
      dataPipeline: {
        ...PIPELINE,
        activities: jobs.map((job) => ({ match: { name: job.name }, job: job.name })),
      },
    }),
    ...over,
  });
  made.calls = [];
  return made;
}

function task(job: string, attempt = 1): PolledTask {
  const attemptId = `@${job}_1_Attempt=${attempt}`;
  const fields = [
    { key: '@componentParent', refValue: job },
    { key: '@instanceParent', refValue: `@${job}_1` },
  ];
  return {
    taskId: '',
    pipelineId: 'df-1',
    attemptId,
    objects: [{ id: attemptId, name: attemptId, fields }],
  };
}

function start(made: World, job: string): void {
  made.post({ type: 'start-requested', job, origin: 'operator' });
}

function operationsOf(made: World): string[] {
  return (made.calls ?? []).map(({ call }) => call.operation);
}

function timesOf(made: World, operation: Call['operation']): number[] {
  return (made.calls ?? [])
    .filter(({ call }) => call.operation === operation)
    .map(({ atMs }) => atMs);
}

/** Reports to the Hub, each with the true time of its arrival. */
function notifies(made: World): { readonly call: NotifyCall; readonly trueMs: number }[] {
  const shiftMs = made.time.trueMs() - made.time.now().bootMs;
  return (made.calls ?? []).flatMap(({ call, atMs }) =>
    call.operation === 'NotifyMigrationTaskState' ? [{ call, trueMs: atMs + shiftMs }] : [],
  );
}

function largestGapMs(times: readonly number[]): number {
  return Math.max(...times.slice(1).map((at, i) => at - times[i]!));
}

/** A world with other settings of the pipeline side; each job is an activity of its own name. */
function pipelineWorld(
  jobs: readonly JobDefinition[],
  pipeline: Partial<PipelineSettings>,
  over: Partial<WorldOptions> = {},
  limits: Parameters<typeof rates>[0] = {},
): World {
  return world(jobs, {
    settings: settings({
      jobs: new Map(jobs.map((job) => [job.name, job])),
      rates: rates(limits),
      dataPipeline: {
        ...PIPELINE,
        activities: jobs.map((job) => ({ match: { name: job.name }, job: job.name })),
        ...pipeline,
      },
    }),
    ...over,
  });
}

/** A disk that holds exactly what was committed: what `crash` leaves is all that the next agent has. */
function withDisk(made: World): { crash(meanwhile?: () => void): void } {
  const runs = new Map<string, Run>();
  const hubTasks = new Map<string, HubTask>();
  let facts = structuredClone(made.state.metadata);
  const tap = (): void => {
    const { planner } = made;
    const takeChanges = planner.takeChanges.bind(planner);
    planner.takeChanges = (now) => {
      const changes = takeChanges(now);
      for (const run of changes.runs) runs.set(run.id, structuredClone(run));
      for (const id of changes.droppedRuns) runs.delete(id);
      for (const task of changes.hubTasks) hubTasks.set(task.name, structuredClone(task));
      for (const name of changes.droppedHubTasks) hubTasks.delete(name);
      if (changes.metadata !== undefined) facts = structuredClone(changes.metadata);
      return changes;
    };
  };
  tap();
  return {
    crash(meanwhile = () => undefined) {
      made.state = new PersistentState();
      for (const run of runs.values()) made.state.recoverRun(run);
      for (const task of hubTasks.values()) made.state.recoverHubTask(task);
      made.state.metadata = facts;
      meanwhile();
      made.crash();
      tap();
    },
  };
}

/** A job that only the pipeline hears of: no report to the Hub puts its run onto the disk by the way. */
function withoutHub(name: string): JobDefinition {
  const { migrationHub, ...rest } = definition(name);
  expect(migrationHub).toBeDefined();
  return rest;
}

const SILENT = {
  durationMs: () => 10 * HOUR_MS,
  exitCode: () => 0,
  progressEveryMs: 100 * HOUR_MS,
};

describe('P1 never stale', () => {
  test('an outage of half a promise breaks none', () => {
    const made = world([definition('copy')], {
      isOut: (_call, ms) => ms > 10 * MINUTE_MS && ms < 12 * MINUTE_MS,
    });
    start(made, 'copy');
    made.runUntil(HOUR_MS);
    expect(made.service.close()).toMatchObject({ staleMs: 0, findings: [] });
  });

  test('a host clock that is an hour wrong, and stepped in the middle, makes no task stale', () => {
    const made = world([definition('copy')]);
    made.time.stepWall(-HOUR_MS);
    start(made, 'copy');
    made.runUntil(30 * MINUTE_MS);
    made.time.stepWall(2 * HOUR_MS);
    made.runUntil(HOUR_MS);
    made.time.stepWall(-HOUR_MS);
    made.runUntil(2 * HOUR_MS);
    // Until the first answer the offset is not known; the first report comes after it.
    expect(made.service.close()).toMatchObject({ staleMs: 0, stampsNotRising: 0, findings: [] });
  });

  test('2,000 tasks on one call a second: the promise is stretched, and each is kept', () => {
    const jobs = Array.from({ length: 2000 }, (_, i) => definition(`job-${i}`));
    const made = world(jobs, { jobs: { ...SILENT, progressEveryMs: 10 * MINUTE_MS } });
    made.calls = undefined;
    for (const job of jobs) start(made, job.name);
    made.runUntil(3 * HOUR_MS);
    expect(made.service.close()).toMatchObject({ staleMs: 0, overLimit: 0, findings: [] });
    expect(made.service.lastNotify('job-7')?.nextUpdateS).toBe(HUB.nextUpdateMaxMs / SECOND_MS);
  });

  test('more tasks than the budget can serve: promises are kept, waiting jobs are shown and get their turn', () => {
    const jobs = Array.from({ length: 400 }, (_, i) => definition(`job-${i}`));
    const made = world(jobs, {
      jobs: { durationMs: () => 5 * HOUR_MS, exitCode: () => 0, progressEveryMs: HOUR_MS },
      settings: settings({
        jobs: new Map(jobs.map((job) => [job.name, job])),
        rates: rates({ NotifyMigrationTaskState: { perSecond: 0.1, burst: 2 } }),
      }),
    });
    made.calls = undefined;
    for (const job of jobs) start(made, job.name);
    made.runUntil(4 * HOUR_MS);
    const stretched = made.notes.filter((note) => note.event === 'promise.stretched');
    expect(stretched.length).toBeGreaterThan(0);
    made.runUntil(8 * HOUR_MS);
    expect(made.service.close()).toMatchObject({ staleMs: 0, overLimit: 0, afterFinal: 0 });
    const reports = jobs.filter((job) => made.service.lastNotify(job.name)?.status === 'COMPLETED');
    expect(reports).toHaveLength(400);
  });

  test('without load the promise is the configured one, and a report comes at half of it', () => {
    const made = world([definition('copy')], {
      jobs: { durationMs: () => 10 * HOUR_MS, exitCode: () => 0, progressEveryMs: 100 * HOUR_MS },
    });
    start(made, 'copy');
    made.runUntil(HOUR_MS);
    expect(made.service.lastNotify('copy')?.nextUpdateS).toBe(300);
    const times = timesOf(made, 'NotifyMigrationTaskState').slice(2);
    const gaps = times.slice(1).map((at, i) => at - times[i]!);
    expect(gaps.length).toBeGreaterThan(20);
    // By its lot up to a tenth earlier, always the same.
    expect(Math.max(...gaps)).toBeLessThan(151 * SECOND_MS);
    expect(Math.min(...gaps)).toBeGreaterThan(134 * SECOND_MS);
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThan(2 * SECOND_MS);
  });

  test('a host clock that was wrong from the start, and is stepped under a silent job, is corrected', () => {
    const made = world([definition('copy')], { jobs: SILENT });
    made.time.stepWall(-HOUR_MS);
    // An agent that begins now has never seen another clock: it can only learn from the service.
    made.crash();
    start(made, 'copy');
    for (const [i, stepMs] of [2 * HOUR_MS, -HOUR_MS, -HOUR_MS, HOUR_MS].entries()) {
      made.runUntil((i + 1) * 20 * MINUTE_MS);
      made.time.stepWall(stepMs);
    }
    made.runUntil(2 * HOUR_MS);
    const reports = notifies(made);
    expect(reports.length).toBeGreaterThan(40);
    for (const { call, trueMs } of reports) {
      expect(Math.abs(call.stampS * SECOND_MS - trueMs)).toBeLessThan(3 * SECOND_MS);
    }
    expect(made.service.close()).toMatchObject({ staleMs: 0, stampsNotRising: 0 });
  });

  test('when a promise ends is known on a host whose clock is wrong', () => {
    const made = world([definition('copy')], { jobs: SILENT });
    made.time.stepWall(-HOUR_MS);
    made.crash();
    start(made, 'copy');
    made.runUntil(HOUR_MS);
    const promise = made.state.hubTasks.get('copy')?.promise;
    const endsInMs = (promise?.until.bootMs ?? 0) - (promise?.madeAt.bootMs ?? 0);
    expect(Math.abs(endsInMs - 5 * MINUTE_MS)).toBeLessThan(3 * SECOND_MS);
    expect(made.notes.map((note) => note.event)).not.toContain('promise.broken');
  });

  test('a flood of status changes does not make a promised report late', () => {
    const jobs = Array.from({ length: 1000 }, (_, i) => definition(`job-${i}`));
    const made = pipelineWorld(
      [definition('copy'), ...jobs],
      {},
      { jobs: SILENT },
      { ImportMigrationTask: { perSecond: 100, burst: 100 } },
    );
    start(made, 'copy');
    made.runUntil(MINUTE_MS);
    for (const job of jobs) start(made, job.name);
    made.runUntil(15 * MINUTE_MS);
    expect(made.service.close()).toMatchObject({ staleMs: 0, findings: [] });
  });

  test('renewals of promises are written together, some seconds later', () => {
    const jobs = Array.from({ length: 300 }, (_, i) => definition(`job-${i}`));
    const made = world(jobs, { jobs: SILENT });
    for (const { name } of jobs) start(made, name);
    made.runUntil(HOUR_MS);
    let commits = 0;
    const { planner } = made;
    const takeChanges = planner.takeChanges.bind(planner);
    planner.takeChanges = (now) => {
      const changes = takeChanges(now);
      if (hasRows(changes)) commits++;
      return changes;
    };
    const reportsBefore = notifies(made).length;
    made.runUntil(2 * HOUR_MS);
    expect(notifies(made).length - reportsBefore).toBeGreaterThan(1500);
    expect(commits).toBeLessThan((notifies(made).length - reportsBefore) / 3);
  });

  test.each([0, -5 * SECOND_MS, -MINUTE_MS])(
    'renewals that are lost with the agent break no promise, and no stamp runs backwards, also if the clock is set by %i ms',
    (stepMs) => {
      const jobs = Array.from({ length: 60 }, (_, i) => definition(`job-${i}`));
      const made = world(jobs, { jobs: SILENT });
      const disk = withDisk(made);
      for (const { name } of jobs) start(made, name);
      made.runUntil(10 * MINUTE_MS);
      let lost = 0;
      for (let i = 0; i < 40; i++) {
        made.runUntil(made.time.now().bootMs + 61_300);
        const before = structuredClone(made.state.hubTasks);
        disk.crash(() => {
          for (const [name, { promise }] of made.state.hubTasks) {
            if (promise?.madeAt.bootMs !== before.get(name)?.promise?.madeAt.bootMs) lost++;
          }
          // As on a host that was restarted: nothing shows by how much its clock was set.
          delete made.state.metadata.clock;
          made.time.stepWall(stepMs);
        });
      }
      expect(lost).toBeGreaterThan(20);
      expect(made.service.close()).toMatchObject({ staleMs: 0, stampsNotRising: 0, findings: [] });
    },
  );

  test('a report that only renews a promise writes no run; a detail goes to the disk with the next report', () => {
    const made = world([definition('copy')], { jobs: SILENT });
    const { planner } = made;
    let kept: (string | undefined)[] = [];
    const takeChanges = planner.takeChanges.bind(planner);
    planner.takeChanges = (now) => {
      const changes = takeChanges(now);
      kept.push(...[...changes.runs].map(({ detail }) => detail));
      return changes;
    };
    start(made, 'copy');
    made.runUntil(MINUTE_MS);
    kept = [];
    made.runUntil(HOUR_MS);
    expect(notifies(made).length).toBeGreaterThan(20);
    expect(kept).toEqual([]);
    made.post({ type: 'progress-read', run: 'copy/1', detail: 'file 7' });
    made.runUntil(2 * HOUR_MS);
    expect(kept).toEqual(['file 7']);
  });

  test('a promise is stretched no longer than the load lasts', () => {
    const jobs = Array.from({ length: 100 }, (_, i) => definition(`job-${i}`));
    const made = pipelineWorld(
      [definition('copy'), ...jobs],
      {},
      {
        jobs: {
          ...SILENT,
          durationMs: (run) => (run.job === 'copy' ? 10 * HOUR_MS : 20 * MINUTE_MS),
        },
      },
      { NotifyMigrationTaskState: { perSecond: 0.2, burst: 10 } },
    );
    for (const job of jobs) start(made, job.name);
    made.runUntil(10 * MINUTE_MS);
    start(made, 'copy');
    made.runUntil(HOUR_MS);
    expect(
      notifies(made).find(({ call }) => call.task === 'copy')?.call.nextUpdateS,
    ).toBeGreaterThan(1000);
    made.runUntil(3 * HOUR_MS);
    expect(made.service.lastNotify('copy')?.nextUpdateS).toBe(300);
    expect(made.service.close()).toMatchObject({ staleMs: 0 });
  });

  test('steps of one second follow each other without running ahead of the clock', () => {
    const made = world([definition('copy')], {
      jobs: { durationMs: () => 2400, exitCode: () => 0, progressEveryMs: 100 * HOUR_MS },
    });
    let left = 20;
    made.onEnded = () => {
      if (left-- > 0) start(made, 'copy');
    };
    start(made, 'copy');
    made.runUntil(5 * MINUTE_MS);
    const reports = notifies(made);
    expect(reports.length).toBeGreaterThan(20);
    for (const { call, trueMs } of reports) {
      if (call.status !== 'IN_PROGRESS') continue;
      expect(call.stampS * SECOND_MS).toBeLessThanOrEqual(trueMs);
    }
    expect(made.service.close()).toMatchObject({ stampsNotRising: 0, afterFinal: 0 });
  });

  test('a job that waits for a promise is reported as soon as another has ended, also after a restart', () => {
    const tiny = { perSecond: 1 / 60, burst: 5 };
    const given = { ...tiny, perSecond: steadyPerSecond(tiny) };
    const jobs = Array.from({ length: promisesMax(HUB, given) }, (_, i) => definition(`job-${i}`));
    const made = pipelineWorld(
      [...jobs, definition('late'), definition('later')],
      {},
      {
        jobs: {
          ...SILENT,
          durationMs: (run) => (run.job === 'job-0' ? 4 * HOUR_MS : 100 * HOUR_MS),
        },
      },
      { NotifyMigrationTaskState: tiny },
    );
    const disk = withDisk(made);
    for (const job of jobs) start(made, job.name);
    made.runUntil(2 * HOUR_MS);
    start(made, 'late');
    made.runUntil(3 * HOUR_MS);
    disk.crash();
    start(made, 'later');
    made.runUntil(3.9 * HOUR_MS);
    expect(made.service.lastNotify('late')).toBeUndefined();
    expect(made.service.lastNotify('later')).toBeUndefined();
    made.runUntil(6 * HOUR_MS);
    expect(made.service.lastNotify('job-0')?.status).toBe('COMPLETED');
    const reports = ['late', 'later'].filter((job) => made.service.lastNotify(job) !== undefined);
    expect(reports).toHaveLength(1);
    expect(made.service.close()).toMatchObject({ staleMs: 0, overLimit: 0 });
  });

  test('a promise whose first report was on its way when the agent died is kept before another is made', () => {
    const tiny = { perSecond: 1 / 60, burst: 5 };
    const given = { ...tiny, perSecond: steadyPerSecond(tiny) };
    const jobs = Array.from({ length: promisesMax(HUB, given) }, (_, i) => definition(`job-${i}`));
    const made = pipelineWorld(
      [...jobs, definition('first'), definition('second')],
      {},
      {
        // The older of the two that wait for a promise is the later one to be ready for it.
        isOut: (call, bootMs) =>
          call.operation === 'ImportMigrationTask' &&
          call.task === 'second' &&
          bootMs < 3 * HOUR_MS,
        jobs: {
          ...SILENT,
          durationMs: (run) => (run.job === 'job-0' ? 4 * HOUR_MS : 100 * HOUR_MS),
        },
      },
      { NotifyMigrationTaskState: tiny },
    );
    const disk = withDisk(made);
    for (const { name } of jobs) start(made, name);
    made.runUntil(HOUR_MS);
    start(made, 'second');
    made.runUntil(2 * HOUR_MS);
    start(made, 'first');
    made.runUntil(4 * HOUR_MS);
    while (made.service.lastNotify('first') === undefined) {
      made.runUntil(made.time.now().bootMs + 4);
    }
    disk.crash();
    made.runUntil(made.time.now().bootMs + 4 * HOUR_MS);
    expect(made.service.lastNotify('second')).toBeUndefined();
    expect(made.service.close()).toMatchObject({ staleMs: 0, overLimit: 0 });
  });
});

describe('P2 never disowned', () => {
  test('the task is acknowledged before its job starts', () => {
    const made = world([definition('copy')]);
    made.service.offer(task('copy'));
    made.runUntil(MINUTE_MS);
    const events = made.notes.map((note) => note.event);
    expect(events.indexOf('task.received')).toBeGreaterThanOrEqual(0);
    expect(events.indexOf('lease.acknowledged')).toBeGreaterThan(events.indexOf('task.received'));
    expect(events.indexOf('job.starting')).toBeGreaterThan(events.indexOf('lease.acknowledged'));
  });

  test('no acknowledgement, no job: a task whose report is never accepted is given up', () => {
    const made = world([definition('copy')], {
      isOut: (call) => call.operation === 'ReportTaskProgress',
    });
    made.service.offer(task('copy'));
    made.runUntil(2.5 * MINUTE_MS);
    expect(made.notes.map((note) => note.event)).not.toContain('job.starting');
    expect(operationsOf(made)).not.toContain('SetTaskStatus');
  });

  test('it is reported each minute, and while its final report cannot be delivered', () => {
    const made = world([definition('copy')], {
      jobs: { durationMs: () => 5 * MINUTE_MS, exitCode: () => 0, progressEveryMs: MINUTE_MS },
      isOut: (call, ms) => call.operation === 'SetTaskStatus' && ms < 2 * HOUR_MS,
    });
    made.service.offer(task('copy'));
    made.runUntil(2 * HOUR_MS + MINUTE_MS);
    const times = timesOf(made, 'ReportTaskProgress');
    const gaps = times.slice(1).map((at, i) => at - times[i]!);
    expect(Math.max(...gaps)).toBeLessThan(70 * SECOND_MS);
    expect(made.service.close()).toMatchObject({ lapses: 0, unclaimed: 0 });
    expect(made.service.taskState('@copy_1_Attempt=1')).toBe('FINISHED');
  });

  test('spare budget brings reports, and with them a cancel, four times as early', () => {
    const made = world([definition('copy')]);
    made.service.offer(task('copy'));
    made.runUntil(20 * MINUTE_MS);
    const gapMs = largestGapMs(timesOf(made, 'ReportTaskProgress'));
    // By its lot up to a tenth earlier still.
    expect(gapMs).toBeGreaterThanOrEqual(13.5 * SECOND_MS);
    expect(gapMs).toBeLessThan(16 * SECOND_MS);
  });

  test('a small budget is not spent on reports that are not due', () => {
    const { rates } = settings({ jobs: new Map() });
    const small = { perSecond: 0.05, burst: 10 };
    const copy = definition('copy');
    const poor = settings({
      jobs: new Map([['copy', copy]]),
      dataPipeline: { ...PIPELINE, activities: [{ match: { name: 'copy' }, job: 'copy' }] },
      rates: { ...rates, ReportTaskProgress: small },
    });
    const made = world([copy], { settings: poor });
    made.service.offer(task('copy'));
    made.runUntil(20 * MINUTE_MS);
    expect(timesOf(made, 'ReportTaskProgress').length).toBeLessThan(22);
  });

  test('once the service has throttled, nothing is to spare', () => {
    const made = world([definition('copy')], {
      outcome: ({ operation }, ms) =>
        operation === 'ReportTaskProgress' && ms > 5 * MINUTE_MS && ms < 5.5 * MINUTE_MS
          ? { kind: 'throttled', reason: 'simulated' }
          : undefined,
    });
    made.service.offer(task('copy'));
    made.runUntil(20 * MINUTE_MS);
    const after = timesOf(made, 'ReportTaskProgress').filter((at) => at > 7 * MINUTE_MS);
    expect(after.length).toBeGreaterThan(11);
    expect(after.length).toBeLessThan(15);
  });

  test('never more tasks than `concurrency`, for any number of worker groups', () => {
    const jobs = Array.from({ length: 10 }, (_, i) => definition(`job-${i}`));
    const made = pipelineWorld(jobs, { workerGroups: ['a', 'b', 'c'], concurrency: 2 });
    made.runUntil(30 * SECOND_MS);
    expect(timesOf(made, 'PollForTask')).toHaveLength(2);
    for (const job of jobs) made.service.offer(task(job.name));
    for (let minute = 1; minute <= 20; minute++) {
      made.runUntil(minute * MINUTE_MS);
      expect(
        jobs.filter((job) => made.service.taskState(`@${job.name}_1_Attempt=1`) === 'owned'),
      ).toHaveLength(2);
    }
  });

  test('a host that drains asks for no more work', () => {
    const made = world([definition('copy')]);
    made.post({ type: 'drain-requested' });
    made.service.offer(task('copy'));
    made.runUntil(10 * MINUTE_MS);
    expect(operationsOf(made)).not.toContain('PollForTask');
    made.post({ type: 'resume-requested' });
    made.runUntil(11 * MINUTE_MS);
    expect(made.running()).toBe(1);
  });

  test('polls of one group keep their distance, although each brings a task', () => {
    const jobs = Array.from({ length: 20 }, (_, i) => definition(`job-${i}`));
    const made = pipelineWorld(jobs, { concurrency: 20 });
    for (const job of jobs) made.service.offer(task(job.name));
    made.runUntil(MINUTE_MS);
    const times = timesOf(made, 'PollForTask');
    expect(times).toHaveLength(20);
    for (const [i, at] of times.slice(1).entries()) {
      expect(at - times[i]!).toBeGreaterThan(0.9 * SECOND_MS);
    }
  });

  test('a task with a short window of its own is reported in time', () => {
    const made = world([definition('copy')]);
    const { objects, ...rest } = task('copy');
    const fields = [
      ...objects[0]!.fields,
      { key: 'reportProgressTimeout', stringValue: '1 minute' },
    ];
    made.service.offer({ ...rest, objects: [{ ...objects[0]!, fields }] });
    made.runUntil(30 * MINUTE_MS);
    const times = timesOf(made, 'ReportTaskProgress');
    expect(times.length).toBeGreaterThan(80);
    expect(largestGapMs(times)).toBeLessThan(25 * SECOND_MS);
  });

  test('a window of its own that cannot be read is a timeline event, and the configured one is used', () => {
    const made = world([definition('copy')]);
    const { objects, ...rest } = task('copy');
    const fields = [
      ...objects[0]!.fields,
      { key: 'reportProgressTimeout', stringValue: '60 mins' },
    ];
    made.service.offer({ ...rest, objects: [{ ...objects[0]!, fields }] });
    made.runUntil(MINUTE_MS);
    expect(made.notes.find(({ event }) => event === 'task.field_unreadable')).toMatchObject({
      fields: { field: 'reportProgressTimeout', value: '60 mins' },
    });
  });

  test('a flood of acknowledgements does not keep an owned task from being reported', () => {
    const jobs = Array.from({ length: 400 }, (_, i) => definition(`job-${i}`));
    const made = pipelineWorld(
      jobs,
      { concurrency: 400 },
      {},
      { ReportTaskProgress: { perSecond: 0.5, burst: 1 } },
    );
    for (const job of jobs) made.service.offer(task(job.name));
    made.runUntil(6 * MINUTE_MS);
    const times = (made.calls ?? [])
      .filter(({ call }) => 'taskId' in call && call.taskId === 'task-1')
      .map(({ atMs }) => atMs);
    expect(times.length).toBeGreaterThan(2);
    expect(largestGapMs([...times, made.time.now().bootMs])).toBeLessThan(150 * SECOND_MS);
  });

  test('a task that cannot be acknowledged gives its place back after two minutes', () => {
    const made = world([definition('copy')], {
      isOut: (call, ms) =>
        call.operation === 'ReportTaskProgress' ||
        (call.operation === 'PollForTask' && ms > 20 * SECOND_MS),
    });
    made.service.offer(task('copy'));
    made.runUntil(2.5 * MINUTE_MS);
    expect(made.state.runs.get('copy/1')).toMatchObject({
      state: 'fenced',
      pipeline: { delivery: { state: 'withheld' } },
    });
    expect(made.state.liveRuns.size).toBe(0);
  });

  test('the runner itself is heard of at once, and every quarter of an hour', () => {
    const made = world([]);
    made.turn();
    made.runUntil(5 * HOUR_MS);
    const times = timesOf(made, 'ReportTaskRunnerHeartbeat');
    expect(times[0]).toBeLessThan(SECOND_MS);
    expect(times.length).toBeGreaterThan(19);
    expect(largestGapMs(times)).toBeLessThanOrEqual(15 * MINUTE_MS);
  });
});

describe('P3 never two runners', () => {
  test('when no report is accepted the tree is dead before the window ends, and no status follows', () => {
    const outFrom = 10 * MINUTE_MS;
    const made = world([definition('copy')], { isOut: (_call, ms) => ms > outFrom });
    made.service.offer(task('copy'));
    made.runUntil(outFrom);
    const lastAccepted = timesOf(made, 'ReportTaskProgress').at(-1)!;
    made.runUntil(lastAccepted + 15 * MINUTE_MS - SECOND_MS);
    expect(made.running()).toBe(0);
    const fenced = made.notes.find((note) => note.event === 'lease.fenced');
    expect(fenced?.at.bootMs).toBeGreaterThan(lastAccepted + 7.5 * MINUTE_MS);
    expect(operationsOf(made)).not.toContain('SetTaskStatus');
  });

  test('a task that is gone ends the run', () => {
    const made = world([definition('copy')]);
    made.service.offer(task('copy'));
    made.runUntil(5 * MINUTE_MS);
    made.service.forget('@copy_1_Attempt=1');
    made.runUntil(7 * MINUTE_MS);
    expect(made.running()).toBe(0);
    expect(made.service.lastNotify('copy')).toMatchObject({ status: 'FAILED' });
    expect(operationsOf(made)).not.toContain('SetTaskStatus');
  });

  test('the next attempt waits until the tree of the one before is gone', () => {
    const made = world([definition('copy')]);
    made.service.offer(task('copy'));
    made.runUntil(5 * MINUTE_MS);
    made.service.offer(task('copy', 2));
    made.runUntil(6 * MINUTE_MS);
    expect(made.running()).toBe(1);
    const events = made.notes.map((note) => note.event);
    expect(events.indexOf('tree.empty')).toBeLessThan(events.lastIndexOf('job.starting'));
  });

  test('two tasks for one job run one after the other', () => {
    const made = world([definition('copy')], {
      jobs: { durationMs: () => 10 * MINUTE_MS, exitCode: () => 0, progressEveryMs: MINUTE_MS },
    });
    made.service.offer(task('copy'));
    const second = JSON.parse(
      JSON.stringify(task('copy')).replaceAll('copy_1', 'copy_2'),
    ) as PolledTask;
    made.service.offer(second);
    for (let minute = 1; minute <= 19; minute++) {
      made.runUntil(minute * MINUTE_MS);
      expect(made.running()).toBe(1);
    }
    made.runUntil(25 * MINUTE_MS);
    expect(made.service.taskState('@copy_1_Attempt=1')).toBe('FINISHED');
    expect(made.service.taskState('@copy_2_Attempt=1')).toBe('FINISHED');
    expect(made.service.close()).toMatchObject({ lapses: 0, unclaimed: 0 });
  });

  test('the earlier attempt is fenced when the service hands out the next; its status is not reported', () => {
    const made = world([definition('copy')]);
    made.service.offer(task('copy'));
    made.runUntil(5 * MINUTE_MS);
    made.service.offer(task('copy', 2));
    made.runUntil(10 * MINUTE_MS);
    expect(made.state.runs.get('copy/1')).toMatchObject({
      state: 'fenced',
      pipeline: { delivery: { state: 'withheld' } },
    });
    expect(made.state.runs.get('copy/2')?.state).toBe('running');
    expect(operationsOf(made)).not.toContain('SetTaskStatus');
  });

  const reportsFail: Partial<WorldOptions> = {
    isOut: (call, ms) =>
      call.operation === 'ReportTaskProgress' && ms > 10 * MINUTE_MS && ms < 26 * MINUTE_MS,
  };

  test('an attempt that was fenced and is handed out again runs anew', () => {
    const made = pipelineWorld([definition('copy')], {}, reportsFail);
    made.service.offer(task('copy'));
    made.runUntil(HOUR_MS);
    expect(made.running()).toBe(1);
    const runs = [...made.state.runs.values()];
    expect(runs[0]?.state).toBe('fenced');
    expect(runs.at(-1)).toMatchObject({
      state: 'running',
      pipeline: { delivery: { state: 'pending' } },
    });
  });

  test('onFence: continue lets the job go on; the same attempt handed out again keeps its run', () => {
    const made = pipelineWorld(
      [definition('copy')],
      { onFence: 'continue' },
      {
        ...reportsFail,
        jobs: { durationMs: () => HOUR_MS, exitCode: () => 0, progressEveryMs: MINUTE_MS },
      },
    );
    made.service.offer(task('copy'));
    made.runUntil(35 * MINUTE_MS);
    expect(made.notes.map((note) => note.event)).toContain('lease.fenced');
    expect(made.running()).toBe(1);
    made.runUntil(2 * HOUR_MS);
    expect(made.notes.map((note) => note.event)).toContain('task.rebound');
    expect([...made.state.runs.keys()]).toEqual(['copy/1']);
    expect(made.service.taskState('@copy_1_Attempt=1')).toBe('FINISHED');
  });

  test('onFence: continue lets the job go on although its task is gone; the task is not reported', () => {
    const made = pipelineWorld([definition('copy')], { onFence: 'continue' });
    made.service.offer(task('copy'));
    made.runUntil(5 * MINUTE_MS);
    made.service.forget('@copy_1_Attempt=1');
    made.runUntil(20 * MINUTE_MS);
    expect(made.running()).toBe(1);
    expect(timesOf(made, 'ReportTaskProgress').at(-1)).toBeLessThan(7 * MINUTE_MS);
    expect(made.service.lastNotify('copy')).toMatchObject({ status: 'IN_PROGRESS' });
  });

  test('a restart late in a job fences no run whose reports were accepted', () => {
    const made = world([withoutHub('copy')], { jobs: SILENT });
    const disk = withDisk(made);
    made.service.offer(task('copy'));
    made.runUntil(40 * MINUTE_MS);
    disk.crash();
    made.runUntil(45 * MINUTE_MS);
    expect(made.notes.map((note) => note.event)).not.toContain('lease.fenced');
    expect(made.running()).toBe(1);
  });
});

describe('P4 cancel means gone', () => {
  test('canceled: the tree is ended and proven empty, the Hub gets FAILED, no SetTaskStatus', () => {
    const made = world([definition('copy')]);
    made.service.offer(task('copy'));
    made.runUntil(5 * MINUTE_MS);
    made.service.cancel('@copy_1_Attempt=1');
    made.runUntil(7 * MINUTE_MS);
    expect(made.running()).toBe(0);
    expect(made.notes.map((note) => note.event)).toContain('tree.empty');
    const last = made.service.lastNotify('copy');
    expect(last?.status).toBe('FAILED');
    expect(last?.detail).toMatch(/canceled/);
    expect(operationsOf(made)).not.toContain('SetTaskStatus');
    expect(made.service.close()).toMatchObject({ statusAfterCancel: 0 });
  });

  test('a tree that outlives SIGKILL is reported as such after ten seconds', () => {
    const made = world([definition('copy')]);
    start(made, 'copy');
    made.runUntil(MINUTE_MS);
    const { planner } = made;
    const now = () => made.time.now();
    planner.observe({ type: 'cancel-requested', job: 'copy', by: 'test' }, now());
    const signals: string[] = [];
    while (now().bootMs < 3 * MINUTE_MS) {
      for (const action of planner.decide(now())) {
        if (action.type !== 'signal-tree' && action.type !== 'check-tree') continue;
        if (action.type === 'signal-tree') {
          const { signal } = action;
          signals.push(signal);
          planner.observe({ type: 'tree-signalled', run: 'copy/1', signal, processes: 1 }, now());
        }
        planner.observe({ type: 'tree-checked', run: 'copy/1', survivors: [42] }, now());
      }
      // Its leader ends at the first signal; a child hangs in the kernel.
      if (signals.length === 1 && made.state.runs.get('copy/1')?.exitCode === undefined) {
        planner.observe({ type: 'run-exited', run: 'copy/1', exitCode: 143 }, now());
        expect(made.state.runs.get('copy/1')?.state).toBe('canceling');
      }
      made.time.moveTo(now().bootMs + 100);
      planner.observe({ type: 'time-passed' }, now());
    }
    expect(signals.slice(0, 2)).toEqual(['SIGTERM', 'SIGKILL']);
    const run = made.state.runs.get('copy/1');
    expect(run).toMatchObject({ state: 'canceled', survivors: [42] });
    const tookMs = (run?.endedAt?.bootMs ?? 0) - (run?.ending?.since.bootMs ?? 0);
    expect(Math.abs(tookMs - 40 * SECOND_MS)).toBeLessThan(SECOND_MS);
    const last = made.state.hubTasks.get('copy')?.finalReports.at(-1);
    expect(last?.payload.detail).toContain('1 processes could not be ended');
  });

  test('a cancel that comes while the final report is pending withholds it', () => {
    const made = world([definition('copy')], {
      jobs: { ...SILENT, durationMs: () => 5 * MINUTE_MS },
      isOut: (call, ms) => call.operation === 'SetTaskStatus' && ms < 20 * MINUTE_MS,
    });
    made.service.offer(task('copy'));
    made.runUntil(10 * MINUTE_MS);
    expect(made.state.runs.get('copy/1')?.state).toBe('succeeded');
    made.service.cancel('@copy_1_Attempt=1');
    made.runUntil(30 * MINUTE_MS);
    expect(made.service.close()).toMatchObject({ statusAfterCancel: 0 });
    expect(timesOf(made, 'SetTaskStatus').at(-1)).toBeLessThan(12 * MINUTE_MS);
    expect(made.state.runs.get('copy/1')?.pipeline?.delivery.state).toBe('withheld');
  });
});

describe('P5 the final report arrives', () => {
  test('days offline and a crash: every end is reported once, in order and unchanged', () => {
    const made = world([definition('copy')], {
      jobs: {
        durationMs: () => HOUR_MS,
        exitCode: (run) => (run.number === 1 ? 3 : 0),
        progressEveryMs: MINUTE_MS,
      },
      isOut: (call, ms) =>
        call.operation === 'NotifyMigrationTaskState' && ms > 10 * MINUTE_MS && ms < 3 * DAY_MS,
    });
    start(made, 'copy');
    made.runUntil(DAY_MS);
    made.crash();
    start(made, 'copy');
    made.runUntil(2 * DAY_MS);
    made.crash();
    made.runUntil(3 * DAY_MS + HOUR_MS);
    const books = made.service.close();
    expect(books.finals.get('copy')).toEqual(['FAILED', 'COMPLETED']);
    expect(books).toMatchObject({ afterFinal: 0, stampsNotRising: 0 });
    expect(made.service.lastNotify('copy')).toMatchObject({
      status: 'COMPLETED',
      percent: 100,
      nextUpdateS: 365 * 86400,
    });
    const reports = (made.calls ?? []).map(({ call }) => call).filter((call) => 'status' in call);
    const failed = reports.find((call) => call.status === 'FAILED');
    expect(failed).toMatchObject({ detail: 'failed: exit code 3' });
  });

  test('a lost answer repeats the same payload; no report of that run follows it', () => {
    const made = world([definition('copy')], {
      failing: 0.5,
      jobs: { durationMs: () => MINUTE_MS, exitCode: () => 0, progressEveryMs: SECOND_MS },
    });
    start(made, 'copy');
    made.runUntil(2 * HOUR_MS);
    const finals = (made.calls ?? [])
      .map(({ call }) => call)
      .filter((call) => 'stampS' in call && 'task' in call && call.status === 'COMPLETED');
    expect(finals.length).toBeGreaterThan(0);
    expect(new Set(finals.map((call) => JSON.stringify(call))).size).toBe(1);
    expect(made.service.close()).toMatchObject({ afterFinal: 0, stampsNotRising: 0 });
    expect(made.calls?.at(-1)?.call.operation).not.toBe('NotifyMigrationTaskState');
  });

  test.each([1, 2, 3])(
    'what was committed is enough for the next agent, at any turn (seed %i)',
    (seed) => {
      const jobs = Array.from({ length: 8 }, (_, i) => definition(`job-${i}`));
      const made = pipelineWorld(
        jobs,
        { concurrency: 4 },
        {
          seed,
          failing: 0.2,
          jobs: {
            durationMs: () => 90 * SECOND_MS,
            exitCode: (run) => Number(run.job.at(-1)) % 2,
            progressEveryMs: 10 * SECOND_MS,
          },
        },
      );
      const disk = withDisk(made);
      for (const job of jobs.slice(0, 4)) made.service.offer(task(job.name));
      for (const job of jobs.slice(4)) start(made, job.name);
      for (let i = 0; i < 60; i++) {
        made.runUntil(made.time.now().bootMs + made.random() * 20 * SECOND_MS);
        disk.crash();
      }
      made.runUntil(made.time.now().bootMs + 10 * MINUTE_MS);
      disk.crash();
      made.runUntil(made.time.now().bootMs + 10 * MINUTE_MS);
      const books = made.service.close();
      expect(books).toMatchObject({ lapses: 0, overLimit: 0, afterFinal: 0, stampsNotRising: 0 });
      for (const [i, job] of jobs.entries()) {
        expect([job.name, books.finals.get(job.name)]).toEqual([
          job.name,
          [i % 2 === 0 ? 'COMPLETED' : 'FAILED'],
        ]);
        if (i < 4) {
          expect(made.service.taskState(`@${job.name}_1_Attempt=1`)).toBe(
            i % 2 === 0 ? 'FINISHED' : 'FAILED',
          );
        }
      }
      for (const run of made.state.runs.values()) {
        expect([run.id, run.hub?.delivery.state]).toEqual([run.id, 'delivered']);
        // Where the answer to SetTaskStatus was lost, its repetition hears that the task is gone.
        expect(run.pipeline?.delivery.state).not.toBe('pending');
      }
      // Nothing is pending, so a new agent has nothing to repeat.
      const before = made.calls?.length ?? 0;
      disk.crash();
      made.runUntil(made.time.now().bootMs + 10 * MINUTE_MS);
      const operations = (made.calls ?? []).slice(before).map(({ call }) => call.operation);
      expect(new Set(operations)).toEqual(new Set(['PollForTask', 'ReportTaskRunnerHeartbeat']));
    },
  );

  test('the end of one run is reported before the start of the next', () => {
    const made = world([definition('copy')], {
      jobs: {
        ...SILENT,
        durationMs: (run) => (run.number === 1 ? 10 * MINUTE_MS : 10 * HOUR_MS),
        exitCode: () => 3,
      },
      isOut: (_call, ms) => ms > 5 * MINUTE_MS && ms < 30 * MINUTE_MS,
    });
    start(made, 'copy');
    made.runUntil(11 * MINUTE_MS);
    start(made, 'copy');
    made.runUntil(40 * MINUTE_MS);
    const accepted = (made.calls ?? []).filter(({ atMs }) => atMs > 30 * MINUTE_MS);
    const reports = accepted.flatMap(({ call }) =>
      call.operation === 'NotifyMigrationTaskState' ? [call.status] : [],
    );
    expect(reports.slice(0, 2)).toEqual(['FAILED', 'IN_PROGRESS']);
  });

  test('the start of the next run is a status change: it does not wait', () => {
    const made = world([definition('copy')], { jobs: { ...SILENT, durationMs: () => MINUTE_MS } });
    start(made, 'copy');
    made.runUntil(62 * SECOND_MS);
    expect(made.service.lastNotify('copy')?.status).toBe('COMPLETED');
    start(made, 'copy');
    made.runUntil(64 * SECOND_MS);
    expect(made.service.lastNotify('copy')?.status).toBe('IN_PROGRESS');
  });

  test('an end that was not observed is reported as FAILED, never as a success', () => {
    const made = world([definition('copy')]);
    made.service.offer(task('copy'));
    made.runUntil(5 * MINUTE_MS);
    made.post({ type: 'run-lost', run: 'copy/1', reason: 'it left no exit record' });
    made.runUntil(6 * MINUTE_MS);
    expect(made.state.runs.get('copy/1')?.state).toBe('lost');
    expect(made.service.lastNotify('copy')).toMatchObject({
      status: 'FAILED',
      detail: 'lost: it left no exit record',
    });
    expect(made.service.taskState('@copy_1_Attempt=1')).toBe('FAILED');
  });

  test('the next agent does not repeat an accepted report', () => {
    const made = world([withoutHub('copy')], {
      jobs: { ...SILENT, durationMs: () => 10 * MINUTE_MS },
    });
    const disk = withDisk(made);
    made.service.offer(task('copy'));
    made.runUntil(11 * MINUTE_MS);
    disk.crash();
    made.runUntil(15 * MINUTE_MS);
    expect(timesOf(made, 'SetTaskStatus')).toHaveLength(1);
    expect(made.state.runs.get('copy/1')).toMatchObject({
      pipeline: { delivery: { state: 'delivered' } },
    });
  });
});

describe('P5 steps that matter', () => {
  test('a run that ends while the agent is dead, with its first report on its way: later stamps only', () => {
    const made = world([definition('copy')], {
      jobs: { ...SILENT, durationMs: () => 8 * SECOND_MS },
    });
    const disk = withDisk(made);
    start(made, 'copy');
    for (let ms = 1; notifies(made).length === 0; ms++) made.runUntil(ms);
    disk.crash();
    made.sleep(10 * SECOND_MS);
    made.runUntil(MINUTE_MS);
    const reports = notifies(made).map(({ call }) => call.status);
    expect(reports).toEqual(['IN_PROGRESS', 'IN_PROGRESS', 'COMPLETED']);
    expect(made.service.close()).toMatchObject({ afterFinal: 0, stampsNotRising: 0 });
  });

  test('runs that start and end during an outage are reported completely and in order', () => {
    const made = world([definition('copy')], {
      jobs: { durationMs: () => MINUTE_MS, exitCode: () => 1, progressEveryMs: SECOND_MS },
      isOut: (_call, ms) => ms < HOUR_MS,
    });
    for (let i = 0; i < 3; i++) {
      start(made, 'copy');
      made.runUntil((i + 1) * 10 * MINUTE_MS);
    }
    made.runUntil(2 * HOUR_MS);
    const reports = (made.calls ?? [])
      .filter(({ call, atMs }) => atMs > HOUR_MS && 'stampS' in call && 'task' in call)
      .map(({ call }) => ('status' in call ? call.status : ''));
    expect(reports).toEqual([
      'IN_PROGRESS',
      'FAILED',
      'IN_PROGRESS',
      'FAILED',
      'IN_PROGRESS',
      'FAILED',
    ]);
    expect(made.service.close()).toMatchObject({ afterFinal: 0, stampsNotRising: 0, staleMs: 0 });
  });
});

describe('P6 under the limit', () => {
  test('a thousand jobs at once, a tenth of the calls failing, stay under a tiny limit', () => {
    const jobs = Array.from({ length: 1000 }, (_, i) => definition(`job-${i}`));
    const tiny = { perSecond: 2, burst: 3 };
    const made = world(jobs, {
      failing: 0.1,
      settings: settings({
        jobs: new Map(jobs.map((job) => [job.name, job])),
        rates: rates({ ImportMigrationTask: tiny, NotifyMigrationTaskState: tiny }),
      }),
    });
    made.calls = undefined;
    for (const job of jobs) start(made, job.name);
    made.runUntil(2 * HOUR_MS);
    expect(made.service.close()).toMatchObject({ overLimit: 0, staleMs: 0 });
  });

  test('a service that lets through half of what is configured: obeyed, and no task gets stale', () => {
    const jobs = Array.from({ length: 150 }, (_, i) => definition(`job-${i}`));
    const half = { perSecond: 0.5, burst: 5 };
    const made = world(jobs, {
      throttling: rates({ ImportMigrationTask: half, NotifyMigrationTaskState: half }),
    });
    for (const job of jobs) start(made, job.name);
    made.runUntil(12 * HOUR_MS);
    const books = made.service.close();
    expect(books.staleMs).toBe(0);
    expect(books.overLimit / books.calls).toBeLessThan(0.1);
    expect(made.service.lastNotify('job-7')?.nextUpdateS).toBeGreaterThan(300);
  });

  test('permits that no reporter needs are returned to the gate, once', () => {
    const made = world([definition('copy')], { jobs: SILENT });
    start(made, 'copy');
    made.runUntil(MINUTE_MS);
    const now = made.time.now();
    const operation = 'NotifyMigrationTaskState';
    made.planner.observe({ type: 'gate-opened', operation, slots: 3 }, now);
    expect(made.planner.decide(now)).toEqual([{ type: 'return-slots', operation, slots: 3 }]);
    expect(made.planner.decide(now)).toEqual([]);
  });
});

describe('what was wrong once', () => {
  test.each([HOUR_MS, -HOUR_MS])(
    'a restart on a host whose clock is wrong by %i ms: what was known of the service’s clock is kept',
    (wrongMs) => {
      const jobs = new Map([['copy', definition('copy')]]);
      const made = world([], { settings: settings({ jobs }), jobs: SILENT });
      made.time.stepWall(wrongMs);
      const disk = withDisk(made);
      disk.crash();
      start(made, 'copy');
      made.runUntil(20 * MINUTE_MS + 11 * SECOND_MS);
      disk.crash();
      made.time.moveTo(made.time.now().bootMs + 4 * MINUTE_MS);
      made.runUntil(HOUR_MS);
      for (const { call, trueMs } of notifies(made)) {
        expect(Math.abs(call.stampS * SECOND_MS - trueMs)).toBeLessThan(3 * SECOND_MS);
      }
    },
  );

  test('onFence: continue keeps a job also when its attempt is handed out again and not acknowledged', () => {
    const made = pipelineWorld(
      [definition('copy')],
      { onFence: 'continue' },
      {
        isOut: (call, ms) =>
          call.operation === 'ReportTaskProgress' && ms > 10 * MINUTE_MS && ms < 40 * MINUTE_MS,
      },
    );
    made.service.offer(task('copy'));
    made.runUntil(39 * MINUTE_MS);
    expect(made.running()).toBe(1);
  });

  test('an answer that comes when another run holds the task is booked to the run that it was about', () => {
    const isLate = (call: Call): boolean => 'percent' in call && call.percent === 20;
    const made = world([definition('copy')], {
      jobs: SILENT,
      isOut: (call, ms) => ms > MINUTE_MS && ms < 200 * SECOND_MS && !isLate(call),
    });
    start(made, 'copy');
    made.runUntil(55 * SECOND_MS);
    made.post({ type: 'progress-read', run: 'copy/1', percent: 10 });
    made.runUntil(MINUTE_MS);
    made.post({ type: 'progress-read', run: 'copy/1', percent: 20 });
    made.runUntil(MINUTE_MS + 10);
    made.post({ type: 'run-exited', run: 'copy/1', exitCode: 1 });
    start(made, 'copy');
    made.runUntil(61 * SECOND_MS);
    expect(made.state.hubTasks.get('copy')?.promise?.run).toBe('copy/1');
    made.post({ type: 'run-exited', run: 'copy/2', exitCode: 1 });
    made.runUntil(400 * SECOND_MS);
    expect(made.service.close()).toMatchObject({ afterFinal: 0, stampsNotRising: 0 });
  });
});
