/** The mutants that a source file has, and the sample that a seed repeats. */
import { expect, test } from 'vitest';

import { mutantsOf, mutated } from './mutants.ts';
import { sample } from './sample.ts';

/** The text after each change, in the order of the file. */
function changes(text: string): readonly string[] {
  return mutantsOf('src/file.ts', text).map((mutant) => mutated(text, mutant));
}

test.each([
  ['a < b;', 'a <= b;'],
  ['a && b;', 'a || b;'],
  ['a ?? b;', '(b);'],
  ['if (a) b();', 'b();'],
  ['if (a) b();', ';'],
  ['x = !a;', 'x = !!a;'],
  ['x = a ? b : c;', 'x = (c);'],
  ['x = 3;', 'x = 4;'],
  ['x = a.toSorted(by);', 'x = a;'],
  ['x = Math.min(a, b);', 'x = Math.max(a, b);'],
  ['x = a.some(f);', 'x = a.every(f);'],
  ['function f() { return a; }', 'function f() { return undefined; }'],
  ['function f() { g(); }', 'function f() { ; }'],
])('%s can become %s', (text, changed) => {
  expect(changes(text)).toContain(changed);
});

test('types, imports and calls of a parent are left alone', () => {
  expect(changes("import a from 'a';\ntype B = 1 | 2;\ninterface C { d: 3 }")).toEqual([]);
  expect(changes('let a: 1 | 2;')).toEqual([]);
  expect(changes('class A extends B { constructor() { super(); } }')).toEqual([]);
  expect(changes('a.toString();')).toEqual([';']);
});

test('a mutant names its line', () => {
  expect(mutantsOf('src/file.ts', '\n\nx = 3;').map(({ line }) => line)).toEqual([3, 3]);
});

test('a sample is the same for the same seed, another for another one, and never has an item twice', () => {
  const items = Array.from({ length: 100 }, (_, index) => index);
  expect(sample(items, 10, 1)).toEqual(sample(items, 10, 1));
  expect(sample(items, 10, 1)).not.toEqual(sample(items, 10, 2));
  expect(new Set(sample(items, 1000, 3)).size).toBe(100);
});
