/** Very many things are taken in slices of a few milliseconds, by a clock that moves by hand here. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { inSlices } from '../../../src/control/lib/slices.ts';

/** How many things were taken whenever the loop turned. */
async function turns(count: number, msEach: number): Promise<number[]> {
  let nowMs = 5_000;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  onTestFinished(() => {
    clock.mockRestore();
  });
  const seen: number[] = [];
  let taken = 0;
  let isOver = false;
  const watch = (): void => {
    if (isOver) return;
    seen.push(taken);
    setImmediate(watch);
  };
  setImmediate(watch);
  const work = inSlices(Array.from({ length: count }).keys(), (item) => {
    expect(item).toBe(taken);
    taken += 1;
    nowMs += msEach;
  });
  await work;
  isOver = true;
  expect(taken).toBe(count);
  return [...new Set(seen)];
}

test('what is quick is taken at one stroke', async () => {
  expect(await turns(1_000, 0)).toEqual([]);
  expect(await turns(0, 0)).toEqual([]);
});

test('what is slow lets the loop turn after each fifty', async () => {
  expect(await turns(220, 1)).toEqual([50, 100, 150, 200]);
});

test('the time is looked at after each fifty, and three milliseconds pass from turn to turn', async () => {
  expect(await turns(500, 1 / 64)).toEqual([200, 400]);
});
