/** Rounds of checks: one at a time, with a pause between them, while there is something to check. */
import { afterEach, expect, test } from 'vitest';
import { pauseByDuration, PollLoop } from '../../../src/jobs/tracked/poll-loop.ts';
import { until } from '../../support/until.ts';

let loop: PollLoop;
afterEach(() => loop.close());

test.each([
  [0, 1000],
  [50, 1000],
  [51, 1020],
  [1500, 30_000],
  [60_000, 30_000],
])('a round of %d ms is followed by a pause of %d ms', (tookMs, pauseMs) => {
  loop = new PollLoop(
    () => 1,
    () => Promise.resolve(false),
  );
  expect(pauseByDuration(1000)(tookMs)).toBe(pauseMs);
});

test('what is new is checked at once, not after the pause', async () => {
  let checks = 0;
  loop = new PollLoop(
    () => 3_600_000,
    () => Promise.resolve(++checks > 0),
  );
  loop.wake();
  await until('it is checked', () => checks === 1);
  loop.wake();
  await until('it is checked again', () => checks === 2);
});

test('what comes while a round goes on is checked in the next one, even if that left nothing', async () => {
  let checks = 0;
  let end: (isLeft: boolean) => void = () => undefined;
  loop = new PollLoop(
    () => 3_600_000,
    () => {
      checks += 1;
      return new Promise((resolve) => (end = resolve));
    },
  );
  loop.wake();
  loop.wake();
  loop.wake();
  expect(checks).toBe(1);
  end(false);
  await until('the next round', () => checks === 2);
  end(false);
  await new Promise((resolve) => setImmediate(resolve));
  expect(checks).toBe(2);
  // It had ended, and begins again.
  loop.wake();
  await until('another round', () => checks === 3);
  end(true);
});

test('the pause is that of the round before it', async () => {
  const pauses: number[] = [];
  let checks = 0;
  loop = new PollLoop(
    (tookMs) => {
      pauses.push(tookMs);
      return 1;
    },
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return ++checks < 3;
    },
  );
  loop.wake();
  await until('three rounds', () => checks === 3);
  expect(pauses.length).toBeGreaterThanOrEqual(2);
  for (const tookMs of pauses) {
    expect(tookMs).toBeGreaterThanOrEqual(4);
    expect(tookMs).toBeLessThan(60_000);
  }
});

test('closing ends the pause, tells the round, and no other begins', async () => {
  let checks = 0;
  let signal: AbortSignal | undefined;
  loop = new PollLoop(
    () => 3_600_000,
    (closing) => {
      signal = closing;
      return Promise.resolve(++checks > 0);
    },
  );
  loop.wake();
  await until('a round', () => checks === 1);
  await loop.close();
  expect(signal?.aborted).toBe(true);
  loop.wake();
  await loop.close();
  expect(checks).toBe(1);
});
