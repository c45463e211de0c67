/** P3 never two runners, in virtual time. The model of the services checks what it receives, and knows nothing of the planner. */
import { expect, test } from 'vitest';
import type { Call, PolledTask } from '../../../src/core/model/call.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../src/core/lib/time.ts';
import { definition } from '../../support/settings.ts';
import type { WorldOptions } from '../../support/world.ts';
import {
  world,
  task,
  start,
  operationsOf,
  timesOf,
  pipelineWorld,
  withDisk,
  withoutHub,
  SILENT,
} from './promise-world.ts';

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
