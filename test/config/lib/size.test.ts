import { expect, test } from 'vitest';
import { parseSize } from '../../../src/config/lib/size.ts';

test.each([
  ['10 GB', 10_000_000_000],
  ['10GB', 10_000_000_000],
  ['1.5 TiB', 1_649_267_441_664],
  ['512 KiB', 524_288],
  ['512 kB', 512_000],
  ['3G', 3_000_000_000],
  ['100 B', 100],
  ['100', 100],
])('%s is %i bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(['', 'GB', '10 XB', '-1 GB', '1e9', '10  GB'])('%j is no size', (text) => {
  expect(parseSize(text)).toBeUndefined();
});

test('a part of a byte is rounded', () => {
  expect([parseSize('1.0006 kB'), parseSize('1.0004 kB')]).toEqual([1001, 1000]);
});
