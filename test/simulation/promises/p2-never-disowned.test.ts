/** P2 never disowned, in virtual time. The model of the services checks what it receives, and knows nothing of the planner. */
import { expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../src/core/lib/time.ts';
import { PIPELINE, definition, settings } from '../../support/settings.ts';
import {
  world,
  task,
  operationsOf,
  timesOf,
  largestGapMs,
  pipelineWorld,
} from './promise-world.ts';

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
  const fields = [...objects[0]!.fields, { key: 'reportProgressTimeout', stringValue: '1 minute' }];
  made.service.offer({ ...rest, objects: [{ ...objects[0]!, fields }] });
  made.runUntil(30 * MINUTE_MS);
  const times = timesOf(made, 'ReportTaskProgress');
  expect(times.length).toBeGreaterThan(80);
  expect(largestGapMs(times)).toBeLessThan(25 * SECOND_MS);
});

test('a window of its own that cannot be read is a timeline event, and the configured one is used', () => {
  const made = world([definition('copy')]);
  const { objects, ...rest } = task('copy');
  const fields = [...objects[0]!.fields, { key: 'reportProgressTimeout', stringValue: '60 mins' }];
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
