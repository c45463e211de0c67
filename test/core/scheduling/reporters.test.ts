/** The registry: which reporter has a key, and which ones may have a new pending call. */
import { expect, test } from 'vitest';
import type { Reporter } from '../../../src/core/scheduling/reporter.ts';
import { Reporters } from '../../../src/core/scheduling/reporters.ts';

function reporter(key: string): Reporter {
  const nothing = (): undefined => undefined;
  return {
    key,
    next: nothing,
    call: nothing,
    settled: nothing,
  };
}

/** The owners of what was touched since the last look; a removed reporter has none. */
function touched(reporters: Reporters): (string | undefined)[] {
  return [...reporters.takeTouched()].map(({ owner }) => owner?.key);
}

test('a reporter is found by its key until it is removed, and touched by both', () => {
  const reporters = new Reporters();
  const a = reporter('a');
  reporters.add(a);
  expect(reporters.get('a')).toBe(a);
  expect(touched(reporters)).toEqual(['a']);
  reporters.remove('a');
  expect(reporters.get('a')).toBeUndefined();
  // The queue has to let go of what it has of it.
  expect(touched(reporters)).toEqual([undefined]);
});

test('a new reporter of the same key takes the place of the old one, in the same entry', () => {
  const reporters = new Reporters();
  reporters.add(reporter('a'));
  const [before] = reporters.takeTouched();
  const next = reporter('a');
  reporters.add(next);
  const [entry] = reporters.takeTouched();
  expect(entry).toBe(before);
  expect(entry?.owner).toBe(next);
});

test('what was touched is taken once, and a key that nobody has is no error', () => {
  const reporters = new Reporters();
  reporters.add(reporter('a'));
  reporters.add(reporter('b'));
  const [first] = reporters.takeTouched();
  reporters.touch('b');
  reporters.touch('b');
  reporters.touch('nobody');
  reporters.remove('nobody');
  expect(touched(reporters)).toEqual(['b']);
  expect(touched(reporters)).toEqual([]);
  if (first !== undefined) reporters.touchEntry(first);
  expect(touched(reporters)).toEqual(['a']);
  reporters.touchAll();
  expect(touched(reporters)).toEqual(['a', 'b']);
});
