/** The mutants that a source file has, and the sample that a seed repeats. */
import { runInNewContext } from 'node:vm';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

import { mutantsOf, mutated } from './mutants.ts';
import { sample } from './sample.ts';
import { SWITCH, withSwitches } from './switches.ts';

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

describe('all mutants in one text', () => {
  const text = `
export function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  if (sorted.length === 0) return 0;
  const chain = { inner: { values: sorted } } as { inner?: { values: number[] } };
  chain.inner?.values.filter((one) => one > 0).map(String);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}`;
  const mutants = mutantsOf('src/file.ts', text);

  function middleWith(active: number): (values: readonly number[]) => unknown {
    const source = withSwitches(text, mutants, 100);
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ESNext },
    });
    const exported: { middle?: (values: readonly number[]) => unknown } = {};
    const isMutant = (number: number): boolean => number === active;
    runInNewContext(outputText, { exports: exported, [SWITCH]: isMutant });
    return exported.middle ?? (() => undefined);
  }

  test('without one that is active it does what the file does', () => {
    const middle = middleWith(-1);
    expect([middle([]), middle([3, 1, 2]), middle([4, 1, 3, 2])]).toEqual([0, 2, 2.5]);
  });

  test('each one that is active does what its own text does', () => {
    let differing = 0;
    for (const [index, mutant] of mutants.entries()) {
      if (mutant.kind === 'alone') continue;
      const { outputText } = ts.transpileModule(mutated(text, mutant), {
        compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ESNext },
      });
      const exported: { middle?: (values: readonly number[]) => unknown } = {};
      runInNewContext(outputText, { exports: exported });
      const results = [middleWith(100 + index), exported.middle ?? (() => undefined)].map(
        (middle) =>
          [[], [3, 1, 2], [4, 1, 3, 2], [1, 1]].map((values) => {
            try {
              return middle(values);
            } catch {
              return 'thrown';
            }
          }),
      );
      expect(results[0], `${mutant.original} → ${mutant.replacement}`).toEqual(results[1]);
      if (JSON.stringify(results[0]) !== '[0,2,2.5,1]') differing++;
    }
    expect(differing).toBeGreaterThan(10);
  });

  test('the name of what is taken out of an object stays a name', () => {
    const text = 'export const first = ({ 0: one, 1: two = 2 }: number[]) => one! + two;';
    const switched = withSwitches(text, mutantsOf('src/file.ts', text), 0);
    expect(switched).toContain('{ 0: one, 1: two = (__isMutant(');
  });

  test('what would end an optional chain early is left out', () => {
    expect(mutants.some(({ kind }) => kind === 'alone')).toBe(true);
  });
});
