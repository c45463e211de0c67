/** Messages for what the schema does not take: what is expected, what was found, and what to write. */
import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { issueMessage } from '../../src/config/issues.ts';
import { loadConfiguration } from '../../src/config/load.ts';

const message = (issue: object): string | undefined => issueMessage(issue as z.core.$ZodRawIssue);
const type = (expected: string, input: unknown) =>
  message({ code: 'invalid_type', expected, input });

test.each([
  ['object', 'x', 'expected a map of keys, found "x"'],
  ['record', 5, 'expected a map of keys, found the number 5'],
  ['array', {}, 'expected a list, found a map'],
  ['string', [], 'expected text, found a list'],
  ['number', 'x', 'expected a number, found "x"'],
  ['int', 1.5, 'expected a whole number, found the number 1.5'],
  ['boolean', 1, 'expected true or false, found the number 1'],
  ['date', 1, 'expected date, found the number 1'],
])('%s instead of %j: %s', (expected, input, words) => {
  expect(type(expected, input)).toBe(words);
});

test.each([
  ...['yes', 'on', 'y', 'YES'].map((word) => [word, '; write true']),
  ...['no', 'off', 'n', 'Off'].map((word) => [word, '; write false']),
  ...['yess', 'maybe', 'none'].map((word) => [word, '']),
])('%s for true or false: %j', (word, remedy) => {
  expect(type('boolean', word)).toBe(`expected true or false, found "${word}"${remedy}`);
});

test('a map in the place of text was probably text', () => {
  expect(type('string', { host: null })).toBe(
    "expected text, found a map; if it is text, put it in quotes: '{host}'",
  );
  expect(type('string', { 'echo a': 'b' })).toBe(
    'expected text, found a map; if it is text, put it in quotes: a colon and a blank begin a map',
  );
  expect(type('string', {})).toBe('expected text, found a map');
  expect(type('array', { a: null })).toBe('expected a list, found a map');
  expect(type('string', 'yes')).toBe('expected text, found "yes"');
});

test('a value that is missing or empty, whatever was expected', () => {
  expect(type('string', undefined)).toBe('is missing');
  expect(type('string', null)).toBe('is empty: give it a value, or leave the key out');
});

test('limits, names, and what has its own message', () => {
  const input = 7;
  expect(message({ code: 'too_small', minimum: 8, input })).toBe(
    'must be 8 at least, found the number 7',
  );
  expect(message({ code: 'too_big', origin: 'number', maximum: 6, input })).toBe(
    'must be 6 at most, found the number 7',
  );
  expect(message({ code: 'too_big', origin: 'array', maximum: 1, input: [1, 2] })).toBe(
    'has too many entries: 1 at most',
  );
  expect(message({ code: 'invalid_value', values: ['a', 'b'], input })).toBe(
    'expected a or b, found the number 7',
  );
  expect(message({ code: 'custom', input })).toBeUndefined();
});

describe('in a file', () => {
  function problems(text: string): string[] {
    const loaded = loadConfiguration({ file: 'a', text, environment: {}, hostname: 'h' });
    return loaded.ok
      ? []
      : loaded.problems.map((one) => `${one.line}:${one.column} ${one.key}: ${one.message}`);
  }

  test.each([
    // What is missing is named by the first sentence of its description, at the place of the key above.
    [
      'migrationHub: {}',
      '1:1 migrationHub.progressUpdateStream: is missing (Name of the progress update stream, in up to 50 characters)',
    ],
    ['jobs:\n  a: {}', '2:3 jobs.a.command: is missing (The program and its arguments)'],
    // The name of a parser.
    [
      'jobs:\n  a: { command: [x], progress: {} }',
      '2:22 jobs.a.progress.parser: is missing; expected auto, rsync, pv, percent, json',
    ],
    [
      'jobs:\n  a: { command: [x], progress: { parser: 5 } }',
      '2:42 jobs.a.progress.parser: expected auto, rsync, pv, percent, json',
    ],
    [
      'jobs:\n  a: { command: [x], progress: { parser: siez } }',
      'found "siez"; did you mean size?',
    ],
    // Of a union the map is meant, if it is one.
    [
      'jobs:\n  a: { command: [x], migrationHub: { taks: x } }',
      '2:38 jobs.a.migrationHub.taks: unknown key; did you mean "task"?',
    ],
    ['jobs:\n  a: { command: [x], migrationHub: [1] }', '2:36 jobs.a.migrationHub: '],
    [
      'jobs:\n  a: { command: [x], migrationHub: yes }',
      '2:36 jobs.a.migrationHub: expected false, or a map',
    ],
    // A key that is elsewhere, a key that is nowhere.
    [
      'fleet: { share: 0.1, grace: 5s }',
      '1:22 fleet.grace: unknown key; it belongs at jobs.NAME.stop.grace',
    ],
    ['fleet: { share: 0.1, zzz: 1 }', '1:22 fleet.zzz: unknown key; known: redis, account, share'],
    // The name of a variable.
    [
      'jobs:\n  a: { command: [x], environment: { "A-B": c } }',
      '2:37 jobs.a.environment.A-B: expected a name of letters, digits and underscores, found "A-B"',
    ],
  ])('%j: %s', (text, words) => {
    expect(problems(`${text}\n`).join('\n')).toContain(words);
    expect(problems(`${text}\n`)).toHaveLength(1);
  });
});
