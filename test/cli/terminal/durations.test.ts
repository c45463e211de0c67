/** Lengths of time at their borders, and moments of today and of another day. */
import { expect, test } from 'vitest';
import {
  coarseSpanSince,
  moment,
  span,
  spanSince,
  spanUntil,
} from '../../../src/cli/terminal/durations.ts';

const NOW = new Date('2026-11-22T03:12:00.000Z');
const SECOND = 1_000;
const [MINUTE, HOUR, DAY] = [60 * SECOND, 3_600 * SECOND, 86_400 * SECOND];

test.each([
  [999, '0s'],
  [MINUTE - 1, '59s'],
  [MINUTE, '1m00s'],
  [HOUR - 1, '59m59s'],
  [HOUR, '1h00m'],
  [DAY - 1, '23h59m'],
  [DAY, '1d0h'],
  [3 * DAY + 23 * HOUR, '3d23h'],
  [-MINUTE, '1m00s'],
])('%i ms is %s', (ms, text) => {
  expect(span(ms)).toBe(text);
});

test.each([
  [5 * SECOND, '5s'],
  [2 * MINUTE + 5 * SECOND, '2m'],
  [26 * HOUR, '1d'],
  [23 * HOUR, '23h'],
  [-5 * SECOND, '0s'],
])('%i ms ago is %s in one unit', (ms, text) => {
  expect(coarseSpanSince(new Date(NOW.getTime() - ms).toISOString(), NOW)).toBe(text);
});

test('what has not come yet began 0s ago, and what is over comes in 0s', () => {
  const [before, after] = ['2026-11-22T03:10:00.000Z', '2026-11-22T03:14:00.000Z'];
  expect([spanSince(before, NOW), spanSince(after, NOW)]).toEqual(['2m00s', '0s']);
  expect([spanUntil(before, NOW), spanUntil(after, NOW)]).toEqual(['0s', '2m00s']);
});

test('a moment has its day, unless that is today', () => {
  expect(moment('2026-11-22T02:14:09.123Z', NOW)).toBe('02:14:09');
  expect(moment('2026-11-21T02:14:09.123Z', NOW)).toBe('2026-11-21 02:14:09');
});
