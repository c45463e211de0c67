/** What the options of `notify` become: numbers and texts at their limits. */
import { expect, test } from 'vitest';
import { notifyInput } from '../../../src/cli/notify/input.ts';

const WHOLE = {
  ...{ progressUpdateStream: 's', migrationTaskName: 't', task: 'Status=IN_PROGRESS' },
  ...{ updateDateTime: '1790000000', nextUpdateSeconds: '300' },
};

test.each([
  ['1790000000.9', 1_790_000_000],
  ['2026-09-21T14:13:20.999Z', 1_790_000_000],
  ['2026-09-21T16:13:20+02:00', 1_790_000_000],
])('%s is the second that has begun', (updateDateTime, stampS) => {
  expect(notifyInput({ ...WHOLE, updateDateTime }).stampS).toBe(stampS);
});

test('characters are counted, not halves of them', () => {
  const longest = '😀'.repeat(50);
  expect(notifyInput({ ...WHOLE, progressUpdateStream: longest }).stream).toBe(longest);
  expect(() => notifyInput({ ...WHOLE, progressUpdateStream: `${longest}x` })).toThrow(
    '--progress-update-stream: has 1 to 50 characters',
  );
  const task = '😀'.repeat(256);
  expect(notifyInput({ ...WHOLE, migrationTaskName: task }).task).toBe(task);
  expect(() => notifyInput({ ...WHOLE, migrationTaskName: `${task}x` })).toThrow('256 characters');
  expect(() => notifyInput({ ...WHOLE, migrationTaskName: '' })).toThrow('1 to 256 characters');
});
