/** Whether the threads that work on files still answer. */
import { access } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ThreadPoolWatch, threadPoolAnswers } from '../../../src/jobs/lib/thread-pool.ts';

vi.mock('node:fs/promises', { spy: true });

/** Lets the look that is under way answer, well or badly. */
let answer: (isWell: boolean) => void;
let watch: ThreadPoolWatch;
let isNeeded: boolean;
const looks = (): number => vi.mocked(access).mock.calls.length;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  vi.mocked(access)
    .mockReset()
    .mockImplementation(
      () =>
        new Promise<void>((resolve, reject) => {
          answer = (isWell) => (isWell ? resolve() : reject(new Error('EIO')));
        }),
    );
  isNeeded = true;
  watch = new ThreadPoolWatch(() => isNeeded);
});
afterEach(() => {
  watch.close();
  vi.useRealTimers();
});

test('is asked every five seconds, and only while it matters', async () => {
  await vi.advanceTimersByTimeAsync(4_999);
  expect(looks()).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(looks()).toBe(1);
  answer(true);
  isNeeded = false;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(looks()).toBe(1);
  isNeeded = true;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(looks()).toBe(2);
  watch.close();
  answer(true);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(looks()).toBe(2);
});

test.each([true, false])(
  'no answer for ten seconds: stuck, until one comes (%s)',
  async (isWell) => {
    await vi.advanceTimersByTimeAsync(5_000);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(watch.stuckMs()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(watch.stuckMs()).toBe(10_000);
    await vi.advanceTimersByTimeAsync(7_000);
    expect(watch.stuckMs()).toBe(17_000);
    // One look at a time: each would hold another thread.
    expect(looks()).toBe(1);
    answer(isWell);
    await vi.advanceTimersByTimeAsync(0);
    expect(watch.stuckMs()).toBeUndefined();
  },
);

test('a pool that answers, and one that does not in time', async () => {
  const never = threadPoolAnswers(1);
  expect(await never).toBe(false);
  const answers = threadPoolAnswers(60_000);
  answer(true);
  expect(await answers).toBe(true);
});
