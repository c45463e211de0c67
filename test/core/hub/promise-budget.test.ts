import { describe, expect, test } from 'vitest';
import { PromiseBudget } from '../../../src/core/hub/promise-budget.ts';
import { MINUTE_MS } from '../../../src/core/lib/time.ts';
import type { HubTask } from '../../../src/core/model/hub-task.ts';
import { Pacing } from '../../../src/core/scheduling/pacing.ts';
import { hubTaskKey } from '../../../src/core/scheduling/reporter-keys.ts';
import { Reporters } from '../../../src/core/scheduling/reporters.ts';
import { steadyPerSecond } from '../../../src/core/scheduling/token-bucket.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Timeline } from '../../../src/core/state/timeline.ts';
import { HUB, settings } from '../../support/settings.ts';

const NOW = { wallMs: 1_800_000_000_000, bootMs: 1_000_000 };

function createBudget() {
  const state = new PersistentState();
  const pacing = new Pacing();
  const timeline = new Timeline(state);
  // One call a second and a promise of a minute at most: 55 tasks can be promised.
  const current = settings({ migrationHub: { ...HUB, nextUpdateMaxMs: MINUTE_MS } });
  const parts = { state, pacing, timeline, settings: { current }, reporters: new Reporters() };
  const { reporters } = parts;
  return { state, pacing, reporters, timeline, promises: new PromiseBudget(parts) };
}

function liveTask(state: PersistentState, name: string): HubTask {
  const task: HubTask = {
    ...{ name, imported: true, run: `${name}/1`, lastStampS: 0, finalReports: [], links: [] },
  };
  state.saveHubTask(task);
  return task;
}

test('promises count on the rate of the gate, less throttling and failures', () => {
  const { pacing, promises } = createBudget();
  const gives = steadyPerSecond({ perSecond: 1, burst: 10 });
  expect(promises.rate()).toEqual({ perSecond: gives, burst: 10 });
  pacing.of('NotifyMigrationTaskState').speed = 0.5;
  expect(promises.rate().perSecond).toBeCloseTo(gives / 2, 9);
  pacing.of('NotifyMigrationTaskState').success = 0.5;
  expect(promises.rate().perSecond).toBeCloseTo(gives / 4, 9);
});

describe('the counts', () => {
  test('are derived from the tasks, whatever is repeated or left out', () => {
    const { promises, state } = createBudget();
    const task = liveTask(state, 'a');
    expect([promises.live, promises.promised]).toEqual([1, 0]);
    expect(promises.tryReserve(task, 'a/1', NOW)).toBe(true);
    expect(promises.tryReserve(task, 'a/1', NOW)).toBe(true);
    state.saveHubTask(task);
    expect([promises.live, promises.promised]).toEqual([1, 1]);
    delete task.run;
    state.saveHubTask(task);
    promises.closed(task);
    promises.closed(task);
    expect([promises.live, promises.promised]).toEqual([0, 0]);
  });

  test('follow tasks that are dropped or set aside', () => {
    const { promises, state } = createBudget();
    const [one, other] = [liveTask(state, 'a'), liveTask(state, 'b')];
    promises.tryReserve(one, 'a/1', NOW);
    promises.tryReserve(other, 'b/1', NOW);
    state.dropHubTask(one);
    state.setHubTaskAside(other);
    expect([promises.live, promises.promised]).toEqual([0, 0]);
  });
});

test('a task waits while the budget can keep no more promises, and gets the first one that is free', () => {
  const { promises, state } = createBudget();
  const tasks = Array.from({ length: 60 }, (_, i) => liveTask(state, `job-${i}`));
  const reserved = tasks.filter((task) => promises.tryReserve(task, task.run ?? '', NOW));
  expect(reserved.length).toBeLessThan(60);
  expect(promises.waiting).toBe(60 - reserved.length);
  const [first] = reserved;
  if (first === undefined) throw new Error('none was reserved');
  delete first.run;
  state.saveHubTask(first);
  const next = tasks[reserved.length];
  expect(next && promises.tryReserve(next, next.run ?? '', NOW)).toBe(true);
});

test('that the budget is too small is one event, however many tasks wait', () => {
  const { promises, state, timeline } = createBudget();
  const events: unknown[] = [];
  timeline.add = (event) => void events.push(event);
  const tasks = Array.from({ length: 60 }, (_, index) => liveTask(state, `t${index}`));
  const next = (): boolean => {
    const task = tasks.shift();
    return task !== undefined && promises.tryReserve(task, `${task.name}/1`, NOW);
  };
  while (next()) expect(events).toEqual([]);
  expect(events).toEqual(['promise.stretched']);
  expect([next(), next()]).toEqual([false, false]);
  expect(events).toEqual(['promise.stretched']);
});

describe('a task that waits', () => {
  const full = () => {
    const { promises, state } = createBudget();
    const tasks = Array.from({ length: 60 }, (_, index) => liveTask(state, `t${index}`));
    const waiting = tasks.filter((task) => !promises.tryReserve(task, task.run ?? '', NOW));
    return { promises, state, tasks, waiting };
  };

  test('does so no longer when its run has ended, or when it has its promise', () => {
    const { promises, state, tasks, waiting } = full();
    const before = promises.waiting;
    expect(before).toBe(waiting.length);
    const [first, second] = waiting;
    if (first === undefined || second === undefined) throw new Error('none waits');
    promises.closed(first);
    expect(promises.waiting).toBe(before - 1);
    delete tasks[0]?.run;
    if (tasks[0] !== undefined) state.saveHubTask(tasks[0]);
    expect(promises.tryReserve(second, second.run ?? '', NOW)).toBe(true);
    expect(promises.waiting).toBe(before - 2);
  });

  test('that was promised keeps its place, whatever the budget is now', () => {
    const { promises, tasks } = full();
    const [promised] = tasks;
    expect(promised && promises.tryReserve(promised, promised.run ?? '', NOW)).toBe(true);
    expect(promised && promises.tryReserve(promised, 'another/2', NOW)).toBe(false);
  });
});

test('when the services’ clock is later than was thought, promises end earlier; those of ended tasks do not matter', () => {
  const { promises, state } = createBudget();
  const promise = (status: 'IN_PROGRESS' | 'FAILED') => ({
    ...{ run: 'a/1', payload: { status }, madeAt: NOW, nextUpdateS: 60 },
    until: { wallMs: NOW.wallMs + 60_000, bootMs: NOW.bootMs + 60_000 },
  });
  const [live, ended, none] = [liveTask(state, 'a'), liveTask(state, 'b'), liveTask(state, 'c')];
  live.promise = promise('IN_PROGRESS');
  ended.promise = promise('FAILED');
  state.takeChanges();
  promises.shift(4_000);
  expect(live.promise.until).toEqual({ wallMs: NOW.wallMs + 56_000, bootMs: NOW.bootMs + 56_000 });
  expect(ended.promise).toEqual(promise('FAILED'));
  expect(none.promise).toBeUndefined();
  expect([...state.takeChanges().hubTasks]).toEqual([live]);
});

describe('the task that has waited longest looks again', () => {
  const touched: string[] = [];
  const full = () => {
    const { promises, reporters, state } = createBudget();
    touched.length = 0;
    reporters.touch = (key) => void touched.push(key);
    const tasks = Array.from({ length: 60 }, (_, index) => liveTask(state, `t${index}`));
    const waiting = tasks.filter((task) => !promises.tryReserve(task, task.run ?? '', NOW));
    const end = (task: HubTask | undefined): void => {
      if (task === undefined) throw new Error('there is none');
      delete task.run;
      state.saveHubTask(task);
      promises.closed(task);
    };
    return { promises, tasks, waiting, end };
  };
  const keys = (...tasks: (HubTask | undefined)[]): string[] =>
    tasks.map((task) => hubTaskKey(task?.name ?? ''));

  test('when a promise is free, and not before', () => {
    const { end, promises, tasks, waiting } = full();
    expect(touched).toEqual([]);
    end(waiting[1]);
    promises.offerToNext();
    expect(touched).toEqual([]);
    end(tasks[0]);
    expect(touched).toEqual(keys(waiting[0]));
  });

  test('and after it the next, as long as there are free ones', () => {
    const { end, promises, tasks, waiting } = full();
    end(tasks[0]);
    end(tasks[1]);
    touched.length = 0;
    const [first] = waiting;
    expect(first && promises.tryReserve(first, first.run ?? '', NOW)).toBe(true);
    expect(touched).toEqual(keys(waiting[1]));
  });

  test('none, if none waits', () => {
    const { promises, reporters } = createBudget();
    touched.length = 0;
    reporters.touch = (key) => void touched.push(key);
    promises.offerToNext();
    expect(touched).toEqual([]);
  });
});
