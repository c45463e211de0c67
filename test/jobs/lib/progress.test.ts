/** Shares and sizes as people read them. */
import { expect, test } from 'vitest';
import { bytesText, percentOf, wholePercent } from '../../../src/jobs/lib/progress.ts';

test.each([
  [0, 10, 0],
  [1, 3, 33],
  [29, 100, 29],
  [999, 1000, 99],
  [10, 10, 100],
  [11, 10, 100],
  [-1, 10, 0],
  [1, 1, 100],
  [0, 0, undefined],
  [1, 0, undefined],
  [1, -1, undefined],
])('%d of %d is %s percent', (done, total, percent) => {
  expect(percentOf(done, total)).toBe(percent);
});

test('what is no number is no percent', () => {
  expect([NaN, Infinity, -Infinity].map(wholePercent)).toEqual([undefined, undefined, undefined]);
  expect([0.999, 28.999999999999996, 99.999].map(wholePercent)).toEqual([0, 29, 99]);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [99_900, '99.9 kB'],
  [99_949, '99.9 kB'],
  [99_950, '100 kB'],
  [999_900, '1000 kB'],
  [999_950, '1.0 MB'],
  [1.5e9, '1.5 GB'],
  [2e12, '2.0 TB'],
  [3e15, '3.0 PB'],
  [4e18, '4000 PB'],
])('%d bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});
