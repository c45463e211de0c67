/** What must be on disk before anything follows from it, and what may wait some seconds. */
import { describe, expect, test } from 'vitest';
import { after } from '../../../src/core/lib/time.ts';
import type { HubTask } from '../../../src/core/model/hub-task.ts';
import type { Run } from '../../../src/core/model/job.ts';
import { PersistentState, HELD_MS_MAX, hasRows } from '../../../src/core/state/persistent-state.ts';
import type { Changes } from '../../../src/core/state/persistent-state.ts';
import { START, aRun, aTask } from '../../support/desk.ts';

function summary(changes: Changes) {
  return {
    runs: [...changes.runs].map(({ id }) => id),
    tasks: [...changes.hubTasks].map(({ name }) => name),
    dropped: [...changes.droppedRuns, ...changes.droppedHubTasks],
    events: [...changes.events].map(({ event }) => event),
  };
}
const NOTHING = { runs: [], tasks: [], dropped: [], events: [] };
const EVENT = { event: 'job.starting', at: START, fields: {} } as const;
/** Goes to the log only. */
const LOGGED = { event: 'report.accepted', at: START, fields: {} } as const;

describe('changes are taken once', () => {
  test.each<[string, (state: PersistentState) => void, object]>([
    ['a saved run', (state) => state.saveRun(aRun()), { runs: ['copy/1'] }],
    ['a saved task', (state) => state.saveHubTask(aTask()), { tasks: ['copy'] }],
    ['a dropped run', (state) => state.dropRun(aRun()), { dropped: ['copy/1'] }],
    ['a dropped task', (state) => state.dropHubTask(aTask()), { dropped: ['copy'] }],
    ['an event', (state) => state.addEvent(EVENT), { events: ['job.starting'] }],
    ['a logged event', (state) => state.addEvent(LOGGED), { events: ['report.accepted'] }],
    ['a known run', (state) => state.recoverRun(aRun()), {}],
  ])('%s', (_what, change, expected) => {
    const state = new PersistentState();
    change(state);
    expect(summary(state.takeChanges(START))).toEqual({ ...NOTHING, ...expected });
    expect(summary(state.takeChanges(START))).toEqual(NOTHING);
  });

  test('metadata', () => {
    const state = new PersistentState();
    expect(state.takeChanges().metadata).toBeUndefined();
    state.saveMetadata();
    expect(state.takeChanges(START).metadata).toBe(state.metadata);
    expect(state.takeChanges().metadata).toBeUndefined();
  });

  test('a run that was saved and dropped is only dropped; a task that came back is not dropped', () => {
    const state = new PersistentState();
    const task = aTask();
    state.saveRun(aRun());
    state.dropHubTask(task);
    state.saveHubTask(task);
    const run = state.runs.get('copy/1');
    if (run !== undefined) state.dropRun(run);
    expect(summary(state.takeChanges())).toEqual({
      ...NOTHING,
      ...{ tasks: ['copy'], dropped: ['copy/1'] },
    });
    state.saveHubTask(task);
    state.dropHubTask(task);
    expect(summary(state.takeChanges())).toEqual({ ...NOTHING, dropped: ['copy'] });
  });
});

describe('a renewed promise', () => {
  test('may wait ten seconds', () => {
    const state = new PersistentState();
    expect(state.heldDueAtMs()).toBe(Infinity);
    state.renewHubTask(aTask(), START);
    state.renewHubTask(aTask({ name: 'other' }), after(START, 5_000));
    expect(state.heldDueAtMs()).toBe(START.bootMs + HELD_MS_MAX);
    state.addEvent(LOGGED);
    const early = state.takeChanges(after(START, HELD_MS_MAX - 1));
    expect(summary(early)).toEqual({ ...NOTHING, events: ['report.accepted'] });
    const due = state.takeChanges(after(START, HELD_MS_MAX));
    expect(summary(due).tasks).toEqual(['copy', 'other']);
    expect(state.heldDueAtMs()).toBe(Infinity);
  });

  test.each<[string, (state: PersistentState) => void]>([
    ['a run', (state) => state.saveRun(aRun())],
    ['another task', (state) => state.saveHubTask(aTask({ name: 'other' }))],
    ['metadata', (state) => state.saveMetadata()],
    ['an event of the timeline', (state) => state.addEvent(EVENT)],
    ['a dropped run', (state) => state.dropRun(aRun())],
    ['a dropped task', (state) => state.dropHubTask(aTask({ name: 'other' }))],
  ])('is written with the next change of %s', (_what, change) => {
    const state = new PersistentState();
    state.renewHubTask(aTask(), START);
    change(state);
    expect(summary(state.takeChanges(START)).tasks).toContain('copy');
  });

  test('waits also after a commit that could not', () => {
    const state = new PersistentState();
    state.saveRun(aRun());
    state.takeChanges(START);
    state.renewHubTask(aTask(), START);
    expect(summary(state.takeChanges(START))).toEqual(NOTHING);
  });

  test('is written at the end whatever the time', () => {
    const state = new PersistentState();
    state.renewHubTask(aTask(), START);
    expect(summary(state.takeChanges()).tasks).toEqual(['copy']);
  });
});

describe('a change of a run that is held', () => {
  test.each<[string, (state: PersistentState, run: Run) => void, string[]]>([
    ['a detail', (state, run) => state.holdRun(run, START), []],
    ['a higher percent', (state, run) => state.holdProgress(run, START), ['copy/1']],
  ])('%s may wait ten seconds, a percent only until a report may be made', (_what, hold, early) => {
    const state = new PersistentState();
    hold(state, aRun());
    expect(summary(state.takeChanges(START))).toEqual(NOTHING);
    state.expectReports();
    expect(summary(state.takeChanges(START)).runs).toEqual(early);
    expect(summary(state.takeChanges(after(START, HELD_MS_MAX))).runs).toEqual(
      early.length === 0 ? ['copy/1'] : [],
    );
  });

  test('what was written holds up no later report', () => {
    const state = new PersistentState();
    state.holdProgress(aRun(), START);
    state.saveMetadata();
    expect(summary(state.takeChanges(START)).runs).toEqual(['copy/1']);
    state.holdRun(aRun(), START);
    state.expectReports();
    expect(summary(state.takeChanges(START))).toEqual(NOTHING);
  });

  test('goes with the run', () => {
    const state = new PersistentState();
    const run = aRun();
    state.holdProgress(run, START);
    state.dropRun(run);
    expect(summary(state.takeChanges())).toEqual({ ...NOTHING, dropped: ['copy/1'] });
  });
});

describe('what is derived follows each change', () => {
  const lease = { task: {}, delivery: { state: 'pending' } } as unknown as NonNullable<
    Run['pipeline']
  >;
  const live = (state: PersistentState) => [
    [...state.liveRuns.keys()],
    [...state.livePipelineRuns],
  ];

  test('live runs, and those of them that work for a pipeline', () => {
    const state = new PersistentState();
    const run = aRun({ pipeline: lease });
    state.saveRun(aRun({ job: 'plain' }));
    state.saveRun(run);
    expect(live(state)).toEqual([['plain/1', 'copy/1'], ['copy/1']]);
    run.state = 'succeeded';
    state.saveRun(run);
    expect(live(state)).toEqual([['plain/1'], []]);
    expect(state.runs.size).toBe(2);
    run.state = 'running';
    state.saveRun(run);
    state.dropRun(run);
    expect([live(state), state.runs.size]).toEqual([[['plain/1'], []], 1]);
  });

  test('a run that is set aside is written, kept apart, and no longer live', () => {
    const state = new PersistentState();
    const run = aRun({ pipeline: lease });
    state.setRunAside(run);
    expect([live(state), state.runs.size]).toEqual([[[], []], 0]);
    expect(state.copiedHostRuns.get('copy/1')).toBe(run);
    expect(summary(state.takeChanges()).runs).toEqual(['copy/1']);
  });

  test('live tasks, and those of them that were promised a report or may have been', () => {
    const state = new PersistentState();
    const promise = { run: 'copy/1' } as unknown as NonNullable<HubTask['promise']>;
    const tasks = (set: ReadonlySet<HubTask>) => [...set].map(({ name }) => name);
    state.saveHubTask(aTask({ name: 'idle', promise }));
    state.saveHubTask(aTask({ name: 'live', run: 'copy/1' }));
    state.saveHubTask(aTask({ name: 'offered', run: 'copy/1', offered: 'copy/1' }));
    state.saveHubTask(aTask({ name: 'promised', run: 'copy/1', promise }));
    expect(tasks(state.liveHubTasks)).toEqual(['live', 'offered', 'promised']);
    expect(tasks(state.promisedHubTasks)).toEqual(['offered', 'promised']);
    for (const task of [...state.liveHubTasks]) {
      delete task.run;
      state.saveHubTask(task);
    }
    expect([state.liveHubTasks.size, state.promisedHubTasks.size]).toEqual([0, 0]);
  });

  test.each<[string, Partial<HubTask>]>([
    ['a final report', { finalReports: [{ run: 'copy/1' } as never] }],
    ['a link', { links: [{ operation: 'AssociateDiscoveredResource', configurationId: 'x' }] }],
    ['what was refused', { quarantine: [{ run: 'copy/1', reason: 'x', at: START }] }],
  ])('a task is in the outbox while it has %s', (_what, over) => {
    const state = new PersistentState();
    const task = aTask(over);
    state.saveHubTask(task);
    expect([...state.outboxHubTasks]).toEqual([task]);
    Object.assign(task, { finalReports: [], links: [], quarantine: [] });
    state.saveHubTask(task);
    expect(state.outboxHubTasks.size).toBe(0);
  });

  test.each(['dropHubTask', 'setHubTaskAside'] as const)('%s forgets a live task', (method) => {
    const state = new PersistentState();
    const task = aTask({ run: 'copy/1', offered: 'copy/1' });
    state.saveHubTask(task);
    state.takeChanges();
    state[method](task);
    const sizes = [state.hubTasks, state.liveHubTasks, state.promisedHubTasks].map(
      ({ size }) => size,
    );
    expect(sizes).toEqual([0, 0, 0]);
    const isSetAside = method === 'setHubTaskAside';
    expect(state.copiedHostHubTasks.size).toBe(isSetAside ? 1 : 0);
    expect(summary(state.takeChanges()).tasks).toEqual(isSetAside ? ['copy'] : []);
  });
});

test.each<[string, Partial<Changes>, boolean]>([
  ['nothing', {}, false],
  ['a run', { runs: [aRun()] }, true],
  ['a task', { hubTasks: [aTask()] }, true],
  ['a dropped run', { droppedRuns: ['a'] }, true],
  ['a dropped task', { droppedHubTasks: ['a'] }, true],
  ['metadata', { metadata: { streams: [] } }, true],
  ['an event that is only logged', { events: [LOGGED] }, false],
  ['an event of the timeline', { events: [LOGGED, EVENT] }, true],
])('a commit of %s writes rows: %#', (_what, over, expected) => {
  const none = { runs: [], hubTasks: [], droppedRuns: [], droppedHubTasks: [], events: [] };
  expect(hasRows({ ...none, ...over })).toBe(expected);
});
