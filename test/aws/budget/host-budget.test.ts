/** One host's bucket: what it holds at the start, what it earns, what it gives and takes back, to the fraction of a call. */
import { expect, onTestFinished, test } from 'vitest';
import { HostBudget } from '../../../src/aws/budget/host-budget.ts';
import { bucketOf } from '../../../src/core/scheduling/token-bucket.ts';
import type { Rate } from '../../../src/core/model/settings.ts';

const RATE: Rate = { perSecond: 10, burst: 100 };
/** 90 calls, 0.0099 a millisecond. */
const { capacity, perMs } = bucketOf(RATE);

interface Bench {
  readonly budget: HostBudget;
  readonly wait: (ms: number) => void;
  readonly faults: unknown[];
}

function bench(level: number, rate = RATE): Bench {
  let nowMs = 1000;
  const faults: unknown[] = [];
  const budget = new HostBudget({
    rate,
    level,
    monotonicMs: () => nowMs,
    fault: (error) => faults.push(error),
  });
  onTestFinished(async () => {
    await budget.close();
    expect(faults).toEqual([]);
  });
  return { budget, faults, wait: (ms) => void (nowMs += ms) };
}

test('begins with the level that it is given, its capacity at most, and never with a debt', async () => {
  expect(bench(50.5).budget.level()).toBe(50.5);
  expect(bench(Infinity).budget.level()).toBe(capacity);
  const { budget } = bench(50.5);
  expect(await budget.take(100)).toBe(50);
  expect(budget.level()).toBeCloseTo(0.5);
  expect(await budget.take(1)).toBe(0);
});

test('gives no more than is asked for', async () => {
  const { budget } = bench(10);
  expect([await budget.take(3), await budget.take(3), budget.level()]).toEqual([3, 3, 4]);
});

test('earns with time, keeps the fraction of a call, and never more than its capacity', async () => {
  const { budget, wait } = bench(0);
  wait(150);
  expect(budget.level()).toBeCloseTo(150 * perMs);
  expect(await budget.take(10)).toBe(1);
  expect(budget.level()).toBeCloseTo(150 * perMs - 1);
  wait(150);
  expect(await budget.take(10)).toBe(1);
  expect(budget.level()).toBeCloseTo(300 * perMs - 2);
  wait(1e9);
  expect(budget.level()).toBe(capacity);
  expect(await budget.take(1000)).toBe(Math.floor(capacity));
});

test('a clock that falls earns nothing, and takes nothing', () => {
  const { budget, wait } = bench(5);
  wait(-500);
  expect(budget.level()).toBe(5);
  wait(100);
  expect(budget.level()).toBeCloseTo(5 + 100 * perMs);
});

test('calls that were not made come back, up to the capacity', async () => {
  const { budget } = bench(10);
  expect(await budget.take(4)).toBe(4);
  budget.giveBack(3);
  expect(budget.level()).toBe(9);
  budget.giveBack(1000);
  expect(budget.level()).toBe(capacity);
  expect(await budget.take(1000)).toBe(Math.floor(capacity));
});

test('calls that were made with the budget of the pool are deducted, as far as there are any', async () => {
  const { budget, wait } = bench(10.25);
  budget.spend(4);
  expect(budget.level()).toBeCloseTo(6.25);
  wait(1 / perMs);
  budget.spend(100);
  expect(budget.level()).toBeCloseTo(0.25);
  expect(await budget.take(1)).toBe(0);
  wait(1 / perMs);
  expect(await budget.take(10)).toBe(1);
});

test('when emptied it holds nothing, not even a fraction', async () => {
  const { budget, wait } = bench(10.5);
  wait(50);
  budget.empty();
  expect(budget.level()).toBe(0);
  expect(await budget.take(1)).toBe(0);
  wait(100);
  expect(budget.level()).toBeCloseTo(100 * perMs);
});

test('a part that is being given is not taken away by a change meanwhile', async () => {
  for (const change of [
    (budget: HostBudget) => budget.empty(),
    (budget: HostBudget) => budget.spend(100),
    (budget: HostBudget) => budget.setRate({ perSecond: 1, burst: 1 }),
  ]) {
    const { budget } = bench(10);
    const taking = budget.take(6);
    change(budget);
    expect(await taking).toBe(6);
    expect(budget.level()).toBeLessThan(1.01);
    expect(await budget.take(10)).toBeLessThanOrEqual(1);
  }
});

test('a smaller rate cuts what it holds, a larger one adds nothing; from then on it earns by the new one', () => {
  const { budget, wait } = bench(50.5);
  const smaller = bucketOf({ perSecond: 1, burst: 10 });
  budget.setRate({ perSecond: 1, burst: 10 });
  expect(budget.level()).toBeCloseTo(smaller.capacity);
  budget.setRate(RATE);
  expect(budget.level()).toBeCloseTo(smaller.capacity);
  wait(100);
  expect(budget.level()).toBeCloseTo(smaller.capacity + 100 * perMs);
});

test('what was earned before a change of the rate was earned by the old one', () => {
  const { budget, wait } = bench(0);
  wait(1000);
  budget.setRate({ perSecond: 20, burst: 100 });
  expect(budget.level()).toBeCloseTo(1000 * perMs);
});

test('the next call is ready at the millisecond at which it has been earned, and not before', async () => {
  const { budget, wait } = bench(0.25);
  const ready = budget.readyInMs();
  expect(ready).toBe(Math.ceil(0.75 / perMs));
  wait(ready - 1);
  expect(await budget.take(1)).toBe(0);
  wait(1);
  expect(budget.readyInMs()).toBe(0);
  expect(await budget.take(1)).toBe(1);
});

test.each<[Rate, number]>([
  // A quarter of a second, or ten calls, or half of the bucket: whichever comes first.
  [{ perSecond: 10, burst: 100 }, 250],
  [
    { perSecond: 100, burst: 1000 },
    Math.floor(10 / bucketOf({ perSecond: 100, burst: 1000 }).perMs),
  ],
  [
    { perSecond: 20, burst: 5 },
    Math.floor(
      bucketOf({ perSecond: 20, burst: 5 }).capacity /
        2 /
        bucketOf({ perSecond: 20, burst: 5 }).perMs,
    ),
  ],
])('of %j it is worth asking again after %d ms', (rate, ms) => {
  expect(bench(5, rate).budget.worthwhileInMs()).toBe(ms);
});

test('it is never worth asking before a call is ready', () => {
  const { budget } = bench(0, { perSecond: 0.1, burst: 10 });
  expect(budget.worthwhileInMs()).toBe(budget.readyInMs());
  expect(budget.readyInMs()).toBeGreaterThan(9_000);
});
