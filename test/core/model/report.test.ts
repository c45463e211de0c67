/** What is sent as StatusDetail: the job's own detail first. */
import { expect, test } from 'vitest';
import type { NotifyCall } from '../../../src/core/model/call.ts';
import { statusDetail } from '../../../src/core/model/report.ts';

const call: NotifyCall = {
  operation: 'NotifyMigrationTaskState',
  region: 'us-west-2',
  stream: 'stream',
  task: 'task',
  status: 'IN_PROGRESS',
  stampS: 1,
  nextUpdateS: 300,
};
const timing = 'running for 2m, about 4m left';

test('the timing stands behind the detail, or alone', () => {
  expect(statusDetail({ ...call, detail: '1 of 3 files', timing })).toBe(
    '1 of 3 files; running for 2m, about 4m left',
  );
  expect(statusDetail({ ...call, timing })).toBe(timing);
  expect(statusDetail({ ...call, detail: 'x' })).toBe('x');
  expect(statusDetail(call)).toBeUndefined();
});

test('a detail that leaves no room for the timing stays whole', () => {
  const fits = 'd'.repeat(255 - timing.length - 2);
  expect(statusDetail({ ...call, detail: fits, timing })).toBe(`${fits}; ${timing}`);
  expect(statusDetail({ ...call, detail: `${fits}d`, timing })).toBe(`${fits}d`);
  expect(statusDetail({ ...call, detail: 'd'.repeat(2000), timing })).toBe('d'.repeat(2000));
});
