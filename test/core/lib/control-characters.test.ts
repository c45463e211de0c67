/** A terminal obeys nothing of what others wrote. */
import { expect, test } from 'vitest';
import { escapeControls, withoutControls } from '../../../src/core/lib/control-characters.ts';

test.each([
  ['plain text, tab\tand é€😀 stay', 'plain text, tab\tand é€😀 stay'],
  ['\u001b[31mred', ' [31mred'],
  ['a\r\nb', 'a  b'],
  ['\u009b31m', ' 31m'],
  ['abc\u202edcba', 'abc dcba'],
  ['a\u2028b\u2029c', 'a b c'],
])('%j as a line', (text, expected) => {
  expect(withoutControls(text)).toBe(expected);
});

test.each([
  ['{\n  "a": "b"\n}', '{\n  "a": "b"\n}'],
  ['"\u009b"', '"\\u009b"'],
  ['"\u202e"', '"\\u202e"'],
  ['"\u2028"', '"\\u2028"'],
  ['\t', '\\u0009'],
  ['\u{e0001}', '\\udb40\\udc01'],
])('%j as JSON', (json, expected) => {
  expect(escapeControls(json)).toBe(expected);
});
