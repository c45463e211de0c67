import { expect, test } from 'vitest';
import {
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  SECOND_MS,
  after,
  isBelievable,
  iso,
  rebase,
  wallMsOf,
} from '../../../src/core/lib/time.ts';

test('every number is shown as a date, the nearest that there is', () => {
  expect(iso(Date.UTC(2026, 0, 1))).toBe('2026-01-01T00:00:00.000Z');
  expect(iso(Infinity)).toBe('+275760-09-13T00:00:00.000Z');
  expect(iso(26_000_000_000_000_000_000)).toBe('+275760-09-13T00:00:00.000Z');
  expect(iso(-Infinity)).toBe('-271821-04-20T00:00:00.000Z');
  expect(iso(NaN)).toBe('1970-01-01T00:00:00.000Z');
  expect(wallMsOf(iso(1_767_225_600_123))).toBe(1_767_225_600_123);
});

test('the units are those of the calendar', () => {
  expect([SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS]).toEqual([1000, 60_000, 3_600_000, 86_400_000]);
});

test('time passes on both clocks', () => {
  expect(after({ wallMs: 100, bootMs: 7 }, 5)).toEqual({ wallMs: 105, bootMs: 12 });
  expect(after({ wallMs: 100, bootMs: 7 }, -5)).toEqual({ wallMs: 95, bootMs: 2 });
});

test('an instant of an earlier boot is as old as the calendar says, be it before the boot or ahead', () => {
  const now = { wallMs: 1_000_000, bootMs: 50 };
  expect(rebase({ wallMs: 999_000, bootMs: 77_777 }, now)).toEqual({
    wallMs: 999_000,
    bootMs: -950,
  });
  expect(rebase({ wallMs: 1_000_010, bootMs: 3 }, now)).toEqual({ wallMs: 1_000_010, bootMs: 60 });
});

test.each([
  ['2019-12-31T23:59:59.999Z', false],
  ['2020-01-01T00:00:00.000Z', true],
  ['2098-12-31T23:59:59.999Z', true],
  ['2099-01-01T00:00:00.000Z', false],
])('a clock that shows %s works: %s', (text, expected) => {
  expect(isBelievable(wallMsOf(text))).toBe(expected);
});
