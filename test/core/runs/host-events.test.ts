/** What the host reports of runs, and what follows: an end needs an exit record or a complete look (P4, P5). */
import { describe, expect, test, vi } from 'vitest';
import type { Event } from '../../../src/core/model/event.ts';
import type { JobDefinition, Run } from '../../../src/core/model/job.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Desk, PROCESS, aRun } from '../../support/desk.ts';
import { definition } from '../../support/settings.ts';

/** Nothing is answered by AWS. */
function deskOf(job: Partial<JobDefinition> = {}): Desk {
  return new Desk({ jobs: [definition('copy', job)], answers: () => undefined });
}

function starting(desk: Desk): Run {
  desk.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
  return desk.runOf('copy');
}

function canceling(desk: Desk): Run {
  const run = desk.start('copy');
  desk.post({ type: 'cancel-requested', job: 'copy', by: 'anna' });
  desk.actions.length = 0;
  return run;
}

function tracked(desk: Desk, tracking: NonNullable<JobDefinition['tracked']>): Run {
  const work = definition('work', { command: [], tracked: tracking });
  desk.post({ type: 'track-requested', definitions: [work] });
  return desk.runOf('work');
}

const named = (desk: Desk, name: string) =>
  desk.events.filter(({ event }) => event === name).map(({ fields }) => fields);

test('events of a run that is not live are left alone', () => {
  const desk = deskOf();
  const run = desk.start('copy');
  desk.exit(run);
  const before = structuredClone(run);
  const about = { run: run.id };
  const events: Event[] = [
    { type: 'run-started', ...about, process: PROCESS },
    { type: 'run-start-failed', ...about, reason: 'x' },
    { type: 'run-never-started', ...about },
    { type: 'progress-read', ...about, percent: 5 },
    { type: 'run-exited', ...about, exitCode: 3 },
    { type: 'run-orphaned', ...about, pids: [1], reason: 'x' },
    { type: 'run-lost', ...about, reason: 'x' },
    { type: 'run-seen', ...about },
    { type: 'run-concluded', ...about, status: 'failed' },
    { type: 'watch-problem', ...about, reason: 'x' },
    { type: 'tree-signalled', ...about, signal: 'SIGTERM', processes: 1 },
    { type: 'tree-checked', ...about, survivors: [1] },
  ];
  const count = desk.events.length;
  for (const event of events) desk.post(event);
  expect(run).toEqual(before);
  expect(desk.events).toHaveLength(count);
});

describe('a start', () => {
  test('has begun with its process; found again by the next agent it is adopted', () => {
    const desk = deskOf();
    const run = starting(desk);
    desk.post({ type: 'run-started', run: run.id, process: PROCESS });
    expect(run).toMatchObject({ state: 'running', process: PROCESS, startedAt: desk.now });
    expect(named(desk, 'job.started')).toEqual([{ pid: 100 }]);
    const saved = vi.spyOn(desk.state, 'saveRun');
    desk.post({ type: 'run-started', run: run.id, process: PROCESS });
    expect(named(desk, 'job.adopted')).toEqual([{ pid: 100 }]);
    expect(saved).not.toHaveBeenCalled();
  });

  test('that is found with another process is written', () => {
    const desk = deskOf();
    const run = starting(desk);
    desk.post({ type: 'run-started', run: run.id, process: PROCESS });
    const saved = vi.spyOn(desk.state, 'saveRun');
    const other = { ...PROCESS, startTicks: '7' };
    desk.post({ type: 'run-started', run: run.id, process: other });
    expect(saved).toHaveBeenCalledWith(run);
    expect(run.process).toEqual(other);
  });

  test('that failed is a failed run with its reason', () => {
    const desk = deskOf();
    const run = starting(desk);
    desk.post({ type: 'run-start-failed', run: run.id, reason: 'ENOENT' });
    expect(run).toMatchObject({ state: 'failed', reason: 'ENOENT' });
    expect(named(desk, 'job.start_failed')).toEqual([{ reason: 'ENOENT' }]);
  });

  test('that never happened is made again, under another start lock', () => {
    const desk = deskOf();
    const run = starting(desk);
    desk.post({ type: 'run-never-started', run: run.id });
    expect([run.state, run.spawn]).toEqual(['starting', 2]);
    expect(desk.actionsOf('start-run')).toHaveLength(2);
  });

  test.each(['run-start-failed', 'run-never-started'] as const)(
    'of a run that was canceled meanwhile: %s ends it as canceled',
    (type) => {
      const desk = deskOf();
      const run = starting(desk);
      desk.post({ type: 'cancel-requested', job: 'copy', by: 'anna' });
      desk.post({ type, run: run.id, reason: 'x' });
      expect([run.state, run.spawn]).toEqual(['canceled', 1]);
      expect(desk.actionsOf('start-run')).toHaveLength(1);
    },
  );
});

describe('an exit', () => {
  test.each<[Partial<Extract<Event, { type: 'run-exited' }>>, Partial<Run>]>([
    [{ exitCode: 0 }, { state: 'succeeded', exitCode: 0, percent: 100 }],
    [{ exitCode: 3 }, { state: 'failed', exitCode: 3, reason: 'exit code 3' }],
    [
      { exitCode: 137, signal: 'SIGKILL' },
      { state: 'failed', exitSignal: 'SIGKILL', reason: 'ended by SIGKILL' },
    ],
    [
      { exitCode: 1, errorTail: 'one\nno space  \n\n' },
      { state: 'failed', errorTail: 'one\nno space  \n\n', reason: 'exit code 1: no space' },
    ],
    [{ exitCode: 1, errorTail: '  \n' }, { reason: 'exit code 1' }],
  ])('%j', (fields, expected) => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.post({ type: 'run-exited', run: run.id, exitCode: 0, ...fields });
    expect(run).toMatchObject(expected);
    expect(named(desk, 'job.exited')).toHaveLength(1);
  });

  test('an empty tail is none, and success has no reason', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.post({ type: 'run-exited', run: run.id, exitCode: 0, errorTail: '' });
    expect(run).not.toHaveProperty('errorTail');
    expect(run).not.toHaveProperty('reason');
    expect(run).not.toHaveProperty('exitSignal');
  });

  test('before the start was seen is a run that ran', () => {
    const desk = deskOf();
    const run = starting(desk);
    desk.exit(run);
    expect(run).toMatchObject({ state: 'succeeded', startedAt: desk.now });
  });

  test('of a run that is being canceled does not end it: the tree is looked at', () => {
    const desk = deskOf();
    const run = canceling(desk);
    desk.exit(run, 143);
    expect(run).toMatchObject({ state: 'canceling', exitCode: 143 });
    expect(desk.actionsOf('check-tree')).toHaveLength(1);
    desk.post({ type: 'tree-checked', run: run.id, survivors: [] });
    expect(run.state).toBe('canceled');
  });
});

describe('processes that the program left behind', () => {
  const left = (run: Run): Event => ({
    ...{ type: 'run-exited', run: run.id, exitCode: 0, processesLeft: [7, 8] },
  });

  test('are recorded; the run has ended with its program', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.post(left(run));
    expect(run).toMatchObject({ state: 'succeeded', processesLeft: [7, 8] });
    expect(named(desk, 'job.left_processes')).toEqual([{ pids: [7, 8], waitFor: 'leader' }]);
  });

  test('are waited for if the job says so, and are recorded once', () => {
    const desk = deskOf({ waitFor: 'tree' });
    const run = desk.start('copy');
    desk.post(left(run));
    desk.post(left(run));
    expect(run.state).toBe('running');
    expect(named(desk, 'job.left_processes')).toHaveLength(1);
    expect(named(desk, 'job.exited')).toHaveLength(1);
    desk.post({ type: 'tree-checked', run: run.id, survivors: [8] });
    expect([run.state, run.processesLeft]).toEqual(['running', [8]]);
    desk.post({ type: 'tree-checked', run: run.id, survivors: [] });
    expect([run.state, run.processesLeft]).toEqual(['succeeded', undefined]);
    expect(named(desk, 'job.lost')).toEqual([]);
  });

  test('the exit code counts, also if it was bad', () => {
    const desk = deskOf({ waitFor: 'tree' });
    const run = desk.start('copy');
    desk.post({ ...left(run), exitCode: 4 } as Event);
    desk.post({ type: 'tree-checked', run: run.id, survivors: [] });
    expect(run).toMatchObject({ state: 'failed', reason: 'exit code 4' });
  });
});

describe('a shim that is gone', () => {
  const orphaned = (run: Run): Event => ({
    ...{ type: 'run-orphaned', run: run.id, pids: [7], reason: 'the shim is gone' },
  });

  test('leaves a run that lives as long as its processes, and is then lost', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.post(orphaned(run));
    desk.post(orphaned(run));
    expect(run).toMatchObject({
      ...{ state: 'running', isOrphaned: true, processesLeft: [7], reason: 'the shim is gone' },
      problem: 'the shim is gone; its exit code will not be known',
    });
    expect(named(desk, 'job.orphaned')).toEqual([{ reason: 'the shim is gone', pids: [7] }]);
    desk.post({ type: 'tree-checked', run: run.id, survivors: [] });
    expect(run).toMatchObject({ state: 'lost' });
    expect(run.problem).toBeUndefined();
    expect(named(desk, 'job.lost')).toEqual([{ reason: 'the shim is gone' }]);
  });

  test('during a cancel: the tree is looked at, and the run is canceled', () => {
    const desk = deskOf();
    const run = canceling(desk);
    desk.post(orphaned(run));
    expect(run.state).toBe('canceling');
    expect(run.problem).toBeUndefined();
    expect(desk.actionsOf('check-tree')).toHaveLength(1);
  });

  test('without processes the run is lost at once, never succeeded', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.post({ type: 'run-lost', run: run.id, reason: 'no exit record' });
    expect(run).toMatchObject({ state: 'lost', reason: 'no exit record' });
    const other = deskOf();
    const stopping = canceling(other);
    other.post({ type: 'run-lost', run: stopping.id, reason: 'no exit record' });
    expect(stopping.state).toBe('canceling');
    expect(other.actionsOf('check-tree')).toHaveLength(1);
  });
});

describe('a look at the tree', () => {
  test('of a run that is being stopped: only an empty tree ends it', () => {
    const desk = deskOf();
    const run = canceling(desk);
    desk.post({ type: 'tree-signalled', run: run.id, signal: 'SIGTERM', processes: 2 });
    expect(named(desk, 'tree.signalled')).toEqual([{ signal: 'SIGTERM', processes: 2 }]);
    desk.post({ type: 'tree-checked', run: run.id, survivors: [7] });
    expect([run.state, run.survivors]).toEqual(['canceling', [7]]);
    run.processesLeft = [7];
    desk.state.saveRun(run);
    desk.post({ type: 'tree-checked', run: run.id, survivors: [] });
    expect([run.state, run.survivors, run.processesLeft]).toEqual([
      'canceled',
      undefined,
      undefined,
    ]);
    expect(named(desk, 'tree.empty')).toEqual([{}]);
  });

  test('of a run whose program lives says nothing', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.post({ type: 'tree-checked', run: run.id, survivors: [] });
    expect(run.state).toBe('running');
  });
});

describe('tracked work', () => {
  const unit = { by: 'unit', unit: 'copy.service' } as const;

  test('is running when it is seen first, and adopted when it is seen again', () => {
    const desk = deskOf();
    const run = tracked(desk, unit);
    expect([run.state, desk.actionsOf('watch-run').length]).toEqual(['starting', 1]);
    desk.post({ type: 'run-seen', run: run.id, process: PROCESS, invocation: 'abc' });
    expect(run).toMatchObject({ state: 'running', process: PROCESS, invocation: 'abc' });
    expect(named(desk, 'job.started')).toEqual([{ pid: 100, invocation: 'abc' }]);
    desk.post({ type: 'run-seen', run: run.id });
    expect(named(desk, 'job.adopted')).toEqual([{}]);
    expect(run.process).toBe(PROCESS);
  });

  test('ends as it is reported', () => {
    const desk = deskOf();
    const run = tracked(desk, unit);
    desk.post({ type: 'run-concluded', run: run.id, status: 'failed', detail: 'no space' });
    expect(run).toMatchObject({ state: 'failed', reason: 'no space' });
    expect(desk.actionsOf('release-run')).toHaveLength(1);
  });

  test('that cannot be seen is a problem, recorded once, and no end', () => {
    const desk = deskOf();
    const run = tracked(desk, unit);
    const problem = (reason?: string): void => {
      desk.post({
        type: 'watch-problem',
        run: run.id,
        ...(reason === undefined ? {} : { reason }),
      });
    };
    problem();
    problem('EACCES');
    problem('EACCES');
    expect([run.state, run.problem]).toEqual(['starting', 'EACCES']);
    expect(named(desk, 'job.unreadable')).toEqual([{ reason: 'EACCES' }]);
    problem();
    problem();
    expect(run).not.toHaveProperty('problem');
    expect(named(desk, 'job.readable')).toEqual([{}]);
  });
});

test('a run that was starting is running once it is found, although its process was known', () => {
  const run = aRun({ state: 'starting', process: PROCESS });
  const state = new PersistentState();
  state.recoverRun(run);
  const desk = new Desk({ state, answers: () => undefined });
  desk.post({ type: 'run-started', run: run.id, process: PROCESS });
  expect(run.state).toBe('running');
});

test('only SIGKILL begins the time after which a stop is given up', () => {
  const desk = deskOf({ stop: { signal: 'SIGTERM', graceMs: 0 } });
  const run = canceling(desk);
  desk.post({ type: 'tree-signalled', run: run.id, signal: 'SIGTERM', processes: 1 });
  desk.post({ type: 'tree-checked', run: run.id, survivors: [7] });
  desk.pass(20_000);
  expect(run.state).toBe('canceling');
  desk.post({ type: 'tree-signalled', run: run.id, signal: 'SIGKILL', processes: 1 });
  desk.post({ type: 'tree-checked', run: run.id, survivors: [7], reason: 'ps failed' });
  expect(run).toMatchObject({ survivors: [7], survivorsDoubt: 'ps failed' });
  desk.post({ type: 'tree-checked', run: run.id, survivors: [7] });
  expect(run).not.toHaveProperty('survivorsDoubt');
  desk.post({ type: 'tree-checked', run: run.id, survivors: [7], reason: 'ps failed' });
  desk.pass(20_000);
  expect(run.state).toBe('canceled');
  expect(named(desk, 'cancel.incomplete')).toEqual([{ survivors: [7], reason: 'ps failed' }]);
});
