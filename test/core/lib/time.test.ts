import { expect, test } from 'vitest';
import { iso } from '../../../src/core/lib/time.ts';

test('every number is shown as a date, the nearest that there is', () => {
  expect(iso(Date.UTC(2026, 0, 1))).toBe('2026-01-01T00:00:00.000Z');
  expect(iso(Infinity)).toBe('+275760-09-13T00:00:00.000Z');
  expect(iso(26_000_000_000_000_000_000)).toBe('+275760-09-13T00:00:00.000Z');
  expect(iso(-Infinity)).toBe('-271821-04-20T00:00:00.000Z');
  expect(iso(NaN)).toBe('1970-01-01T00:00:00.000Z');
});
