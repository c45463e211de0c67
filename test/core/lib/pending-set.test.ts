/** Items are taken once, in the order in which they came. */
import { expect, test } from 'vitest';
import { PendingSet } from '../../../src/core/lib/pending-set.ts';

test('each item once, in order, and none twice', () => {
  const set = new PendingSet<string>();
  expect([set.isEmpty, [...set.take()]]).toEqual([true, []]);
  for (const item of ['b', 'a', 'b']) set.add(item);
  expect([set.isEmpty, [...set.take()], set.isEmpty]).toEqual([false, ['b', 'a'], true]);
  expect([...set.take()]).toEqual([]);
});

test('what was deleted is not taken, and what was taken stays as it was', () => {
  const set = new PendingSet<string>();
  set.delete('a');
  set.add('a');
  set.delete('a');
  expect(set.isEmpty).toBe(true);
  set.add('b');
  const taken = set.take();
  set.add('c');
  expect([[...taken], [...set.take()]]).toEqual([['b'], ['c']]);
});
