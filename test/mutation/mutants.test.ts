/** The mutants that a source file has, and the sample that a seed repeats. */
import { runInNewContext } from 'node:vm';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

import { mutantsOf, mutated, WAYS } from './mutants.ts';
import { sample } from './sample.ts';
import { SWITCH, withSwitches } from './switches.ts';
import { tableOf } from './table.ts';

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
  ['a && b;', '(a);'],
  ['a || b;', '(b);'],
  ['a ?? b;', '(a);'],
  ['x = a + 1;', 'x = (a);'],
  ['x = a - 1;', 'x = (a);'],
  ['if (a) b(); else c();', 'b();'],
  ['if (a) b(); else c();', 'c();'],
  ['x = await a();', 'x = (a());'],
  ['f(a, b, 3);', 'f(b, a, 3);'],
  ['f("x", 1, 2);', 'f("x", 2, 1);'],
  ['new F(a, b);', 'new F(b, a);'],
  ['x = { a: 1, b };', 'x = { ...{}, b };'],
  ['x = { a: 1, b };', 'x = { a: 1, ...{} };'],
  ['x = { ...a };', 'x = { ...{} };'],
  ['function f() { if (a) { b(); return; } c(); }', 'function f() { if (a) { b(); ; } c(); }'],
  ['for (;;) { if (a) { b(); continue; } c(); }', 'for (;;) { if (a) { b(); ; } c(); }'],
  ['switch (a) { case b: c(); break; }', 'switch (a) { case b: c(); ; }'],
  ['x = a.filter(f);', 'x = a;'],
  ['x = a.toLowerCase();', 'x = a;'],
  ['x = Math.floor(a);', 'x = Math.ceil(a);'],
  ['x = a.find(f);', 'x = a.findLast(f);'],
])('%s can become %s', (text, changed) => {
  expect(changes(text)).toContain(changed);
});

test('types, imports and calls of a parent are left alone', () => {
  expect(changes("import a from 'a';\ntype B = 1 | 2;\ninterface C { d: 3 }")).toEqual([]);
  expect(changes('let a: 1 | 2;')).toEqual([]);
  expect(changes('class A extends B { constructor() { super(); } }')).toEqual([]);
  expect(changes('a.toString();')).toEqual([';']);
});

test.each([
  // Nothing follows; the guard is a mutant of its own.
  'function f() { return; }',
  'function f() { if (a) return; }',
  // The same, or no arguments that could be taken for each other.
  'x = f(a, a) as { b: 1 };',
  'x = f(a, "b");',
  'x = f(() => a, () => b);',
  'x = { a: undefined };',
])('%s has no mutant of its jump, its arguments or its property', (text) => {
  const ways = mutantsOf('src/file.ts', text).map(({ way }) => way);
  expect(ways).not.toContain('jump');
  expect(ways).not.toContain('arguments');
  expect(ways).not.toContain('property');
});

test('no property is left out where an object is taken apart', () => {
  const texts = [
    '({ a, b: [c], ...d } = e);',
    'for ({ a } of b) c;',
    '[{ a }] = b;',
    'const { a } = b;',
  ];
  for (const text of texts) {
    const ways = mutantsOf('src/file.ts', text).map(({ way }) => way);
    expect(ways, text).not.toContain('property');
  }
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
  if (sorted.length === 0 || !sorted.every((one) => Number.isFinite(one))) return 0;
  const unused = { ...{ count: 1 }, sorted, at: sorted.slice(0, 1).length + half(sorted) };
  switch (unused.count + 1) {
    case 2: {
      sorted.push(unused.at);
      sorted.pop();
      break;
    }
    default:
      return -1;
  }
  const chain = { inner: { values: sorted } } as { inner?: { values: number[] } };
  chain.inner?.values.filter((one) => one > 0).map(String);
  return sorted.length % 2 === 1 ? sorted[half(sorted)]! : (sorted[half(sorted) - 1]! + sorted[half(sorted)]!) / 2;
}

function half(values: readonly number[]): number {
  return values.length >> 1;
}`;
  const mutants = mutantsOf('src/file.ts', text);

  test('they are of every way that needs no promise', () => {
    const ways = new Set(mutants.map(({ way }) => way));
    for (const way of WAYS) if (way !== 'await' && way !== 'boolean') expect(ways).toContain(way);
  });

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

describe('the table of a folder', () => {
  const [kept, gone, other] = mutantsOf('src/agent/loop.ts', 'x = 1;\ny = 2;');

  test('names what was not noticed, and counts by file and by way', () => {
    const table = tableOf(
      'a',
      [
        { mutant: kept!, verdict: 'survived' },
        { mutant: gone!, verdict: 'noticed' },
      ],
      7,
    );
    expect(table.split('\n')).toEqual([
      'survived  src/agent/loop.ts:1 x = 1; → ;',
      '',
      'a: 1 of 2 noticed (50 %), of 7 possible',
      '  src/agent/loop.ts: 1 of 2 noticed (50 %)',
      '  number: 1 of 1 noticed (100 %)',
      '  statement: 0 of 1 noticed (0 %)',
      '',
    ]);
  });

  test('does not count what cannot be tried', () => {
    const table = tableOf(
      'a',
      [
        { mutant: gone!, verdict: 'noticed' },
        { mutant: other!, verdict: 'alone' },
      ],
      7,
    );
    expect(table).toContain('a: 1 of 1 noticed (100 %), of 7 possible');
  });

  test('says no share while something was not tried to the end', () => {
    const table = tableOf(
      'a',
      [
        { mutant: kept!, verdict: 'survived' },
        { mutant: gone!, verdict: 'noticed' },
        { mutant: other!, verdict: 'open' },
      ],
      7,
    );
    expect(table).toBe(
      'survived  src/agent/loop.ts:1 x = 1; → ;\n\na: 1 noticed, 1 not, 1 not tried to the end\n',
    );
  });
});
