import { expect, test } from 'vitest';
import { createRandom, newSeed } from '../../src/system/random.ts';

test('a seed gives the same numbers on every host: those of mulberry32', () => {
  const random = createRandom(1);
  const numbers = Array.from({ length: 3 }, () => random());
  expect(numbers).toEqual([
    0.627_073_940_588_161_3, 0.002_735_721_180_215_478, 0.527_447_039_959_952_2,
  ]);
  const again = createRandom(1);
  expect(Array.from({ length: 3 }, () => again())).toEqual(numbers);
  expect(createRandom(2)()).not.toBe(numbers[0]);
  // Seeds are whole numbers of 32 bits.
  expect(createRandom(2 ** 32 + 1)()).toBe(numbers[0]);
});

test('numbers are spread over all from 0 to 1', () => {
  const random = createRandom(7);
  const numbers = Array.from({ length: 10_000 }, () => random());
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
  for (const tenth of Array.from({ length: 10 }, (_, index) => index / 10)) {
    const inIt = numbers.filter((number) => number >= tenth && number < tenth + 0.1).length;
    expect(Math.abs(inIt - 1000)).toBeLessThan(150);
  }
});

test('new seeds are whole numbers of 32 bits, and differ', () => {
  const seeds = Array.from({ length: 20 }, newSeed);
  for (const seed of seeds) expect(seed >>> 0).toBe(seed);
  expect(new Set(seeds).size).toBeGreaterThan(15);
});
