/** Pipeline tasks and their runs: what is taken, what is bound again, what a cancel or a lost task does (P2, P3, P4). */
import { describe, expect, test } from 'vitest';
import { MINUTE_MS } from '../../../src/core/lib/time.ts';
import type { Call, Outcome, PolledTask } from '../../../src/core/model/call.ts';
import type { JobDefinition, Run } from '../../../src/core/model/job.ts';
import type { PipelineSettings } from '../../../src/core/model/settings.ts';
import { Desk, PROCESS, accepted } from '../../support/desk.ts';
import { polledTask } from '../../support/polled-task.ts';
import { PIPELINE, definition, settings } from '../../support/settings.ts';

const REPORT = 'ReportTaskProgress';
const GONE: Outcome = { kind: 'gone', reason: 'TaskNotFoundException' };

function deskOf(over: Partial<PipelineSettings> = {}, job: Partial<JobDefinition> = {}): Desk {
  const activities = [{ match: { name: 'copy' }, job: 'copy' }];
  return new Desk({
    jobs: [definition('copy', job)],
    settings: { dataPipeline: { ...PIPELINE, activities, ...over } },
  });
}

/** A poll brings the task, under another id each time. */
function receive(desk: Desk, task: PolledTask, taskId = 'task-1'): void {
  desk.pass(2_000);
  desk.settle('PollForTask', { kind: 'accepted', answer: { task: { ...task, taskId } } });
}

function running(desk: Desk, task = polledTask('copy')): Run {
  receive(desk, task);
  const run = desk.runOf('copy');
  desk.post({ type: 'run-started', run: run.id, process: PROCESS });
  return run;
}

/** The next report is answered so. */
function reportAnswered(desk: Desk, outcome: Outcome): void {
  desk.answers = (call: Call) => (call.operation === REPORT ? outcome : accepted(call));
  desk.pass(MINUTE_MS);
  desk.answers = accepted;
}

describe('a task that a poll brings', () => {
  test('is acknowledged before its job starts', () => {
    const desk = deskOf();
    desk.answers = (call) => (call.operation === REPORT ? undefined : accepted(call));
    receive(desk, polledTask('copy'));
    expect(desk.callsOf(REPORT)).toEqual([{ operation: REPORT, taskId: 'task-1' }]);
    expect([desk.runOf('copy').state, desk.actionsOf('start-run')]).toEqual(['queued', []]);
    desk.settle(REPORT, { kind: 'accepted', answer: {} });
    expect(desk.actionsOf('start-run')).toHaveLength(1);
    expect(desk.eventNames()).toContain('lease.acknowledged');
  });

  test('keeps what its job and its window need', () => {
    const desk = deskOf();
    receive(desk, polledTask('copy'));
    expect(desk.runOf('copy')).toMatchObject({
      origin: 'pipeline',
      pipeline: {
        task: {
          ...{ taskId: 'task-1', pipelineId: 'df-1', attemptId: '@copy_1_Attempt=1' },
          ...{ instance: 'df-1/@copy_1', workerGroup: 'files', windowMs: 15 * MINUTE_MS },
          environment: { MIGRATION_PIPELINE_ID: 'df-1', MIGRATION_PIPELINE_WORKER_GROUP: 'files' },
        },
      },
    });
    expect(desk.runOf('copy').pipeline?.task.isPrecondition).toBeUndefined();
  });

  test('of a precondition is known as one', () => {
    const activities = [{ match: { name: 'copy' }, job: 'copy', precondition: true }];
    const desk = deskOf({ activities });
    receive(desk, polledTask('copy'));
    expect(desk.runOf('copy').pipeline?.task.isPrecondition).toBe(true);
  });

  test('that no rule allows has ended at once, is reported, and nothing starts', () => {
    const desk = deskOf();
    receive(desk, polledTask('other'));
    const run = desk.runOf('df-1.other');
    expect(run).toMatchObject({ state: 'failed', definition: { command: [] } });
    expect(run.pipeline?.task.environment).toBeUndefined();
    expect(run.reason).toMatch(/no activity of this host's configuration matches/);
    expect(desk.callsOf('SetTaskStatus')).toMatchObject([{ taskId: 'task-1', status: 'FAILED' }]);
    expect(desk.actionsOf('start-run')).toEqual([]);
    expect(desk.eventNames()).toContain('task.refused');
  });

  test('with a period that cannot be read gets an event for it', () => {
    const desk = deskOf();
    const task = polledTask('copy');
    const [object] = task.objects;
    const fields = [...(object?.fields ?? []), { key: 'attemptTimeout', stringValue: '60 mins' }];
    receive(desk, { ...task, objects: [{ id: task.attemptId, name: 'x', fields }] });
    const event = desk.events.find(({ event: name }) => name === 'task.field_unreadable');
    expect(event).toMatchObject({
      run: 'copy/1',
      fields: { field: 'attemptTimeout', value: '60 mins' },
    });
  });

  test.each(['stop-requested', 'terminated'])(
    'is left to others once the agent ends (%s)',
    (how) => {
      const desk = deskOf();
      desk.pass(2_000);
      if (how === 'stop-requested') desk.post({ type: 'stop-requested' });
      else {
        desk.answers = (call) =>
          call.operation === 'ReportTaskRunnerHeartbeat'
            ? { kind: 'accepted', answer: { terminate: true } }
            : accepted(call);
        desk.pass(15 * MINUTE_MS);
      }
      const task = { ...polledTask('copy'), taskId: 'task-1' };
      if (desk.inFlight.some(({ call }) => call.operation === 'PollForTask')) {
        desk.settle('PollForTask', { kind: 'accepted', answer: { task } });
      }
      expect(desk.callsOf(REPORT)).toEqual([]);
      expect(desk.planner.view().runs.of('copy')).toEqual([]);
      expect(desk.eventNames()).toContain('task.left');
    },
  );

  test('is left also while runs of a runner that AWS has ended go on', () => {
    const desk = deskOf();
    const run = running(desk);
    desk.answers = (call) =>
      call.operation === 'ReportTaskRunnerHeartbeat'
        ? { kind: 'accepted', answer: { terminate: true } }
        : accepted(call);
    desk.pass(14 * MINUTE_MS);
    expect(desk.inFlight.map(({ call }) => call.operation)).toContain('PollForTask');
    desk.pass(2 * MINUTE_MS);
    const task = { ...polledTask('copy', 1, 2), taskId: 'task-2' };
    desk.settle('PollForTask', { kind: 'accepted', answer: { task } });
    expect(desk.eventNames()).toContain('task.left');
    expect([run.state, desk.planner.view().runs.of('copy').length]).toEqual(['running', 1]);
  });

  test.each(['canceled', 'fenced'] as const)('whose run was %s starts again', (state) => {
    const desk = deskOf();
    const run = running(desk);
    Object.assign(run, { state, endedAt: desk.now });
    desk.state.saveRun(run);
    receive(desk, polledTask('copy'), 'task-2');
    expect(desk.eventNames()).not.toContain('task.rebound');
    expect(desk.runOf('copy').pipeline?.task.taskId).toBe('task-2');
    expect(desk.runOf('copy').number).toBe(2);
  });

  test('is taken while the agent only drains', () => {
    const desk = deskOf();
    desk.pass(2_000);
    desk.post({ type: 'drain-requested' });
    desk.settle('PollForTask', {
      ...{ kind: 'accepted', answer: { task: { ...polledTask('copy'), taskId: 'task-1' } } },
    });
    expect(desk.callsOf(REPORT)).toHaveLength(1);
  });
});

describe('the same attempt handed out again', () => {
  test('binds to the run that lives, under its new id', () => {
    const desk = deskOf();
    const run = running(desk);
    receive(desk, polledTask('copy'), 'task-2');
    expect(desk.planner.view().runs.of('copy')).toHaveLength(1);
    expect(run.pipeline?.task.taskId).toBe('task-2');
    expect(run.state).toBe('running');
    expect(desk.callsOf(REPORT).at(-1)?.taskId).toBe('task-2');
    expect(desk.eventNames()).toContain('task.rebound');
    desk.exit(run);
    expect(desk.callsOf('SetTaskStatus')).toMatchObject([{ taskId: 'task-2', status: 'FINISHED' }]);
  });

  test('after the run has ended by itself, its end is reported again', () => {
    const desk = deskOf();
    desk.exit(running(desk), 3);
    receive(desk, polledTask('copy'), 'task-2');
    desk.pass(1_000);
    expect(desk.planner.view().runs.of('copy')).toHaveLength(1);
    expect(desk.callsOf('SetTaskStatus').map(({ taskId, status }) => [taskId, status])).toEqual([
      ['task-1', 'FAILED'],
      ['task-2', 'FAILED'],
    ]);
  });

  test.each(['canceling', 'canceled'])(
    'does not bind to a run that is %s: it starts anew',
    (state) => {
      const desk = deskOf();
      const run = running(desk);
      desk.post({ type: 'cancel-requested', job: 'copy', by: 'anna' });
      if (state === 'canceled') desk.post({ type: 'tree-checked', run: run.id, survivors: [] });
      expect(run.state).toBe(state);
      receive(desk, polledTask('copy'), 'task-2');
      const [old, next] = desk.planner.view().runs.of('copy');
      expect(old?.pipeline?.task.taskId).toBe('task-1');
      expect(next?.pipeline?.task.taskId).toBe('task-2');
      // A job never runs twice at once.
      expect(next?.state).toBe(state === 'canceling' ? 'queued' : 'starting');
      if (state === 'canceling') {
        expect(old?.ending?.cause).toBe('fence');
        desk.post({ type: 'tree-checked', run: run.id, survivors: [] });
        expect(next?.state).toBe('starting');
      }
    },
  );
});

test('another attempt of the same instance fences the run of the first; another instance leaves it alone', () => {
  const desk = deskOf();
  const run = running(desk);
  receive(desk, polledTask('copy', 1, 2), 'task-2');
  expect([run.state, run.ending]).toEqual(['running', undefined]);
  receive(desk, polledTask('copy', 2), 'task-3');
  expect(run.state).toBe('canceling');
  expect(run.ending).toMatchObject({
    cause: 'fence',
    detail: 'the service began @copy_1_Attempt=2',
  });
  expect(run.pipeline?.delivery.state).toBe('withheld');
});

describe('a task that its owner canceled', () => {
  const canceled: Outcome = { kind: 'accepted', answer: { canceled: true } };

  test('stops the tree of its run, and no status follows', () => {
    const desk = deskOf();
    const run = running(desk);
    reportAnswered(desk, canceled);
    expect(run).toMatchObject({
      ending: { cause: 'service' },
      pipeline: { delivery: { state: 'withheld', reason: 'the service canceled the task' } },
    });
    expect(desk.actionsOf('signal-tree')[0]).toMatchObject({ signal: 'SIGTERM' });
    desk.post({ type: 'tree-checked', run: run.id, survivors: [] });
    desk.pass(5 * MINUTE_MS);
    expect(run.state).toBe('canceled');
    expect(desk.callsOf('SetTaskStatus')).toEqual([]);
  });

  test('before its job starts it never starts', () => {
    const desk = deskOf();
    desk.answers = (call) => (call.operation === REPORT ? canceled : accepted(call));
    receive(desk, polledTask('copy'));
    expect(desk.runOf('copy').state).toBe('canceled');
    expect(desk.actionsOf('start-run')).toEqual([]);
  });
});

describe('a task that is gone', () => {
  test('fences its run, unless the configuration lets it go on', () => {
    for (const onFence of ['stop', 'continue'] as const) {
      const desk = deskOf({ onFence });
      const run = running(desk);
      reportAnswered(desk, GONE);
      expect(run.state, onFence).toBe(onFence === 'stop' ? 'canceling' : 'running');
      expect(run.pipeline?.delivery).toEqual({ state: 'withheld', reason: GONE.reason });
      expect(desk.eventNames()).toContain('lease.gone');
      desk.exit(run);
      desk.pass(MINUTE_MS);
      expect(desk.callsOf('SetTaskStatus'), onFence).toEqual([]);
    }
  });

  test.each(['stop', 'continue'] as const)(
    'before its job starts it never starts (%s)',
    (onFence) => {
      const desk = deskOf({ onFence });
      desk.answers = (call) => (call.operation === REPORT ? GONE : accepted(call));
      receive(desk, polledTask('copy'));
      expect(desk.runOf('copy')).toMatchObject({ state: 'fenced', ending: { cause: 'gone' } });
      expect(desk.actionsOf('start-run')).toEqual([]);
    },
  );

  test('after the run has ended nothing of it changes', () => {
    const desk = deskOf();
    const run = running(desk);
    desk.answers = (call) => (call.operation === 'SetTaskStatus' ? GONE : accepted(call));
    desk.exit(run);
    expect(run).toMatchObject({
      state: 'succeeded',
      pipeline: { delivery: { state: 'withheld' } },
    });
    expect(run.ending).toBeUndefined();
  });
});

test('a cancel that is told to a run that has just ended withholds its status, and changes nothing else', () => {
  const desk = deskOf();
  const run = running(desk);
  desk.answers = (call: Call) =>
    [REPORT, 'SetTaskStatus'].includes(call.operation) ? undefined : accepted(call);
  desk.pass(MINUTE_MS);
  desk.exit(run);
  desk.settle(REPORT, { kind: 'accepted', answer: { canceled: true } });
  desk.pass(MINUTE_MS);
  expect(run).toMatchObject({ state: 'succeeded', pipeline: { delivery: { state: 'withheld' } } });
  expect(run).not.toHaveProperty('ending');
  expect(desk.callsOf('SetTaskStatus')).toEqual([]);
});

test('a poll that was in flight when the destination went brings nothing', () => {
  const desk = deskOf();
  desk.post({ type: 'settings-changed', settings: settings({}) });
  desk.settle('PollForTask', {
    kind: 'accepted',
    answer: { task: { ...polledTask('copy'), taskId: 'task-1' } },
  });
  expect(desk.state.runs.size).toBe(0);
});
