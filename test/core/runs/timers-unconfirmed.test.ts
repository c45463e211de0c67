/**
 * After a reboot only wall clocks show what is left of a pipeline task's window, and either may have been wrong. AWS is asked
 * first: no run of the task starts, is fenced by the clock or gets its final status before.
 */
import { expect, test } from 'vitest';
import type { Call, Outcome } from '../../../src/core/model/call.ts';
import type { Run, RunState } from '../../../src/core/model/job.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { rebaseRun } from '../../../src/core/state/rebase.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../src/core/lib/time.ts';
import { Desk, START, UNAVAILABLE, aRun, accepted, failing } from '../../support/desk.ts';
import { polledTask } from '../../support/polled-task.ts';
import { PIPELINE, definition } from '../../support/settings.ts';

/** By a wall clock that went on for hours while the host was off, or is wrong by hours: the window has ended long ago. */
const LONG_AGO = { wallMs: START.wallMs - 3 * HOUR_MS, bootMs: START.bootMs + 100 * HOUR_MS };
const GONE: Outcome = { kind: 'gone', reason: 'TaskNotFoundException' };

function rebooted(state: RunState, answers = accepted): Desk {
  const task = {
    ...{ taskId: 'task-1', pipelineId: 'df-1', attemptId: '@copy_1_Attempt=1' },
    ...{ instance: 'df-1/@copy_1', workerGroup: 'files', receivedAt: LONG_AGO },
    windowMs: 15 * MINUTE_MS,
  };
  const delivery = { state: 'pending' } as const;
  const before: Run = aRun({
    ...{ state, requestedAt: LONG_AGO, definition: definition('copy') },
    pipeline: { task, acceptedAt: LONG_AGO, acknowledgedAt: LONG_AGO, delivery },
  });
  delete before.startedAt;
  const persistent = new PersistentState();
  persistent.recoverRun(rebaseRun(before, START));
  const settings = { dataPipeline: PIPELINE };
  return new Desk({ jobs: [definition('copy')], settings, state: persistent, answers });
}

const LOST = { type: 'run-lost', run: 'copy/1', reason: 'the host was restarted' } as const;
const NEVER = { type: 'run-never-started', run: 'copy/1' } as const;

const ofTask = (desk: Desk): string[] =>
  desk.calls.filter((call: Call) => 'taskId' in call).map(({ operation }) => operation);

test('a task that is still ours gets its final status, and no fence, however long its window seems to be over', () => {
  const desk = rebooted('running');
  desk.post(LOST);
  desk.pass(SECOND_MS);
  expect(desk.eventNames()).not.toContain('lease.fenced');
  expect(ofTask(desk)).toEqual(['ReportTaskProgress', 'SetTaskStatus']);
  expect(desk.runOf('copy')).toMatchObject({
    state: 'lost',
    pipeline: { delivery: { state: 'delivered' } },
  });
});

test('the final status waits until AWS answers, however often it is asked', () => {
  const desk = rebooted('running', failing('ReportTaskProgress', UNAVAILABLE));
  desk.post(LOST);
  desk.pass(HOUR_MS);
  expect(ofTask(desk).length).toBeGreaterThan(2);
  expect(ofTask(desk)).not.toContain('SetTaskStatus');
  desk.answers = accepted;
  desk.pass(10 * MINUTE_MS);
  expect(ofTask(desk).slice(-2)).toEqual(['ReportTaskProgress', 'SetTaskStatus']);
});

test('a task that is gone gets no final status', () => {
  const desk = rebooted('running', failing('ReportTaskProgress', GONE));
  desk.post(LOST);
  desk.pass(HOUR_MS);
  expect(ofTask(desk)).toEqual(['ReportTaskProgress']);
  expect(desk.runOf('copy').pipeline?.delivery).toMatchObject({ state: 'withheld' });
});

test('a start that never happened is made once AWS has confirmed the task, whichever comes first, and once', () => {
  for (const isHostFirst of [true, false]) {
    const desk = rebooted('starting', () => undefined);
    const answer = (): void => desk.settle('ReportTaskProgress', { kind: 'accepted', answer: {} });
    if (isHostFirst) desk.post(NEVER);
    else answer();
    expect(desk.actionsOf('start-run')).toEqual([]);
    if (isHostFirst) answer();
    else desk.post(NEVER);
    desk.pass(2 * MINUTE_MS);
    expect(desk.actionsOf('start-run').map(({ run }) => run.spawn)).toEqual([2]);
  }
});

test.each([
  ['is gone', GONE],
  ['is not heard of', UNAVAILABLE],
])('a run that never started does not start if its task %s', (_what, outcome) => {
  const desk = rebooted('starting', failing('ReportTaskProgress', outcome));
  desk.post(NEVER);
  desk.pass(30 * SECOND_MS);
  if (outcome === UNAVAILABLE) expect(desk.runOf('copy').state).toBe('starting');
  desk.pass(MINUTE_MS);
  desk.post({ type: 'tree-checked', run: 'copy/1', survivors: [] });
  expect(desk.actionsOf('start-run')).toEqual([]);
  expect(desk.runOf('copy').state).toBe('fenced');
  expect(ofTask(desk)).not.toContain('SetTaskStatus');
});

test('a queued run that an operator cancels before AWS has answered gets its final status afterwards', () => {
  const desk = rebooted('queued', () => undefined);
  desk.post({ type: 'cancel-requested', job: 'copy', by: 'root', request: 1 });
  expect(desk.runOf('copy').state).toBe('canceled');
  expect(ofTask(desk)).toEqual(['ReportTaskProgress']);
  desk.settle('ReportTaskProgress', { kind: 'accepted', answer: {} });
  expect(ofTask(desk)).toEqual(['ReportTaskProgress', 'SetTaskStatus']);
});

test('a queued run starts when AWS has confirmed its task, and not before', () => {
  const desk = rebooted('queued', () => undefined);
  desk.pass(30 * SECOND_MS);
  expect(desk.actionsOf('start-run')).toEqual([]);
  desk.settle('ReportTaskProgress', { kind: 'accepted', answer: {} });
  expect(desk.actionsOf('start-run').map(({ run }) => run.id)).toEqual(['copy/1']);
});

test('a start that waits is made if AWS gives the same attempt out again', () => {
  const desk = rebooted('starting', () => undefined);
  desk.post(NEVER);
  desk.settle('ReportTaskRunnerHeartbeat', { kind: 'accepted', answer: {} });
  desk.pass(SECOND_MS);
  const task = { ...polledTask('copy'), taskId: 'task-2' };
  desk.settle('PollForTask', { kind: 'accepted', answer: { task } });
  expect(desk.eventNames()).toContain('task.rebound');
  expect(desk.actionsOf('start-run')).toEqual([]);
  // Of the task before; the next report is of this one.
  desk.settle('ReportTaskProgress', { kind: 'accepted', answer: {} });
  expect(desk.actionsOf('start-run')).toEqual([]);
  desk.settle('ReportTaskProgress', { kind: 'accepted', answer: {} });
  expect(desk.actionsOf('start-run').map(({ run }) => run.spawn)).toEqual([2]);
});
