/** A turn of the loop: its steps in order, and how long it sleeps before the next one. */
import { describe, expect, test } from 'vitest';
import type { Inbox } from '../../src/agent/inbox.ts';
import type { Journal } from '../../src/agent/journal.ts';
import { runLoop } from '../../src/agent/loop.ts';
import type { Planner } from '../../src/core/planner.ts';
import { START } from '../support/desk.ts';

interface Turns {
  readonly wakeAtMs?: number | undefined;
  readonly retryAtMs?: number | undefined;
  readonly neededAtMs?: number | undefined;
  readonly isDurable?: boolean;
  readonly count?: number;
}

/** Some turns of a loop whose parts only record what is asked of them. */
async function loop({ wakeAtMs, retryAtMs, neededAtMs, isDurable = true, count = 1 }: Turns) {
  const steps: unknown[] = [];
  const sleeps: (number | undefined)[] = [];
  const changes = {};
  const inbox = {
    get isClosed() {
      return sleeps.length === count;
    },
    next: (ms: number | undefined) => {
      sleeps.push(ms);
      return Promise.resolve([{ type: 'drain-requested' }, { type: 'time-passed' }]);
    },
  };
  const planner = {
    wakeAtMs: () => wakeAtMs,
    observe: (event: { type: string }, now: unknown) => steps.push(['observe', event.type, now]),
    takeChanges: (now: unknown) => {
      steps.push(['take', now]);
      return changes;
    },
    decide: (now: unknown, isOnDisk: boolean) => {
      steps.push(['decide', now, isOnDisk]);
      return [{ type: 'exit', code: 3 }];
    },
  };
  const journal = {
    retryAtMs,
    commit: (given: unknown, now: unknown) => {
      steps.push(['commit', given === changes, now]);
      return isDurable;
    },
  };
  await runLoop(
    inbox as unknown as Inbox,
    planner as unknown as Planner,
    journal as unknown as Journal,
    { bootId: 'b', now: () => START, wakeAt: () => () => undefined },
    (action) => steps.push(['act', action]),
    () => {
      steps.push(['turned']);
      return neededAtMs;
    },
  );
  return { steps, sleeps };
}

test.each([true, false])(
  'events come in, changes go to the disk, and then actions go out (on disk: %s)',
  async (isDurable) => {
    const { steps } = await loop({ isDurable });
    expect(steps).toEqual([
      ['observe', 'drain-requested', START],
      ['observe', 'time-passed', START],
      ['take', START],
      ['commit', true, START],
      ['decide', START, isDurable],
      ['act', { type: 'exit', code: 3 }],
      ['turned'],
    ]);
  },
);

describe('it sleeps until', () => {
  test.each<[string, Turns, number | undefined]>([
    ['the planner needs a turn', { wakeAtMs: 5, retryAtMs: 6, neededAtMs: 7 }, 5],
    ['a commit is tried again', { wakeAtMs: 6, retryAtMs: 5, neededAtMs: 7 }, 5],
    ['the last turn wanted another', { wakeAtMs: 7, retryAtMs: 6, neededAtMs: 5 }, 5],
    ['something happens, if nothing is due', {}, undefined],
  ])('%s', async (_what, times, expected) => {
    const { sleeps } = await loop({ ...times, count: 2 });
    expect(sleeps[1]).toBe(expected);
  });
});
