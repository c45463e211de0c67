/** What was probably meant. */
import { expect, test } from 'vitest';
import { closest } from '../../../src/simulator/lib/closest.ts';

test.each<[string, readonly string[], string | undefined]>([
  ['PollForTask', ['SetStatus', 'PollForTask'], 'PollForTask'],
  ['pollfortask', ['PollForTask'], 'PollForTask'],
  // One letter each: left out, too many, another; and two that changed places, which count as one.
  ['PolForTask', ['PollForTask'], 'PollForTask'],
  ['PolllForTask', ['PollForTask'], 'PollForTask'],
  ['PullForTask', ['PollForTask'], 'PollForTask'],
  ['sacle', ['scaled', 'scale', 'sickle'], 'scale'],
  ['ab', ['ba'], 'ba'],
  // A third of the letters, and two of a short name.
  ['abcdef', ['abcxyf'], 'abcxyf'],
  ['abcdef', ['abxyzf'], undefined],
  ['abcdefghi', ['abcdefxyz'], 'abcdefxyz'],
  ['abcdefghi', ['abcdewxyz'], undefined],
  ['abc', ['axy'], 'axy'],
  ['abc', ['xyz'], undefined],
  ['', ['ab', 'abc'], 'ab'],
  ['', ['abc'], undefined],
  ['x', [], undefined],
  // The first of two that are as near.
  ['cat', ['bat', 'hat'], 'bat'],
  // Swapped letters are near, and nearer than replaced ones.
  ['abcd', ['xycd', 'abdc'], 'abdc'],
])('%s of %j is %s', (name, candidates, expected) => {
  expect(closest(name, candidates)).toBe(expected);
});
