/** The name that was probably meant. */
import { expect, test } from 'vitest';
import { nearest, suggestion } from '../../../src/config/lib/suggest.ts';

test.each([
  ['regoin', 'region'],
  ['Region', 'region'],
  ['progress_update_stream', 'progressUpdateStream'],
  ['progresUpdateStrem', 'progressUpdateStream'],
  // Three typos are too many.
  ['progresUpdatStrem', undefined],
  ['rgn', undefined],
  ['ab', undefined],
  // One typo in a short word: each kind.
  ['jbo', 'job'],
  ['job1', 'job'],
  ['jb', undefined],
  ['sent', 'send'],
  ['sedn', 'send'],
  ['sned', 'send'],
  ['snde', undefined],
  // Cut off, or longer.
  ['progressUpd', 'progressUpdateStream'],
  ['regional-setting', 'region'],
  ['regi', 'region'],
  ['reg', undefined],
])('%s: %s', (name, meant) => {
  expect(nearest(name, ['progressUpdateStream', 'region', 'job', 'send'])).toBe(meant);
});

test('the nearest of several is meant, and the first of equals', () => {
  expect(nearest('colour', ['colours1', 'colours', 'colors'])).toBe('colours');
  expect(nearest('cart', ['card', 'care'])).toBe('card');
});

test('without one that is similar, those there are: up to fourteen', () => {
  const names = Array.from({ length: 14 }, (_, index) => `name${index}`);
  expect(suggestion('x', ['a', 'b'])).toBe('; known: a, b');
  expect(suggestion('other', names)).toContain('; known: name0, name1');
  expect(suggestion('other', [...names, 'name14'])).toBe('');
  expect(suggestion('other', [])).toBe('');
  expect(suggestion('regoin', ['region'])).toBe('; did you mean "region"?');
});
