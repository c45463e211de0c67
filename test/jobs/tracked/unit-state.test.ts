/** What systemd's properties of a unit mean for the invocation that is tracked, without a systemd. */
import { expect, test } from 'vitest';
import type { TrackedSource } from '../../../src/core/model/job.ts';
import type { UnitProperties } from '../../../src/jobs/tracked/systemctl.ts';
import { unitState } from '../../../src/jobs/tracked/unit-state.ts';

type UnitSource = Extract<TrackedSource, { by: 'unit' }>;
const SOURCE: UnitSource = { by: 'unit', unit: 'a.service', before: 'old' };

/** A service that runs since its main process was forked. */
const RUNNING: UnitProperties = {
  ...{ InvocationID: 'new', ActiveState: 'active', SubState: 'running', Result: 'success' },
  ...{ InactiveExitTimestampMonotonic: '5000000', ExecMainStartTimestampMonotonic: '5000100' },
  ...{ ExecMainCode: '0', ExecMainStatus: '0' },
};
const ENDED: UnitProperties = {
  ...RUNNING,
  ...{ ActiveState: 'inactive', SubState: 'dead', ExecMainCode: '1' },
};
const FAILED: UnitProperties = {
  ...ENDED,
  ...{ ActiveState: 'failed', SubState: 'failed', Result: 'exit-code', ExecMainStatus: '3' },
};
const after = (known: string | undefined, shown: UnitProperties) => unitState(SOURCE, known, shown);

test.each<[string, UnitProperties]>([
  ['that was there before tracking was asked for', { ...ENDED, InvocationID: 'old' }],
  ['that was never started', { InvocationID: '', ActiveState: 'inactive' }],
  ['that systemd does not show', {}],
])('an invocation %s is not the tracked one', (_name, shown) => {
  expect(after(undefined, shown)).toEqual({ kind: 'waiting' });
});

test('a unit that was never started before is tracked from its first start', () => {
  expect(unitState({ by: 'unit', unit: 'a.service' }, undefined, RUNNING)).toMatchObject({
    kind: 'running',
  });
});

test('runs, with the text that the service shows', () => {
  expect(after(undefined, RUNNING)).toEqual({ kind: 'running', invocation: 'new' });
  expect(after('new', { ...RUNNING, StatusText: '40 %' })).toEqual({
    ...{ kind: 'running', invocation: 'new', detail: '40 %' },
  });
  for (const ActiveState of ['activating', 'deactivating', 'reloading']) {
    expect(after('new', { ...RUNNING, ActiveState })).toMatchObject({ kind: 'running' });
  }
});

test.each<[string, UnitProperties, object]>([
  ['success', ENDED, { kind: 'exited', exitCode: 0 }],
  [
    'success with another code (SuccessExitStatus=)',
    { ...ENDED, ExecMainStatus: '7' },
    { kind: 'exited', exitCode: 7 },
  ],
  ['an exit code', FAILED, { kind: 'exited', exitCode: 3 }],
  [
    'an exit code, although systemd names something else',
    { ...FAILED, Result: 'timeout' },
    { kind: 'exited', exitCode: 3, message: 'systemd: timeout' },
  ],
  [
    'a signal',
    { ...FAILED, Result: 'signal', ExecMainCode: '2', ExecMainStatus: '15' },
    { kind: 'exited', exitCode: 143, signal: 'SIGTERM' },
  ],
  [
    'a core dump',
    { ...FAILED, Result: 'core-dump', ExecMainCode: '3', ExecMainStatus: '11' },
    { kind: 'exited', exitCode: 139, signal: 'SIGSEGV', message: 'systemd: core-dump' },
  ],
  [
    'a signal that counts as success',
    { ...ENDED, ExecMainCode: '2', ExecMainStatus: '15' },
    { kind: 'exited', exitCode: 143, signal: 'SIGTERM' },
  ],
  [
    'a failure after the main process had ended well',
    { ...FAILED, ExecMainStatus: '0' },
    { kind: 'failed', reason: 'a.service failed; systemd: exit-code' },
  ],
  [
    'a failure before any main process',
    { ...FAILED, Result: 'resources', ExecMainStartTimestampMonotonic: '0' },
    { kind: 'failed', reason: 'a.service failed; systemd: resources' },
  ],
  [
    'a failure, with the main process of an earlier invocation',
    { ...FAILED, Result: 'exit-code', ExecMainStartTimestampMonotonic: '3999999' },
    { kind: 'failed', reason: 'a.service failed; systemd: exit-code' },
  ],
  [
    'an end with a main process that was forked up to a second before',
    { ...FAILED, ExecMainStartTimestampMonotonic: '4000000' },
    { kind: 'exited', exitCode: 3 },
  ],
  [
    'success without a main process',
    { ...ENDED, ExecMainStartTimestampMonotonic: '0' },
    { kind: 'lost', reason: 'a.service has ended, and systemd has no exit status of it' },
  ],
  [
    'RemainAfterExit=yes',
    { ...RUNNING, SubState: 'exited', ExecMainCode: '1', ExecMainStatus: '0' },
    { kind: 'exited', exitCode: 0 },
  ],
  [
    'a wait for its restart, which has left `inactive` again since',
    {
      ...{ ...FAILED, ActiveState: 'activating', SubState: 'auto-restart' },
      InactiveExitTimestampMonotonic: '9000000',
    },
    { kind: 'exited', exitCode: 3 },
  ],
  [
    'a wait in the queue of restarts',
    { ...FAILED, ActiveState: 'activating', SubState: 'auto-restart-queued' },
    { kind: 'exited', exitCode: 3 },
  ],
])('%s', (_name, shown, end) => {
  expect(after('new', shown)).toEqual({
    ...('kind' in end && end.kind === 'lost' ? {} : { invocation: 'new' }),
    ...end,
  });
});

test('an invocation that systemd has forgotten is no success', () => {
  const isGone = { kind: 'forgotten', invocation: 'new' };
  expect(after('new', { Result: 'success', ActiveState: 'inactive' })).toEqual({
    ...isGone,
    reason: 'a.service has ended, and systemd no longer knows how',
  });
  expect(after('new', { ...RUNNING, InvocationID: 'newer' })).toEqual({
    ...isGone,
    reason:
      'a.service was started again, and systemd no longer knows how the tracked invocation ended',
  });
  // Also if it ended well: that was another invocation.
  expect(after('new', { ...ENDED, InvocationID: 'newer' })).toMatchObject(isGone);
});
