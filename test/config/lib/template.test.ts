/** Names of migration tasks: what a template may hold, and how long the names can become. */
import { describe, expect, test } from 'vitest';
import { longestName, partlyFilled, templateProblem } from '../../../src/config/lib/template.ts';

describe('a template', () => {
  test.each(['copy', '{job}', '{host}-{job}-{run}-{date}', 'a b/c.é'])('%j is one', (template) => {
    expect(templateProblem(template)).toBeUndefined();
  });

  test.each([
    ['', 'must not be empty'],
    ['a:b', '":" is not allowed in the name of a migration task'],
    ['{host}|{job}', '"|" is not allowed in the name of a migration task'],
    ['a\u0007', 'control characters are not allowed in a name'],
    ['{name}', '{name} is not a placeholder; known: {job}, {run}, {host}, {date}'],
    ['{job}-{nmae}', '{nmae} is not a placeholder; known: {job}, {run}, {host}, {date}'],
    ['{}', '{} is not a placeholder; known: {job}, {run}, {host}, {date}'],
    ['{job', '{job is not a placeholder; known: {job}, {run}, {host}, {date}'],
    ['job}', '} is not a placeholder; known: {job}, {run}, {host}, {date}'],
    ['{job:x}', '{job:x} is not a placeholder; known: {job}, {run}, {host}, {date}'],
  ])('%j is none: %s', (template, problem) => {
    expect(templateProblem(template)).toBe(problem);
  });
});

test('job and host are filled in wherever they are; run and date are known later', () => {
  expect(partlyFilled('{host}-{job}-{job}-{host}-{run}-{date}', 'j', 'h')).toBe(
    'h-j-j-h-{run}-{date}',
  );
});

test('the longest name counts code points, and ten for a run or a date', () => {
  expect(longestName('{host}-{job}', 'copy', 'files01')).toBe(12);
  expect(longestName('{job}-{run}', 'copy', 'h')).toBe(4 + 1 + 10);
  expect(longestName('{date}{run}', 'copy', 'h')).toBe(20);
  expect(longestName('😀{job}', '😀', 'h')).toBe(2);
});
