/** The file as values, each with its place; what YAML itself can hold that is no value. */
import { describe, expect, test } from 'vitest';
import { SourceDocument } from '../../../src/config/lib/document.ts';
import type { Environment } from '../../../src/config/lib/document.ts';
import type { Path } from '../../../src/config/lib/problem.ts';

function read(
  text: string,
  environment: Environment = {},
  isText: (path: Path) => boolean = () => false,
) {
  return new SourceDocument(text, environment, isText);
}
const problems = (document: SourceDocument): string[] =>
  document.problems.map(({ line, column, key, message }) => `${line}:${column} ${key}: ${message}`);

describe('a place', () => {
  const document = read('# a comment\na:\n  b: 5\n  c: [x, y]\n  d: { e, f: 1 }\n');

  test.each<[Path, string, string]>([
    [['a'], '3:3', '2:1'],
    [['a', 'b'], '3:6', '3:3'],
    [['a', 'c'], '4:6', '4:3'],
    [['a', 'c', 1], '4:10', '4:10'],
    [['a', 'd', 'f'], '5:14', '5:11'],
    // A key without a value has one place.
    [['a', 'd', 'e'], '5:8', '5:8'],
    // What is not there is where the nearest key above it is.
    [['a', 'none'], '2:1', '2:1'],
    [['a', 'b', 'none', 'x'], '3:3', '3:3'],
    [['none'], '1:1', '1:1'],
  ])('of %j is %s, of its key %s', (path, value, key) => {
    const shown = ({ line, column }: { line: number; column: number }) => `${line}:${column}`;
    expect([shown(document.placeOf(path)), shown(document.keyPlaceOf(path))]).toEqual([value, key]);
  });

  test('of the file is its begin', () => {
    expect(document.keyPlaceOf([])).toEqual({ line: 1, column: 1 });
    expect(read('').placeOf([])).toEqual({ line: 1, column: 1 });
  });

  test('is kept beside the values', () => {
    expect(document.value).toEqual({ a: { b: 5, c: ['x', 'y'], d: { e: null, f: 1 } } });
    expect(read('# nothing\n').value).toBeNull();
  });
});

describe('the letters of a number', () => {
  test('are kept beside it, or instead of it for a key that takes text', () => {
    const text = 'a: 0777\nb: 1e3\nc: true\nd: word\n';
    const document = read(text);
    expect(document.value).toEqual({ a: 777, b: 1000, c: true, d: 'word' });
    const letters = ['a', 'b', 'c', 'd'].map((key) => document.lettersOf([key]));
    expect(letters).toEqual(['0777', '1e3', 'true', undefined]);
    const asText = read(text, {}, ([key]) => key !== 'b');
    expect(asText.value).toEqual({ a: '0777', b: 1000, c: 'true', d: 'word' });
    expect(asText.lettersOf(['a'])).toBeUndefined();
  });

  test('show which numbers look octal', () => {
    const { octalLike } = read('a: 010\nb: -010\nc: +00\nd: 10\ne: 0\nf: 0.5\n');
    expect(octalLike).toEqual([
      [['a'], '010'],
      [['b'], '-010'],
      [['c'], '+00'],
    ]);
  });

  test('of keys are the key', () => {
    expect(read('0042: 1\n1e3: 2\ntrue: 3\n').value).toEqual({ '0042': 1, '1e3': 2, true: 3 });
  });
});

test('a key that is written twice keeps its first value, and the second is reported', () => {
  const document = read('x: 0\na: 1\na: 2\n');
  expect(document.value).toEqual({ x: 0, a: 1 });
  expect(problems(document)).toEqual([
    '3:1 a: is written twice: first in line 2; keep one of them',
  ]);
});

describe('a merge', () => {
  test('adds what is not there; of several bases the first counts', () => {
    const bases = 'one: &one { a: 1, b: 1 }\ntwo: &two { b: 2, c: 2 }\n';
    const merged = (lines: string) => (read(bases + lines).value as { x: unknown }).x;
    expect(merged('x: { <<: *one, a: 0 }\n')).toEqual({ a: 0, b: 1 });
    expect(merged('x: { a: 0, <<: [*one, *two] }\n')).toEqual({ a: 0, b: 1, c: 2 });
    expect(merged('x: { <<: [*two, *one] }\n')).toEqual({ a: 1, b: 2, c: 2 });
    expect(merged('x: { <<: *one, <<: *two }\n')).toEqual({ a: 1, b: 1, c: 2 });
    for (const base of ['{ z: }', '{ z }']) {
      expect(merged(`x: { <<: ${base} }\n`)).toEqual({ z: null });
    }
  });

  test('has its places where the base is', () => {
    const document = read('one: &one\n  a: 1\nx:\n  <<: *one\n');
    expect(document.keyPlaceOf(['x', 'a'])).toEqual({ line: 2, column: 3 });
    expect(document.placeOf(['x', 'a'])).toEqual({ line: 2, column: 6 });
  });

  test.each(['x:\n  <<: 5\n', 'x: &x\n  <<: *x\n', 'x:\n  <<: [5]\n'])('%j is none', (text) => {
    expect(problems(read(text)).join()).toMatch(
      /^2:\d+ x\.<<: expected an alias of a map, such as \*base$/,
    );
  });
});

describe('an alias', () => {
  test('has the value of its anchor', () => {
    expect(read('a: &a [1]\nb: *a\n').value).toEqual({ a: [1], b: [1] });
    expect(problems(read('a: &a [1]\nb: *a\n'))).toEqual([]);
  });

  test('of itself has none, and gets no further error', () => {
    const document = read('a: &a\n  b: *a\n');
    expect(document.value).toEqual({ a: { b: null } });
    expect(document.unknown).toEqual(new Set(['a.b']));
    expect(problems(document)).toEqual(['2:6 a.b: the anchor of *a is not written above it']);
  });

  test('stands for the last node above it that has its anchor', () => {
    const text = 'a: &x 1\nb: *x\nc: &x [2]\nd: *x\ne: { <<: *y }\nf: &y { g: 1 }\nh: { <<: *y }\n';
    const document = read(text);
    expect(document.value).toMatchObject({ b: 1, d: [2], h: { g: 1 } });
    expect(problems(document)).toEqual(['5:10 e.<<: expected an alias of a map, such as *base']);
  });

  test('costs as much as what it stands for, however many there are', () => {
    const costOf = (base: string): number => {
      const jobs = Array.from({ length: 500 }, (_, n) => `  j${n}:\n    ${base}\n    c: [a, b]\n`);
      const start = process.cpuUsage().user;
      read(`base: &base { user: a }\njobs:\n${jobs.join('')}`);
      return process.cpuUsage().user - start;
    };
    costOf('user: a');
    // With a walk through the file for each alias it was ten times as much.
    expect(costOf('<<: *base')).toBeLessThan(5 * Math.max(costOf('user: a'), 10_000));
  });

  test('may be used often, but what aliases add to the file has a limit', () => {
    const list = `a: &a [${'x,'.repeat(999)}x]\n`;
    const uses = (count: number) =>
      read(`${list}b:\n${'  - *a\n'.repeat(count)}`).problems.map(({ message }) => message);
    expect(uses(19)).toEqual([]);
    expect(uses(40)).toEqual(['holds too many aliases of aliases']);
  });
});

describe('${env:NAME}', () => {
  test('is filled in wherever it stands, and the key is remembered as it is written', () => {
    const document = read('a: "x-${env:A}-${env:B}"\nb: [c, "${env:A}"]\nd: "${A}"\n', {
      A: '1',
      B: '',
    });
    expect(document.value).toEqual({ a: 'x-1-', b: ['c', '1'], d: '${A}' });
    expect([...document.fromEnvironment]).toEqual([
      ['a', 'x-${env:A}-${env:B}'],
      ['b.1', '${env:A}'],
    ]);
    expect([problems(document), document.unknown]).toEqual([[], new Set()]);
  });

  test.each([
    ['${env:GONE}', 'the environment variable GONE is not set; set it for the agent'],
    ['${env:A B}', 'expected ${env:NAME} with a name of letters, digits and underscores'],
    ['${env:}', 'expected ${env:NAME}'],
    ['${env:1A}', 'expected ${env:NAME}'],
    ['${env:SET', 'expected ${env:NAME}'],
  ])('%s is a problem, and its key gets no further error', (written, message) => {
    const document = read(`a:\n  b: '${written}'\n`, { SET: '1' });
    expect(problems(document)).toHaveLength(1);
    expect(problems(document)[0]?.startsWith(`2:6 a.b: ${message}`)).toBe(true);
    expect(document.unknown).toEqual(new Set(['a.b']));
    expect(document.value).toEqual({ a: { b: '' } });
  });
});

describe('a syntax error', () => {
  test('is reported once a line, and the first is where the file is broken', () => {
    const document = read('ok: 1\na: @x\nb: "\\d\\e"\n');
    expect(document.problems.map(({ line }) => line)).toEqual([2, 3]);
    expect(document.brokenAt?.line).toBe(2);
    expect(document.problems.every((one) => document.isSyntaxError(one))).toBe(true);
  });

  test('is something else than another problem', () => {
    const document = read('a: 1\na: 2\n');
    expect(document.brokenAt).toBeUndefined();
    expect(document.problems.map((one) => document.isSyntaxError(one))).toEqual([false]);
  });
});
