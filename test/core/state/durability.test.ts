/** What is not on disk yet: known from the commit that failed until one that succeeds. */
import { expect, test } from 'vitest';
import { Durability } from '../../../src/core/state/durability.ts';

test('a change of how commits go is reported once, in both directions', () => {
  const durability = new Durability();
  expect([durability.committed(true), durability.isBehind]).toEqual([false, false]);
  expect([durability.committed(false), durability.isBehind]).toEqual([true, true]);
  expect([durability.committed(false), durability.isBehind]).toEqual([false, true]);
  expect([durability.committed(true), durability.isBehind]).toEqual([true, false]);
});

test('the end of a run is held until it is on disk', () => {
  const durability = new Durability();
  durability.runEnded('copy/1');
  // Before the commit of its turn nobody has refused it yet.
  expect(durability.isEndHeld('copy/1')).toBe(false);
  durability.committed(false);
  expect([durability.isEndHeld('copy/1'), durability.isEndHeld('copy/2')]).toEqual([true, false]);
  durability.committed(true);
  durability.committed(false);
  // It was written in between.
  expect(durability.isEndHeld('copy/1')).toBe(false);
});

test('an accepted report is unrecorded until it is on disk', () => {
  const durability = new Durability();
  durability.reportChanged('hub:copy');
  expect(durability.isUnrecorded('hub:copy')).toBe(false);
  durability.committed(false);
  expect([durability.isUnrecorded('hub:copy'), durability.isUnrecorded('b')]).toEqual([
    true,
    false,
  ]);
  durability.committed(true);
  durability.committed(false);
  expect(durability.isUnrecorded('hub:copy')).toBe(false);
});
