/** The simulator's clock: faster than the host's, and timers of any length. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createClock,
  httpDate,
  isoTime,
  parsePipelineTime,
  pipelineTime,
} from '../../../src/simulator/lib/clock.ts';

const START = Date.UTC(2026, 7, 24, 10);

describe('a clock', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: START });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('starts with the host or later, and runs as fast as it is told', () => {
    const [same, fast, later] = [createClock(), createClock(60), createClock(1, START + 5_000)];
    vi.advanceTimersByTime(1_000);
    expect(same.now()).toBe(START + 1_000);
    expect(fast.now()).toBe(START + 60_000);
    expect(later.now()).toBe(START + 6_000);
    expect(createClock(1, START - 5_000).now()).toBe(START + 1_000);
  });

  test('wakes once at its time, and not if it was taken back', () => {
    const clock = createClock(10);
    const woken: string[] = [];
    clock.after(20_000, () => woken.push('later'));
    clock.after(-5, () => woken.push('past'));
    clock.after(1_000, () => woken.push('never'))();
    vi.advanceTimersByTime(0);
    expect(woken).toEqual(['past']);
    vi.advanceTimersByTime(1_999);
    expect(woken).toEqual(['past']);
    vi.advanceTimersByTime(1);
    expect(woken).toEqual(['past', 'later']);
    vi.advanceTimersByTime(1_000_000);
    expect(woken).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('wakes after more than a timer can wait for', () => {
    const clock = createClock();
    let wakes = 0;
    clock.after(5_000_000_000, () => (wakes += 1));
    vi.advanceTimersByTime(4_999_999_999);
    expect(wakes).toBe(0);
    vi.advanceTimersByTime(1);
    expect(wakes).toBe(1);
    const cancel = clock.after(5_000_000_000, () => (wakes += 1));
    vi.advanceTimersByTime(3_000_000_000);
    cancel();
    vi.advanceTimersByTime(3_000_000_000);
    expect(wakes).toBe(1);
  });
});

test('times as each service writes them', () => {
  const ms = START + 1_234;
  expect(isoTime(ms)).toBe('2026-08-24T10:00:01.234Z');
  expect(pipelineTime(ms)).toBe('2026-08-24T10:00:01');
  expect(httpDate(ms)).toBe('Mon, 24 Aug 2026 10:00:01 GMT');
});

test.each<[string, number | undefined]>([
  ['2026-08-24T10:00:01', START + 1_000],
  ['2026-08-24T10:00:01Z', undefined],
  ['2026-13-24T10:00:01', undefined],
  ['2026-08-24 10:00:01', undefined],
  ['x2026-08-24T10:00:01', undefined],
  ['', undefined],
])('%j as a time of Data Pipeline is %s', (text, ms) => {
  expect(parsePipelineTime(text)).toBe(ms);
});
