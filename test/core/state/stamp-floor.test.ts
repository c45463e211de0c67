/** The second on disk that no unwritten stamp has passed. */
import { describe, expect, test } from 'vitest';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { StampFloor } from '../../../src/core/state/stamp-floor.ts';
import { aTask } from '../../support/desk.ts';

const NOW_S = 1_800_000_000;
const NOW_MS = NOW_S * 1000;

function stateWith(stampFloorS?: number): PersistentState {
  const state = new PersistentState();
  if (stampFloorS !== undefined) state.metadata.stampFloorS = stampFloorS;
  state.recoverHubTask(aTask({ name: 'live', run: 'live/1', lastStampS: 5 }));
  state.recoverHubTask(aTask({ name: 'later', run: 'later/1', lastStampS: NOW_S + 99 }));
  state.recoverHubTask(aTask({ name: 'ended', lastStampS: 5 }));
  return state;
}

function stamps(state: PersistentState): Record<string, number> {
  return Object.fromEntries([...state.hubTasks].map(([name, task]) => [name, task.lastStampS]));
}

describe('what an earlier agent left', () => {
  test('a floor that is ahead of the clock raises the stamps of live tasks to it', () => {
    const state = stateWith(NOW_S + 9);
    new StampFloor(state, NOW_MS);
    expect(stamps(state)).toEqual({ live: NOW_S + 9, later: NOW_S + 99, ended: 5 });
  });

  test.each([
    ['is not ahead of the clock', NOW_S],
    ['is of an impossible time', 5_000_000_000],
    ['is not there', undefined],
  ])('a floor that %s raises nothing', (_what, floorS) => {
    const state = stateWith(floorS);
    new StampFloor(state, NOW_MS);
    expect(stamps(state)['live']).toBe(5);
  });
});

test('a floor of an impossible time is forgotten', () => {
  const state = stateWith(5_000_000_000);
  const floor = new StampFloor(state, NOW_MS);
  floor.raise(NOW_S);
  expect(state.metadata.stampFloorS).toBe(NOW_S + 10);
});

test('a raised floor covers the stamps of the next ten seconds, and is saved', () => {
  const state = stateWith();
  const floor = new StampFloor(state, NOW_MS);
  expect(floor.covers(NOW_S)).toBe(false);
  floor.raise(NOW_S);
  expect([floor.covers(NOW_S + 10), floor.covers(NOW_S + 11)]).toEqual([true, false]);
  expect(state.takeChanges().metadata?.stampFloorS).toBe(NOW_S + 10);
});

describe('at the end of an agent', () => {
  test('the floor comes down to the present second, rounded up', () => {
    const state = stateWith();
    const floor = new StampFloor(state, NOW_MS);
    floor.raise(NOW_S);
    floor.lower(NOW_MS + 1);
    expect(state.metadata.stampFloorS).toBe(NOW_S + 1);
  });

  test('it never goes up, and nothing is saved that is the same', () => {
    const state = stateWith(NOW_S);
    const floor = new StampFloor(state, NOW_MS);
    state.takeChanges();
    floor.lower(NOW_MS);
    floor.lower(NOW_MS + 5_000);
    expect(state.metadata.stampFloorS).toBe(NOW_S);
    expect(state.takeChanges().metadata).toBeUndefined();
    const none = stateWith();
    new StampFloor(none, NOW_MS).lower(NOW_MS);
    expect(none.metadata.stampFloorS).toBeUndefined();
  });

  test('it stays above what was found, since other tasks may have been stamped up to there', () => {
    const state = stateWith(NOW_S + 60);
    const floor = new StampFloor(state, NOW_MS);
    floor.lower(NOW_MS);
    expect(state.metadata.stampFloorS).toBe(NOW_S + 60);
    floor.raise(NOW_S);
    expect(state.metadata.stampFloorS).toBe(NOW_S + 60);
  });
});
