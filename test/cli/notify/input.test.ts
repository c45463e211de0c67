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

const DETAILED = {
  ...{ ProgressUpdateStream: 'stream', MigrationTaskName: 'task', UpdateDateTime: 1_790_000_000 },
  Task: { Status: 'FAILED', StatusDetail: 'why', ProgressPercent: 40 },
  ...{ NextUpdateSeconds: 60, DryRun: true },
};

test('all of it as JSON; an option counts more than its member', () => {
  const cliInputJson = JSON.stringify(DETAILED);
  expect(notifyInput({ cliInputJson })).toEqual({
    operation: 'NotifyMigrationTaskState',
    ...{ stream: 'stream', task: 'task', status: 'FAILED', detail: 'why', percent: 40 },
    ...{ dryRun: true, stampS: 1_790_000_000, nextUpdateS: 60 },
  });
  expect(
    notifyInput({ cliInputJson, dryRun: false, task: 'Status=COMPLETED', nextUpdateSeconds: '61' }),
  ).toEqual({
    operation: 'NotifyMigrationTaskState',
    ...{ stream: 'stream', task: 'task', status: 'COMPLETED' },
    ...{ dryRun: false, stampS: 1_790_000_000, nextUpdateS: 61 },
  });
});

test('what is missing is named by its options, in one message; a dry run need not be asked for', () => {
  expect(() => notifyInput({})).toThrow(
    'missing: --progress-update-stream, --migration-task-name, --task, --update-date-time, --next-update-seconds',
  );
  const cliInputJson = JSON.stringify({ ...DETAILED, NextUpdateSeconds: undefined });
  expect(() => notifyInput({ cliInputJson })).toThrow(/^missing: --next-update-seconds$/);
  expect(notifyInput(WHOLE)).not.toHaveProperty('dryRun');
});

test.each<[object, string]>([
  [{ nextUpdateSeconds: '-1' }, '--next-update-seconds: must not be negative'],
  [{ nextUpdateSeconds: '2147483648' }, '--next-update-seconds: must be 2147483647 at most'],
  [{ nextUpdateSeconds: '1.5' }, '--next-update-seconds: expected a whole number up to 2147483647'],
  [{ nextUpdateSeconds: '' }, '--next-update-seconds: expected a whole number'],
  [
    { task: 'Status=IN_PROGRESS,ProgressPercent=101' },
    '--task ProgressPercent: must be 100 at most',
  ],
  [{ task: 'Status=DONE' }, '--task Status: '],
  [{ task: 'Status=FAILED,Other=1' }, '--task: '],
  [{ task: 'Status' }, '--task: expected ='],
  [{ progressUpdateStream: 'a/b' }, '--progress-update-stream: must not hold / : |'],
  [{ progressUpdateStream: 'a\u001fb' }, '--progress-update-stream: must not hold'],
  [{ progressUpdateStream: '' }, '--progress-update-stream: has 1 to 50 characters'],
  [{ migrationTaskName: 'a:b' }, '--migration-task-name: must not hold : or |'],
  [{ migrationTaskName: 'a|b' }, '--migration-task-name: must not hold : or |'],
  [{ updateDateTime: 'soon' }, '--update-date-time: expected seconds since 1970'],
  [{ cliInputJson: '[]' }, '--cli-input-json: expected a JSON object'],
  [{ cliInputJson: '{"Other": 1}' }, 'the input: '],
])('%o is refused: %s', (over, message) => {
  expect(() => notifyInput({ ...WHOLE, ...over })).toThrow(message);
});

test('every fault is named at once', () => {
  const faulty = { ...WHOLE, nextUpdateSeconds: '-1', task: 'Status=DONE' };
  expect(() => notifyInput(faulty)).toThrow(/--task Status: .*; --next-update-seconds: /);
});

test.each([
  ['0', 0],
  ['2147483647', 2_147_483_647],
])('%s seconds are taken', (nextUpdateSeconds, seconds) => {
  expect(notifyInput({ ...WHOLE, nextUpdateSeconds }).nextUpdateS).toBe(seconds);
});

test.each([0, 100])('%d percent are taken', (percent) => {
  const task = `Status=IN_PROGRESS,ProgressPercent=${percent}`;
  expect(notifyInput({ ...WHOLE, task }).percent).toBe(percent);
});
