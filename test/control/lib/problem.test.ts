/** What a request that cannot be served is answered: each place of the input, and not more than somebody reads. */
import { expect, test } from 'vitest';
import * as z from 'zod';
import {
  HTTP_STATUS,
  listed,
  Problem,
  PROBLEM_CODES,
  validate,
} from '../../../src/control/lib/problem.ts';

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${index}`);

test('fifty of a list are shown, then how many more there are', () => {
  expect(listed(['a', 'b'], '; ')).toBe('a; b');
  expect(listed(numbered(50), ', ')).toBe(numbered(50).join(', '));
  expect(listed(numbered(51), ', ')).toBe(`${numbered(50).join(', ')}, and 1 more`);
  expect(listed(numbered(1050), ', ')).toMatch(/, 49, and 1000 more$/);
});

test('each code has its status, and a problem is known by its name', () => {
  for (const code of PROBLEM_CODES) {
    const problem = new Problem(code, 'why', { allow: 'GET' });
    expect([problem.httpStatus, problem.name, problem.message]).toEqual([
      ...[HTTP_STATUS[code], 'Problem', 'why'],
    ]);
    expect(problem.headers).toEqual({ allow: 'GET' });
  }
});

const place = z.strictObject({ name: z.string(), command: z.array(z.string()) });
const refusal = (schema: z.ZodType, value: unknown): string => {
  try {
    validate(schema, value, 'body');
    return '';
  } catch (error) {
    expect(error).toMatchObject({ name: 'Problem', code: 'invalid' });
    return (error as Problem).message;
  }
};

test('each place of an input that is wrong is named', () => {
  expect(validate(place, { name: 'a', command: [] }, 'body')).toEqual({ name: 'a', command: [] });
  expect(refusal(place, { name: 5, command: ['a', 7] })).toMatch(
    /^body\.name: .*; body\.command\[1\]: /,
  );
  expect(refusal(place, null)).toMatch(/^body: /);
});

test('of one or many, the form that was meant is judged', () => {
  const either = z.union([place, z.array(place)]);
  expect(
    refusal(either, [
      { name: 'a', command: [] },
      { name: 5, command: [] },
    ]),
  ).toMatch(/^body\[1\]\.name: [^;]*$/);
  expect(refusal(either, { name: 5, command: [] })).toMatch(/^body\.name: [^;]*$/);
  expect(refusal(either, 'text')).toMatch(/^body: /);
});
