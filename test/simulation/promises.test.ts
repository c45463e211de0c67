/**
 * One scenario for each promise of the planner (DESIGN.md, section 1), in virtual time, told by the books of a
 * service that knows nothing of the planner.
 */
import { describe, expect, test } from 'vitest';
import type { Call, PolledTask } from '../../src/core/call.ts';
import type { JobDefinition } from '../../src/core/job.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/time.ts';
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

describe('P1 never stale', () => {
  test('an outage of half a promise breaks none', () => {
    const made = world([definition('copy')], {
      isOut: (_call, ms) => ms > 10 * MINUTE_MS && ms < 12 * MINUTE_MS,
    });
    start(made, 'copy');
    made.runUntil(HOUR_MS);
    expect(made.service.close()).toMatchObject({ staleMs: 0, findings: [] });
  });

  test('a host clock that is an hour wrong, and stepped in the middle, makes nobody stale', () => {
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
    const made = world(jobs);
    made.calls = undefined;
    for (const job of jobs) start(made, job.name);
    made.runUntil(3 * HOUR_MS);
    expect(made.service.close()).toMatchObject({ staleMs: 0, overLimit: 0, findings: [] });
    expect(made.service.lastNotify('job-7')?.nextUpdateS).toBe(HUB.nextUpdateMaxMs / SECOND_MS);
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
    for (const gap of gaps) expect(Math.abs(gap - 150 * SECOND_MS)).toBeLessThan(SECOND_MS);
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

  test('it is reported each minute, and while its last word cannot be delivered', () => {
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
});

describe('P4 cancel means gone', () => {
  test('canceled: the tree is ended and proven empty, the Hub is told FAILED, no SetTaskStatus', () => {
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
});

describe('P5 the last word arrives', () => {
  test('days offline and a crash: every end is told, in order, once, exactly as it was', () => {
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
    const told = (made.calls ?? []).map(({ call }) => call).filter((call) => 'status' in call);
    const failed = told.find((call) => call.status === 'FAILED');
    expect(failed).toMatchObject({ detail: 'failed: exit code 3' });
  });

  test('a lost answer repeats the same words; after them nothing is said of that run', () => {
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
});

describe('P5 steps that matter', () => {
  test('runs that begin and end while nobody can be told are told whole: opened, ended, in order', () => {
    const made = world([definition('copy')], {
      jobs: { durationMs: () => MINUTE_MS, exitCode: () => 1, progressEveryMs: SECOND_MS },
      isOut: (_call, ms) => ms < HOUR_MS,
    });
    for (let i = 0; i < 3; i++) {
      start(made, 'copy');
      made.runUntil((i + 1) * 10 * MINUTE_MS);
    }
    made.runUntil(2 * HOUR_MS);
    const told = (made.calls ?? [])
      .filter(({ call, atMs }) => atMs > HOUR_MS && 'stampS' in call && 'task' in call)
      .map(({ call }) => ('status' in call ? call.status : ''));
    expect(told).toEqual([
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

  test('a service that lets through half of what is configured: obeyed, and nobody goes stale', () => {
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
});
