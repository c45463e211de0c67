/** Text by the columns that it takes. */
import { describe, expect, test } from 'vitest';
import { displayWidth, truncate, wrap } from '../../../src/cli/terminal/printable.ts';

test.each([
  ['', 0],
  ['abc', 3],
  ['äöü', 3],
  ['日本', 4],
  ['a日', 3],
  ['👩‍👩‍👧', 2],
])('%s takes %i columns', (text, columns) => {
  expect(displayWidth(text)).toBe(columns);
});

test.each([
  ['abc', 3, 'abc'],
  ['abcd', 3, 'ab…'],
  ['abcd', 1, '…'],
  ['abcd', 0, ''],
  ['abcd', -1, ''],
  ['', 0, ''],
  ['日本', 4, '日本'],
  ['日本', 3, '日…'],
  ['日本', 2, '…'],
])('%s in %i columns is %s', (text, width, cut) => {
  expect(truncate(text, width)).toBe(cut);
});

describe('lines are broken', () => {
  test.each([
    ['one two three', 7, ['one two', 'three']],
    ['one two three', 6, ['one', 'two', 'three']],
    ['one two three', 13, ['one two three']],
    ['', 5, ['']],
    ['a bb', 1, ['a', 'b', 'b']],
    ['a b', 0, ['a', 'b']],
    ['abcdef', 3, ['abc', 'def']],
    ['x abcdefg', 3, ['x', 'abc', 'def', 'g']],
    ['abcd e', 3, ['abc', 'd e']],
    ['日本語', 4, ['日本', '語']],
  ])('%s in %i columns', (text, width, lines) => {
    expect(wrap(text, width)).toEqual(lines);
  });
});
