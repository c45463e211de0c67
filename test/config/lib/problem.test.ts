/** How problems are written and sorted. */
import { expect, test } from 'vitest';
import {
  formatProblem,
  formatWarning,
  keyOf,
  sortProblems,
} from '../../../src/config/lib/problem.ts';
import type { Problem } from '../../../src/config/lib/problem.ts';

const at = (line: number, column: number, key = 'k', message = 'm'): Problem => ({
  ...{ line, column, key, message },
});

test('one problem is one line', () => {
  expect(formatProblem('f.yaml', at(2, 3, 'a.b', 'is wrong:\n   quite \r\n wrong'))).toBe(
    'f.yaml:2:3 a.b: is wrong: quite wrong',
  );
  expect(formatWarning('f.yaml', at(2, 3, 'a.b', 'is risky'))).toBe(
    'f.yaml:2:3 a.b: warning: is risky',
  );
});

test('they are sorted by line, column, key and message', () => {
  const sorted = [
    at(1, 2, 'z'),
    at(1, 10, 'y'),
    at(2, 1, 'a', 'x'),
    at(2, 1, 'a', 'y'),
    at(2, 1, 'b', 'a'),
    at(10, 1),
  ];
  expect(sortProblems(sorted.toReversed())).toEqual(sorted);
  expect(sortProblems(sorted)).toEqual(sorted);
});

test('what is reported of a key twice in a row is shown once', () => {
  expect(sortProblems([at(3, 1), at(1, 1), at(2, 1)])).toEqual([at(1, 1)]);
  const others = [at(1, 1, 'a', 'm'), at(1, 1, 'b', 'm'), at(1, 2, 'b', 'n')];
  expect(sortProblems(others)).toEqual(others);
});

test('a key is dotted; the file itself has a name, too', () => {
  expect([keyOf([]), keyOf(['a']), keyOf(['a', 0, 'b'])]).toEqual(['(file)', 'a', 'a.0.b']);
});
