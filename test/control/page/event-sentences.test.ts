/** Each timeline event that has a sentence, and what the sentence leaves out if a field is missing. */
import { expect, test } from 'vitest';
import { eventSentence } from '../../../src/control/page/event-sentences.ts';

test.each<[string, Record<string, unknown>, string]>([
  ['run.queued', { origin: 'operator' }, 'run queued by the operator'],
  ['run.queued', { origin: 'autostart' }, 'run queued at the start of the agent'],
  ['run.queued', { origin: 'schedule' }, 'run queued by its schedule'],
  ['run.queued', { origin: 'ad-hoc' }, 'run queued, ad hoc'],
  ['run.queued', {}, 'run queued'],
  ['run.skipped', { reason: 'it still runs' }, 'scheduled start skipped: it still runs'],
  [
    'run.missed',
    { dueAt: 'two', starts: 1, policy: 'skip' },
    'scheduled start of two missed; skipped',
  ],
  [
    'run.missed',
    { dueAt: 'two', starts: 3, policy: 'once' },
    'scheduled start of two missed, 3 in all; made up for now',
  ],
  ['run.tracked', { by: 'report' }, 'tracked, by its reports alone'],
  ['run.tracked', { by: 'pid', pid: 5 }, 'tracked by pid 5'],
  ['run.tracked', { by: 'unit', unit: 'a.service' }, 'tracked by unit a.service'],
  ['run.tracked', { by: 'status-file', path: '/a' }, 'tracked by status-file /a'],
  ['job.reported', { status: 'failed' }, 'reported as failed'],
  ['job.reported', { status: 'failed', detail: 'disk' }, 'reported as failed: disk'],
  ['job.unreadable', { reason: 'EIO' }, 'its state cannot be read: EIO'],
  ['run.ended', { message: 'succeeded' }, 'run ended: succeeded'],
  ['job.started', {}, 'job started'],
  ['job.started', { pid: 7 }, 'job started, pid 7'],
  ['job.adopted', {}, 'job of an earlier agent found'],
  ['job.adopted', { pid: 7 }, 'job of an earlier agent found, pid 7'],
  ['job.start_failed', { reason: 'ENOENT' }, 'job could not be started: ENOENT'],
  ['job.exited', { exitCode: 3 }, 'job exited with code 3'],
  ['job.exited', { exitCode: 3, signal: 'SIGTERM' }, 'job ended by SIGTERM'],
  ['job.lost', { reason: 'killed' }, 'job is gone and left no exit record: killed'],
  ['job.stalled', { noProgressForS: 119 }, 'no progress for 119 s'],
  ['job.stalled', { noProgressForS: 120 }, 'no progress for 2 min'],
  ['job.stalled', { noProgressForS: 7199 }, 'no progress for 119 min'],
  ['job.stalled', { noProgressForS: 7260 }, 'no progress for 2 h 1 min'],
  ['job.timeout', { timeoutS: 43_200 }, 'job ran longer than its timeout of 12 h 0 min'],
  [
    'cancel.received',
    { cause: 'service', detail: 'canceled' },
    'cancel received from Data Pipeline',
  ],
  [
    'cancel.received',
    { cause: 'operator', detail: 'anna' },
    'cancel received from the operator: anna',
  ],
  ['cancel.received', { cause: 'timeout', detail: '12h' }, 'cancel: timeout: 12h'],
  ['cancel.received', { cause: 'fence', detail: 'x' }, 'cancel: fenced: x'],
  ['cancel.received', { cause: 'gone', detail: 'x' }, 'cancel: pipeline task gone: x'],
  ['cancel.received', { cause: 'new' }, 'cancel received: ?'],
  ['cancel.incomplete', { survivors: [4, 5] }, 'processes outlived SIGKILL: 4, 5'],
  [
    'cancel.incomplete',
    { survivors: [4], reason: 'hidden' },
    'the end of all processes could not be proven: hidden',
  ],
  ['tree.signalled', { signal: 'SIGTERM', processes: 1 }, 'SIGTERM to 1 process'],
  ['tree.signalled', { signal: 'SIGTERM', processes: 14 }, 'SIGTERM to 14 processes'],
  ['tree.empty', {}, 'tree empty'],
  [
    'task.received',
    { workerGroup: 'files', attemptId: '@a' },
    'pipeline task received from files: @a',
  ],
  ['task.refused', { reason: 'no activity' }, 'pipeline task not allowed here: no activity'],
  ['lease.acknowledged', {}, 'pipeline task acknowledged'],
  [
    'lease.fenced',
    { silentS: 90, policy: 'stop' },
    'no report accepted for 90 s; stopping the job',
  ],
  [
    'lease.fenced',
    { silentS: 90, policy: 'continue' },
    'no report accepted for 90 s; going on all the same',
  ],
  ['lease.gone', { reason: 'TaskNotFound' }, 'pipeline task is no longer ours: TaskNotFound'],
  [
    'report.delivered',
    { to: 'migrationHub', afterS: 0 },
    'final report delivered at once to Migration Hub',
  ],
  [
    'report.delivered',
    { status: 'FAILED', to: 'dataPipeline', afterS: 42 },
    'FAILED delivered 42 s later to Data Pipeline',
  ],
  [
    'report.delivered',
    { to: 'elsewhere', afterS: 1 },
    'final report delivered 1 s later to elsewhere',
  ],
  ['report.reduced', { reason: 'long' }, 'report refused, trying status alone: long'],
  ['report.refused', { reason: 'bad' }, 'report refused for good: bad'],
  [
    'report.refused',
    { operation: 'SetTaskStatus', reason: 'bad' },
    'SetTaskStatus refused for good: bad',
  ],
  ['promise.broken', { lateS: 9 }, 'promised report 9 s late'],
  ['promise.broken', { lateS: 'some' }, 'promised report some late'],
  ['job.started', { pid: { a: 1 } }, 'job started, pid {"a":1}'],
])('%s %j', (event, fields, sentence) => {
  expect(eventSentence(event, fields)).toBe(sentence);
});

test('an event without a sentence has none', () => {
  expect(eventSentence('agent.something', {})).toBeUndefined();
});
