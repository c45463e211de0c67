/** A syntax error names the key that it is in, and how to write its value. */
import { describe, expect, test } from 'vitest';
import { explainSyntaxError } from '../../../src/config/lib/syntax-errors.ts';

const explained = (reason: string, text: string, line = 1, column = 1) =>
  explainSyntaxError(reason, text, { line, column });

describe('the remedy follows from the reason, or else from how the value begins', () => {
  test.each([
    ['Source contains multiple documents', 'a: b', 'the file holds several documents'],
    ['Tabs are not allowed as indentation', 'a: b', 'a tab indents the line'],
    ['Invalid escape sequence \\d', 'a: "\\d"', 'a backslash in double quotes'],
    ['Missing closing "quote', 'a: "b', 'the closing quote is missing'],
    ["Missing closing 'quote", "a: 'b", 'the closing quote is missing'],
    ['Unresolved alias', 'a: b', 'text that begins with * is an alias'],
    ['Plain value cannot start with reserved character @', 'a: b', 'text cannot begin with this'],
    ['Unexpected token', 'a: *b', 'text that begins with * is an alias'],
    ['Unexpected token', 'a: {b}', 'text that begins with { is a map'],
    ['Unexpected flow-map-start', 'a: b', 'text that begins with { is a map'],
    ['Unexpected token', 'a: [b', 'text that begins with [ is a list'],
    ...['@', '`', '%', '&', '!', '|', '>', '?'].map((sign): [string, string, string] => [
      'Unexpected token',
      `a: ${sign}b`,
      'text cannot begin with this character',
    ]),
    ['Nested mappings are not allowed', 'a: b: c', 'a colon and a blank within text'],
    ['Implicit keys need to be on a single line', 'a: b', 'a colon and a blank within text'],
    ['A block collection cannot start here', 'a: b', 'a colon and a blank within text'],
  ])('%s: %s', (reason, text, remedy) => {
    expect(explained(reason, text).message).toContain(remedy);
  });

  test('a reason without a remedy is told as it is', () => {
    expect(explained('Something Else', 'a: b').message).toBe(
      "something Else; put the value in single quotes: '…' if it is text",
    );
  });
});

describe('the key', () => {
  test('is the one of the line, with those around it by their indentation', () => {
    const text = 'x: 1\njobs:\n  other:\n    a: 1\n  copy:\n    stop:\n      grace: @1\n';
    expect(explained('?', text, 7, 14).key).toBe('jobs.copy.stop.grace');
    expect(explained('?', text, 1, 1).key).toBe('x');
    expect(explained('?', text, 5, 1).key).toBe('jobs.copy');
  });

  test('in a list is that of the item', () => {
    const text = 'list:\n  - name: a\n    value: @b\n  - name: @c\n';
    expect(explained('?', text, 3).key).toBe('list.value');
    expect(explained('?', text, 4).key).toBe('list.name');
  });

  test('within braces is the last one before the place', () => {
    const text = 'a: { b: 1, c: { d: @x, e: 2 }, f: 3 }';
    expect(explained('?', text, 1, text.indexOf('@') + 1).key).toBe('a.c.d');
    expect(explained('?', text, 1, text.indexOf('1') + 1).key).toBe('a.b');
    expect(explained('?', text, 1, text.indexOf('2') + 1).key).toBe('a.c.e');
    expect(explained('?', text, 1, 1).key).toBe('a');
  });

  test('within braces has a value of its own', () => {
    const remedy = (text: string): string => explained('?', text, 1, text.indexOf('x') + 1).message;
    expect(remedy('a: { b: *x }')).toContain('text that begins with * is an alias');
    expect(remedy('a: { b: 1, c: [x }')).toContain('text that begins with [ is a list');
    expect(remedy('a: { b: 1, c: x }')).toContain('if it is text');
  });

  test('may be in quotes', () => {
    expect(explained('?', '"a b": @x').key).toBe('a b');
    expect(explained('?', "'a b': { 'c': @x }", 1, 15).key).toBe('a b.c');
  });

  test('is missing where a line has none, and where the whole file is meant', () => {
    expect(explained('?', 'just text').key).toBe('(yaml)');
    expect(explained('?', '').key).toBe('(yaml)');
    expect(explained('?', 'a: b', 9).key).toBe('(yaml)');
    expect(explained('multiple documents', 'a: b').key).toBe('(yaml)');
    expect(explained('Tabs are not allowed', 'a: b').key).toBe('(yaml)');
  });
});
