/** The life of a run: one holds the job, others wait; how it ends; what is done without a commit (P3, P4, P5). */
import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS, after } from '../../../src/core/lib/time.ts';
import type { JobDefinition, Run } from '../../../src/core/model/job.ts';
import type { PipelineSettings } from '../../../src/core/model/settings.ts';
import { createOwners } from '../../../src/core/owners.ts';
import { endState } from '../../../src/core/runs/lifecycle.ts';
import { EMPTY_CALENDAR } from '../../../src/core/runs/schedules.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Desk, PROCESS, START, UNAVAILABLE, aRun, accepted, failing } from '../../support/desk.ts';
import { polledTask } from '../../support/polled-task.ts';
import { PIPELINE, definition, settings } from '../../support/settings.ts';

function deskOf(job: Partial<JobDefinition> = {}, ...runs: Run[]): Desk {
  const state = new PersistentState();
  for (const run of runs) state.recoverRun(run);
  return new Desk({ jobs: [definition('copy', job)], state, answers: () => undefined });
}

const cancel = (desk: Desk, graceMs?: number): void => {
  const more = graceMs === undefined ? {} : { graceMs };
  desk.post({ type: 'cancel-requested', job: 'copy', by: 'anna', ...more });
};
const signals = (desk: Desk): string[] => desk.actionsOf('signal-tree').map(({ signal }) => signal);

describe('one run holds the job', () => {
  test('a queued one starts when it has ended, and only then', () => {
    const desk = deskOf({}, aRun(), aRun({ number: 2, state: 'queued' }));
    expect(desk.actionsOf('start-run')).toEqual([]);
    desk.post({ type: 'run-exited', run: 'copy/1', exitCode: 0 });
    expect(desk.actionsOf('start-run')).toMatchObject([{ run: { id: 'copy/2' } }]);
    expect(desk.runOf('copy').state).toBe('starting');
    expect(desk.eventNames()).toContain('job.starting');
  });

  test('under another name that a reload gave it too', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    const jobs = new Map([['new', definition('new')]]);
    desk.post({ type: 'settings-changed', settings: settings({ jobs }) });
    desk.post({
      type: 'track-requested',
      definitions: [definition('other', { tracked: { by: 'report' } })],
    });
    desk.state.recoverRun(
      aRun({ job: 'new', id: 'new/1', state: 'queued', definition: definition('new') }),
    );
    const next = new Desk({ state: desk.state, settings: { jobs }, answers: () => undefined });
    expect(next.actionsOf('start-run')).toEqual([]);
    next.post({ type: 'run-exited', run: run.id, exitCode: 0 });
    expect(next.actionsOf('start-run')).toMatchObject([{ run: { id: 'new/1' } }]);
  });
});

test('a run that a reload renamed holds the job under its new name, without a restart', () => {
  const desk = deskOf();
  const run = desk.start('copy');
  const jobs = new Map([['new', definition('new')]]);
  desk.post({ type: 'settings-changed', settings: settings({ jobs }) });
  desk.post({ type: 'start-requested', job: 'new', origin: 'schedule' });
  const started = () => desk.actionsOf('start-run').map(({ run: { id } }) => id);
  expect(started()).toEqual(['copy/1']);
  desk.exit(run);
  desk.post({ type: 'start-requested', job: 'new', origin: 'operator' });
  expect(started()).toEqual(['copy/1', 'new/1']);
});

describe('an earlier agent’s runs', () => {
  const unit: JobDefinition = definition('copy', { tracked: { by: 'unit', unit: 'a.service' } });
  const reported: JobDefinition = definition('copy', { tracked: { by: 'report' } });
  test.each<[string, Partial<Run>, string[]]>([
    ['a running one is found', {}, ['adopt-run']],
    ['a starting one is found', { state: 'starting' }, ['adopt-run']],
    ['tracked work is watched again', { definition: unit }, ['watch-run']],
    ['work that reports itself is left alone', { definition: reported }, []],
    ['an ended one is left alone', { state: 'failed' }, []],
    ['a queued one starts', { state: 'queued' }, ['start-run']],
  ])('%s', (_what, over, expected) => {
    const desk = deskOf({}, aRun(over));
    expect(desk.actions.filter(({ type }) => type !== 'call').map(({ type }) => type)).toEqual(
      expected,
    );
  });

  test('one that was being canceled is found, and its stop goes on', () => {
    const ending = { cause: 'operator', detail: 'anna', since: START, graceMs: 1_000 } as const;
    const desk = deskOf({}, aRun({ state: 'canceling', ending }));
    expect(desk.actionsOf('adopt-run')).toHaveLength(1);
    desk.pass(1_500);
    expect(signals(desk)).toEqual(expect.arrayContaining(['SIGTERM', 'SIGKILL']));
  });
});

describe('a stop', () => {
  test('goes from the job’s signal over looks to SIGKILL, as long as something lives', () => {
    const desk = deskOf({ stop: { signal: 'SIGINT', graceMs: 2_500 } });
    const run = desk.start('copy');
    cancel(desk);
    expect(run.state).toBe('canceling');
    expect(signals(desk)).toEqual(['SIGINT']);
    desk.pass(2_499);
    expect(signals(desk)).toEqual(['SIGINT']);
    // After 100 ms, and each second from there.
    expect(desk.actionsOf('check-tree')).toHaveLength(3);
    desk.pass(1);
    expect(signals(desk)).toEqual(['SIGINT', 'SIGKILL']);
    desk.pass(250);
    expect(signals(desk)).toHaveLength(3);
    desk.post({ type: 'tree-checked', run: run.id, survivors: [] });
    expect(run.state).toBe('canceled');
    desk.pass(MINUTE_MS);
    expect(signals(desk)).toHaveLength(3);
  });

  test('of what outlives SIGKILL ends after ten seconds, with the processes', () => {
    const desk = deskOf({ stop: { signal: 'SIGTERM', graceMs: 0 } });
    const run = desk.start('copy');
    cancel(desk);
    desk.pass(20_000);
    desk.post({ type: 'tree-checked', run: run.id, survivors: [7] });
    // The host could not send SIGKILL before.
    expect(run.state).toBe('canceling');
    desk.post({ type: 'tree-signalled', run: run.id, signal: 'SIGKILL', processes: 1 });
    desk.post({ type: 'tree-checked', run: run.id, survivors: [7] });
    desk.pass(9_999);
    expect(run.state).toBe('canceling');
    desk.pass(1);
    expect(run).toMatchObject({ state: 'canceled', survivors: [7] });
    const event = desk.events.find(({ event: name }) => name === 'cancel.incomplete');
    expect(event?.fields).toEqual({ survivors: [7] });
  });

  test('of a queued run ends it at once', () => {
    const desk = deskOf({}, aRun(), aRun({ number: 2, state: 'queued' }));
    cancel(desk);
    expect(desk.runOf('copy').state).toBe('canceled');
  });

  test('a second one is recorded only if it changes something', () => {
    const desk = deskOf();
    desk.start('copy');
    const received = () => desk.eventNames().filter((name) => name === 'cancel.received').length;
    cancel(desk);
    cancel(desk);
    expect(received()).toBe(1);
    cancel(desk, 5_000);
    expect(received()).toBe(2);
    desk.pass(5_000);
    expect(signals(desk)).toEqual(['SIGTERM', 'SIGKILL']);
  });

  test.each([
    ['operator', 'canceled'],
    ['service', 'canceled'],
    ['timeout', 'canceled'],
    ['fence', 'fenced'],
    ['gone', 'fenced'],
  ] as const)('by %s ends as %s', (cause, state) => {
    expect(endState(aRun({ ending: { cause, detail: '', since: START, graceMs: 0 } }))).toBe(state);
  });
});

describe('time', () => {
  test('a timeout stops the run, and says how long it had', () => {
    const desk = deskOf({ timeoutMs: 90_000 });
    const run = desk.start('copy');
    desk.pass(89_999);
    expect(run.state).toBe('running');
    desk.pass(1);
    expect(run.ending).toMatchObject({ cause: 'timeout', detail: 'it ran longer than 90 s' });
    const event = desk.events.find(({ event: name }) => name === 'job.timeout');
    expect(event?.fields).toEqual({ timeoutS: 90 });
  });

  test('a stall is recorded once, and again after new progress', () => {
    const desk = deskOf({ stallAfterMs: 60_000 });
    const run = desk.start('copy');
    const stalls = () => desk.events.filter(({ event }) => event === 'job.stalled');
    desk.pass(5 * MINUTE_MS);
    expect(run.stalled).toBe(true);
    expect(stalls().map(({ fields }) => fields)).toEqual([{ noProgressForS: 60 }]);
    desk.post({ type: 'progress-read', run: run.id, percent: 5 });
    desk.pass(5 * MINUTE_MS);
    expect(stalls()).toHaveLength(2);
  });

  test('processes that are left are looked for again and again', () => {
    const desk = deskOf({ waitFor: 'tree' });
    const run = desk.start('copy');
    desk.post({ type: 'run-exited', run: run.id, exitCode: 0, processesLeft: [7] });
    desk.pass(20_000);
    expect(desk.actionsOf('check-tree').length).toBeGreaterThanOrEqual(4);
    expect(desk.actionsOf('check-tree').length).toBeLessThanOrEqual(5);
  });
});

describe('a window that ends without a report', () => {
  function leased(over: Partial<PipelineSettings>): { desk: Desk; run: Run } {
    const activities = [{ match: { name: 'copy' }, job: 'copy' }];
    const desk = new Desk({
      jobs: [definition('copy')],
      settings: { dataPipeline: { ...PIPELINE, activities, ...over } },
    });
    const task = { ...polledTask('copy'), taskId: 'task-1' };
    desk.settle('PollForTask', { kind: 'accepted', answer: { task } });
    const run = desk.runOf('copy');
    desk.post({
      type: 'run-started',
      run: run.id,
      process: { pid: 1, bootId: 'b', startTicks: '1' },
    });
    desk.answers = failing('ReportTaskProgress', UNAVAILABLE);
    return { desk, run };
  }

  test('fences the run so early that its grace fits in', () => {
    const { desk, run } = leased({});
    const acceptedAt = run.pipeline?.acceptedAt?.bootMs ?? 0;
    desk.pass(20 * MINUTE_MS);
    expect(run.ending?.cause).toBe('fence');
    const endMs = (run.ending?.since.bootMs ?? 0) + (run.ending?.graceMs ?? 0);
    expect(endMs).toBeLessThanOrEqual(acceptedAt + 15 * MINUTE_MS - 10_000);
    expect(run.ending?.graceMs).toBeGreaterThan(29_000);
    expect(run.pipeline?.delivery.state).toBe('withheld');
    expect(run.ending?.detail).toMatch(/^no report was accepted for \d+ s$/);
    expect(desk.events.find(({ event }) => event === 'lease.fenced')?.fields).toMatchObject({
      policy: 'stop',
    });
  });

  test('is recorded, and the job goes on, if the configuration says so', () => {
    const { desk, run } = leased({ onFence: 'continue' });
    desk.pass(HOUR_MS);
    expect(run.state).toBe('running');
    expect(desk.eventNames().filter((name) => name === 'lease.fenced')).toHaveLength(1);
    desk.answers = accepted;
    desk.pass(MINUTE_MS);
    desk.exit(run);
    expect(desk.callsOf('SetTaskStatus')).toHaveLength(1);
  });

  test('ends a run that has not started, whatever the configuration says', () => {
    const activities = [{ match: { name: 'copy' }, job: 'copy' }];
    const dataPipeline = { ...PIPELINE, activities, onFence: 'continue' } as const;
    const desk = new Desk({ jobs: [definition('copy')], settings: { dataPipeline } });
    desk.start('copy');
    const task = { ...polledTask('copy'), taskId: 'task-1' };
    desk.settle('PollForTask', { kind: 'accepted', answer: { task } });
    const queued = desk.runOf('copy');
    expect([queued.number, queued.state]).toEqual([2, 'queued']);
    desk.answers = failing('ReportTaskProgress', UNAVAILABLE);
    desk.pass(20 * MINUTE_MS);
    expect([queued.state, desk.state.runs.get('copy/1')?.state]).toEqual(['fenced', 'running']);
  });

  test('a new window for the same run is fenced again', () => {
    const { desk, run } = leased({ onFence: 'continue' });
    desk.pass(HOUR_MS);
    desk.answers = accepted;
    desk.pass(MINUTE_MS);
    const task = { ...polledTask('copy'), taskId: 'task-2' };
    desk.settle('PollForTask', { kind: 'accepted', answer: { task } });
    desk.answers = failing('ReportTaskProgress', UNAVAILABLE);
    desk.pass(HOUR_MS);
    expect(run.state).toBe('running');
    expect(desk.eventNames().filter((name) => name === 'lease.fenced')).toHaveLength(2);
  });
});

describe('the grace of a run whose window is nearly over', () => {
  /** An agent that was away finds the run so long after its last accepted report. */
  function found(awayMs: number, over: Partial<JobDefinition> = {}): { desk: Desk; run: Run } {
    const { taskId, attemptId, pipelineId } = { ...polledTask('copy'), taskId: 'task-1' };
    const run = aRun({
      definition: definition('copy', over),
      pipeline: {
        task: {
          ...{ taskId, attemptId, pipelineId, instance: 'i', workerGroup: 'files' },
          ...{ windowMs: 15 * MINUTE_MS, receivedAt: START },
        },
        ...{ delivery: { state: 'pending' }, acknowledgedAt: START, acceptedAt: START },
      },
    });
    const state = new PersistentState();
    state.recoverRun(run);
    const now = after(START, awayMs);
    const desk = new Desk({
      ...{ state, now, jobs: [run.definition], answers: () => undefined },
      settings: { dataPipeline: PIPELINE },
    });
    desk.post({ type: 'time-passed' });
    return { desk, run };
  }

  test('is what is left of the window, and none if the window has ended (P3)', () => {
    const late = found(20 * MINUTE_MS);
    expect(late.run.ending).toMatchObject({ cause: 'fence', graceMs: 0 });
    expect(late.run.ending?.detail).toBe('no report was accepted for 1200 s');
    late.desk.pass(1);
    expect(signals(late.desk)).toContain('SIGKILL');
    const { run } = found(15 * MINUTE_MS - 20_000);
    expect(run.ending?.cause).toBe('fence');
    expect(run.ending?.graceMs).toBeGreaterThan(0);
    expect(run.ending?.graceMs).toBeLessThan(20_000);
  });

  test('is the operator’s own if it was canceled, until the window ends (P3)', () => {
    const { desk, run } = found(MINUTE_MS);
    cancel(desk, HOUR_MS);
    expect(run.ending).toMatchObject({ cause: 'operator', graceMs: HOUR_MS });
    desk.pass(14 * MINUTE_MS);
    expect(run.ending?.cause).toBe('fence');
    expect(signals(desk)).toContain('SIGKILL');
  });

  test('does not matter if the job may go on: then its other times still count', () => {
    const { desk, run } = found(MINUTE_MS, { timeoutMs: 30 * MINUTE_MS });
    const dataPipeline: PipelineSettings = { ...PIPELINE, onFence: 'continue' };
    desk.post({ type: 'settings-changed', settings: settings({ dataPipeline }) });
    desk.pass(28 * MINUTE_MS);
    expect([run.state, desk.eventNames()]).toEqual([
      'running',
      expect.arrayContaining(['lease.fenced']) as string[],
    ]);
    desk.pass(MINUTE_MS);
    expect(run.ending?.cause).toBe('timeout');
  });
});

test('a run that ran out of its own time reports its end: the task is this host’s still', () => {
  const task = { taskId: 't', pipelineId: 'df', attemptId: 'a', instance: 'i', workerGroup: 'g' };
  const run = aRun({
    definition: definition('copy', { timeoutMs: MINUTE_MS }),
    pipeline: {
      task: { ...task, windowMs: 15 * MINUTE_MS, receivedAt: START },
      ...{ delivery: { state: 'pending' }, acknowledgedAt: START, acceptedAt: START },
    },
  });
  const desk = deskOf({}, run);
  desk.pass(MINUTE_MS);
  expect(run.ending?.cause).toBe('timeout');
  expect(run.pipeline?.delivery).toEqual({ state: 'pending' });
});

test('a run that has ended is not looked for', () => {
  const owners = createOwners(
    new PersistentState(),
    ...([settings(), START, () => 0, EMPTY_CALENDAR] as const),
  );
  const run = aRun();
  for (const type of ['adopt-run', 'watch-run', 'check-tree'] as const) {
    owners.runs.act({ type, run });
  }
  run.state = 'failed';
  expect(owners.runs.takeActions(true)).toEqual([{ type: 'check-tree', run }]);
});

describe('without a commit', () => {
  test('nothing starts; what was decided is done with the next commit, if it is still wanted', () => {
    const desk = deskOf();
    desk.isDiskFull = true;
    desk.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
    expect(desk.actionsOf('start-run')).toEqual([]);
    desk.isDiskFull = false;
    desk.pass(1_000);
    expect(desk.actionsOf('start-run')).toHaveLength(1);
    desk.pass(1_000);
    expect(desk.actionsOf('start-run')).toHaveLength(1);
  });

  test('a run that was canceled meanwhile never starts', () => {
    const desk = deskOf();
    desk.isDiskFull = true;
    desk.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
    cancel(desk);
    // Signals and looks may be repeated, so they need no commit.
    expect(signals(desk)).toEqual(['SIGTERM']);
    desk.isDiskFull = false;
    desk.pass(1_000);
    expect(desk.actionsOf('start-run')).toEqual([]);
  });

  test('a run of an earlier agent is looked for at once, and once', () => {
    const state = new PersistentState();
    state.recoverRun(aRun());
    const desk = new Desk({ state, answers: () => undefined, isDiskFull: true });
    expect(desk.actionsOf('adopt-run')).toHaveLength(1);
    desk.isDiskFull = false;
    desk.pass(1_000);
    expect(desk.actionsOf('adopt-run')).toHaveLength(1);
  });
});

test('an end is complete: percent, time, problem, release, event', () => {
  const desk = deskOf();
  desk.post({
    type: 'track-requested',
    definitions: [definition('work', { command: [], tracked: { by: 'unit', unit: 'a.service' } })],
  });
  const run = desk.runOf('work');
  desk.post({ type: 'watch-problem', run: run.id, reason: 'EACCES' });
  desk.pass(5_000);
  desk.post({ type: 'run-concluded', run: run.id, status: 'completed', detail: 'done' });
  expect(run).toMatchObject({ state: 'succeeded', percent: 100, endedAt: desk.now });
  expect(run).not.toHaveProperty('problem');
  expect(desk.actionsOf('release-run')).toHaveLength(1);
  expect(desk.events.find(({ event }) => event === 'run.ended')?.fields).toEqual({
    ...{ state: 'succeeded', message: 'completed: done' },
  });
});

test('an end is reported once it is on disk, and the task is held by no run then', () => {
  const desk = new Desk({ jobs: [definition('copy')] });
  const run = desk.start('copy');
  desk.pass(10_000);
  const statuses = () => desk.callsOf('NotifyMigrationTaskState').map(({ status }) => status);
  expect(statuses()).toEqual(['IN_PROGRESS']);
  desk.isDiskFull = true;
  desk.exit(run, 3);
  desk.pass(10_000);
  expect(statuses()).not.toContain('FAILED');
  desk.isDiskFull = false;
  desk.pass(2_000);
  expect(statuses().at(-1)).toBe('FAILED');
  expect(desk.task('copy')).not.toHaveProperty('run');
  expect(run.hub?.delivery.state).toBe('delivered');
});

test.each([
  ['waits for the report of a pipeline task', 5 * MINUTE_MS, 0],
  ['does not, if the window of that task ended meanwhile', HOUR_MS, 1],
])('after a sleep of the host another report %s', (_what, asleepMs, expected) => {
  const activities = [{ match: { name: 'copy' }, job: 'copy' }];
  const desk = new Desk({
    jobs: [definition('copy'), definition('other')],
    settings: { dataPipeline: { ...PIPELINE, activities } },
  });
  const task = { ...polledTask('copy'), taskId: 'task-1' };
  desk.settle('PollForTask', { kind: 'accepted', answer: { task } });
  desk.post({ type: 'run-started', run: 'copy/1', process: PROCESS });
  desk.pass(MINUTE_MS);
  desk.answers = (call) => (call.operation === 'ReportTaskProgress' ? undefined : accepted(call));
  desk.now = after(desk.now, asleepMs);
  desk.post({ type: 'time-passed' });
  desk.start('other');
  desk.pass(2_000);
  const reports = desk.callsOf('NotifyMigrationTaskState');
  expect(reports.filter((call) => call.task === 'other')).toHaveLength(expected);
});

test('the oldest runs go when there are twenty, with their files', () => {
  const runs = Array.from({ length: 20 }, (_, i) =>
    aRun({ number: i + 1, state: 'failed' as const }),
  );
  const desk = deskOf({}, ...runs);
  desk.start('copy');
  expect(desk.actionsOf('forget-run').map(({ run }) => run.number)).toEqual([1]);
  expect(desk.state.runs.has('copy/1')).toBe(false);
});

describe('the timeline says how a run came', () => {
  const arrival = (desk: Desk) =>
    desk.events
      .filter(({ event }) => event.startsWith('run.') || event === 'task.received')
      .map(({ event, fields }) => [event, fields]);

  test('started by somebody', () => {
    const desk = deskOf();
    desk.start('copy');
    expect(arrival(desk)).toEqual([['run.queued', { origin: 'operator' }]]);
  });

  test('tracked: what is watched, and no start', () => {
    const desk = deskOf();
    const tracked = { by: 'unit', unit: 'a.service' } as const;
    desk.post({ type: 'track-requested', definitions: [definition('work', { tracked })] });
    expect(arrival(desk)).toEqual([['run.tracked', { by: 'unit', unit: 'a.service' }]]);
    expect(desk.eventNames()).not.toContain('job.starting');
  });

  test('for a pipeline task', () => {
    const desk = new Desk({
      jobs: [definition('copy')],
      settings: {
        dataPipeline: { ...PIPELINE, activities: [{ match: { name: 'copy' }, job: 'copy' }] },
      },
    });
    const task = { ...polledTask('copy'), taskId: 'a'.repeat(30) };
    desk.settle('PollForTask', { kind: 'accepted', answer: { task } });
    expect(arrival(desk)).toEqual([
      [
        'task.received',
        { workerGroup: 'files', attemptId: '@copy_1_Attempt=1', taskId: `${'a'.repeat(24)}…` },
      ],
    ]);
  });
});
