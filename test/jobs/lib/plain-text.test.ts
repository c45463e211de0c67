/** Output of programs as one plain line, masked before it is cut. */
import { expect, test } from 'vitest';
import { plainDetail, plainLine } from '../../../src/jobs/lib/plain-text.ts';

test.each([
  ['  at 5 %  ', 'at 5 %'],
  ['\u001b[1;31mred\u001b[0m', 'red'],
  ['\u001b]0;title\u0007text', 'text'],
  ['\u001b]0;title\u001b\\text', 'text'],
  ['a\r\n\tb', 'a b'],
  ['a\u2028b\u2029c\u0085d', 'a b c d'],
  ['\u001bM', ''],
])('%j is %j', (text, line) => {
  expect(plainLine(text)).toBe(line);
});

const mask = (text: string): string => text.replaceAll('hunter2', '***');

test('a detail keeps what fits, and shows where it was cut', () => {
  expect(plainDetail('12345', 5, mask)).toBe('12345');
  expect(plainDetail('123456', 5, mask)).toBe('1234…');
  // No half of a surrogate pair.
  expect(plainDetail('123😀6', 5, mask)).toBe('123…');
});

test('a secret that the cut would go through is masked whole', () => {
  expect(plainDetail('key hunter2 and more', 8, mask)).toBe('key ***…');
});
