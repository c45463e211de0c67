/** One timer looks at all runs, at silent ones less often, and lets the loop turn while it does. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Rounds } from '../../../src/jobs/supervise/rounds.ts';

const EVERY_MS = 500;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  // First: a spy on a fake function puts the fake one back.
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('each round looks at every run once; without runs there is no timer', async () => {
  const rounds = new Rounds(EVERY_MS);
  const looked: string[] = [];
  expect(vi.getTimerCount()).toBe(0);
  const ends = ['a', 'b', 'c'].map((name) =>
    rounds.add(() => {
      looked.push(name);
      return 1;
    }),
  );
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(EVERY_MS);
  expect(looked).toEqual(['a', 'b', 'c']);
  ends[1]!();
  await vi.advanceTimersByTimeAsync(EVERY_MS);
  expect(looked).toEqual(['a', 'b', 'c', 'a', 'c']);
  ends[0]!();
  ends[2]!();
  expect(vi.getTimerCount()).toBe(0);
});

/** A hundred runs whose looks take two milliseconds each, and the names of those that were looked at. */
function slowRuns(rounds: Rounds): { readonly looked: number[]; readonly ends: (() => void)[] } {
  const looked: number[] = [];
  const ends = Array.from({ length: 100 }, (_, run) =>
    rounds.add(() => {
      looked.push(run);
      vi.advanceTimersByTime(2);
      return 1;
    }),
  );
  return { looked, ends };
}

test('many slow looks: others have their turn in between, after a few of them', async () => {
  const rounds = new Rounds(EVERY_MS);
  const { looked } = slowRuns(rounds);
  vi.advanceTimersByTime(EVERY_MS);
  const atTurns = [looked.length];
  while (looked.length < 100) {
    await new Promise((resolve) => setImmediate(resolve));
    atTurns.push(looked.length);
  }
  const steps = atTurns.map((count, turn) => count - (atTurns[turn - 1] ?? 0));
  expect(Math.max(...steps)).toBeLessThanOrEqual(6);
  expect(looked).toEqual(Array.from({ length: 100 }, (_, run) => run));
});

test('a run that ends during a round is not looked at any more, and one that is added waits for the next', async () => {
  const rounds = new Rounds(EVERY_MS);
  const { looked, ends } = slowRuns(rounds);
  vi.advanceTimersByTime(EVERY_MS);
  ends[99]!();
  let isSeen = false;
  rounds.add(() => {
    isSeen = true;
    return 1;
  });
  while (looked.length < 99) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(looked).not.toContain(99);
  expect(isSeen).toBe(false);
});

/** What is looked at in each of so many rounds. */
async function seenIn(count: number, looked: string[]): Promise<string[]> {
  const seen: string[] = [];
  for (let round = 0; round < count; round++) {
    await vi.advanceTimersByTimeAsync(EVERY_MS);
    seen.push(looked.splice(0).join(' '));
  }
  return seen;
}

test('runs that let three rounds pass are looked at in the same, whenever each was added', async () => {
  const rounds = new Rounds(EVERY_MS);
  const looked: string[] = [];
  const silent = new Set(['a', 'b']);
  const add = (name: string): void => {
    rounds.add(() => {
      looked.push(name);
      return silent.has(name) ? 4 : 1;
    });
  };
  add('a');
  expect(await seenIn(2, looked)).toEqual(['a', '']);
  add('b');
  expect(await seenIn(6, looked)).toEqual(['b', 'a b', '', '', '', 'a b']);
  silent.delete('b');
  expect(await seenIn(5, looked)).toEqual(['', '', '', 'a b', 'b']);
  silent.add('b');
  expect(await seenIn(7, looked)).toEqual(['b', '', 'a b', '', '', '', 'a b']);
});

test('a round that would look at nothing wakes nobody', async () => {
  const rounds = new Rounds(EVERY_MS);
  let timers = 0;
  const { setTimeout: real } = globalThis;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation((...given) => {
    timers += 1;
    return real(...given);
  });
  rounds.add(() => 4);
  await vi.advanceTimersByTimeAsync(4 * EVERY_MS);
  timers = 0;
  await vi.advanceTimersByTimeAsync(40 * EVERY_MS);
  expect(timers).toBe(10);
});

test('a run that is added, or added again, while only silent ones are watched is looked at in the next round', async () => {
  const rounds = new Rounds(EVERY_MS);
  const looked: string[] = [];
  rounds.add(() => 4);
  await vi.advanceTimersByTimeAsync(4 * EVERY_MS + 10);
  rounds.add(() => {
    looked.push('new');
    return 1;
  });
  expect(await seenIn(2, looked)).toEqual(['new', 'new']);
});
