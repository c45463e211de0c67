import { expect, test } from 'vitest';
import { defined } from '../../../src/core/lib/defined.ts';

test('members that are undefined are left out; null, 0 and empty text stay', () => {
  const some: string | undefined = undefined;
  expect(Object.keys(defined({ a: 1, b: some, c: null, d: 0, e: '' }))).toEqual([
    'a',
    'c',
    'd',
    'e',
  ]);
});

test('the type says which members may be absent', () => {
  const made: { readonly a: number; readonly b?: string } = defined({
    a: 1,
    b: Math.PI > 3 ? 'x' : undefined,
  });
  expect(made).toEqual({ a: 1, b: 'x' });
});
