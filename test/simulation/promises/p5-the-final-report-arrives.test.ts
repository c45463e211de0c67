/** P5 the final report arrives, in virtual time. The model of the services checks what it receives, and knows nothing of the planner. */
import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../src/core/lib/time.ts';
import { definition } from '../../support/settings.ts';
import {
  world,
  task,
  start,
  timesOf,
  notifies,
  pipelineWorld,
  withDisk,
  withoutHub,
  SILENT,
} from './promise-world.ts';

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
