/** One timer looks at all runs, and lets the loop turn while it does. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Rounds } from '../../../src/jobs/supervise/rounds.ts';

const EVERY_MS = 500;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('each round looks at every run once; without runs there is no timer', async () => {
  const rounds = new Rounds(EVERY_MS);
  const looked: string[] = [];
  expect(vi.getTimerCount()).toBe(0);
  const ends = ['a', 'b', 'c'].map((name) => rounds.add(() => looked.push(name)));
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
  rounds.add(() => (isSeen = true));
  while (looked.length < 99) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(looked).not.toContain(99);
  expect(isSeen).toBe(false);
});
