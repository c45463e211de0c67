/** What each service is told of a run in each of its states, and what is sent as StatusDetail: the job's own detail first. */
import { describe, expect, test } from 'vitest';
import type { NotifyCall } from '../../../src/core/model/call.ts';
import type { EndCause, Run } from '../../../src/core/model/job.ts';
import {
  endCause,
  endText,
  finalTaskStatus,
  hubPayload,
  statusDetail,
} from '../../../src/core/model/report.ts';
import { START, aRun } from '../../support/desk.ts';
import { definition } from '../../support/settings.ts';

const ended = (cause: EndCause): Pick<Run, 'ending'> => ({
  ending: { cause, detail: 'by anna', since: START, graceMs: 1_000 },
});

/** What is sent of each state: to Migration Hub, and to Data Pipeline if the run has ended. */
const REPORTED: readonly [
  what: string,
  run: Partial<Run>,
  hub: object,
  pipeline?: readonly [status: string, errorId?: string],
][] = [
  ['a queued run', { state: 'queued', detail: 'd' }, { status: 'NOT_STARTED', detail: 'd' }],
  ['a starting one', { state: 'starting' }, { status: 'IN_PROGRESS' }],
  [
    'a running one',
    { state: 'running', percent: 7, detail: 'file 7' },
    { status: 'IN_PROGRESS', percent: 7, detail: 'file 7' },
  ],
  ['one with an empty detail', { detail: '' }, { status: 'IN_PROGRESS' }],
  [
    'one that stalls',
    { stalled: true, detail: 'file 7' },
    { status: 'IN_PROGRESS', detail: 'no progress lately; file 7' },
  ],
  [
    'one that stalls before it has written anything',
    { stalled: true },
    { status: 'IN_PROGRESS', detail: 'no progress lately; nothing read yet' },
  ],
  [
    'one that is being canceled',
    { state: 'canceling', detail: 'file 7', ...ended('service') },
    { status: 'IN_PROGRESS', detail: 'ending: canceled by AWS Data Pipeline' },
  ],
  [
    'one that is being canceled, nobody knows why',
    { state: 'canceling' },
    { status: 'IN_PROGRESS', detail: 'ending: canceled by the operator' },
  ],
  [
    'one that succeeded',
    { state: 'succeeded', percent: 100, detail: 'all files', exitCode: 0 },
    { status: 'COMPLETED', percent: 100, detail: 'completed: all files' },
    ['FINISHED'],
  ],
  [
    'one that succeeded and wrote nothing',
    { state: 'succeeded' },
    { status: 'COMPLETED', detail: 'completed' },
    ['FINISHED'],
  ],
  [
    'one that failed',
    { state: 'failed', reason: 'exit code 3', exitCode: 3, detail: 'file 7' },
    { status: 'FAILED', detail: 'failed: exit code 3' },
    ['FAILED', 'JobFailed'],
  ],
  [
    'one that never ran',
    { state: 'failed' },
    { status: 'FAILED', detail: 'failed: no reason known' },
    ['FAILED', 'JobNotStarted'],
  ],
  [
    'one that is lost',
    { state: 'lost' },
    { status: 'FAILED', detail: 'lost: it left no exit record' },
    ['FAILED', 'JobLost'],
  ],
  [
    'one that is lost for a known reason',
    { state: 'lost', reason: 'the host was restarted', exitCode: 0 },
    { status: 'FAILED', detail: 'lost: the host was restarted' },
    ['FAILED', 'JobLost'],
  ],
  [
    'one that was canceled',
    { state: 'canceled', exitCode: 0, ...ended('operator') },
    { status: 'FAILED', detail: 'canceled by the operator' },
    ['FAILED', 'JobCanceled'],
  ],
  [
    'one that was canceled, nobody knows why',
    { state: 'canceled' },
    { status: 'FAILED', detail: 'canceled by the operator' },
    ['FAILED', 'JobCanceled'],
  ],
  [
    'one that took too long, with processes left',
    { state: 'canceled', survivors: [7, 8], ...ended('timeout') },
    {
      status: 'FAILED',
      detail: 'canceled: it ran longer than its timeout; 2 processes could not be ended',
    },
    ['FAILED', 'JobTimeout'],
  ],
  [
    'tracked work that was canceled',
    {
      state: 'canceled',
      definition: definition('copy', { tracked: { by: 'report' } }),
      ...ended('operator'),
    },
    { status: 'FAILED', detail: 'canceled by the operator: no longer tracked' },
    ['FAILED', 'JobCanceled'],
  ],
  [
    'one that was fenced',
    { state: 'fenced', ...ended('fence') },
    { status: 'FAILED', detail: 'fenced: its pipeline task may belong to another host' },
    ['FAILED', 'JobFailed'],
  ],
];

test.each(REPORTED)('%s, to Migration Hub', (_what, over, hub) => {
  expect(hubPayload(aRun(over))).toEqual(hub);
});

const ENDED = REPORTED.filter(([, , , pipeline]) => pipeline !== undefined);

test.each(ENDED)('%s, to Data Pipeline', (_what, over, hub, pipeline) => {
  const [status, errorId] = pipeline ?? [];
  const errorMessage = (hub as { detail?: string }).detail;
  const sent = { operation: 'SetTaskStatus', taskId: 't', status };
  expect(finalTaskStatus(aRun(over), 't')).toEqual(
    errorId === undefined ? sent : { ...sent, errorId, errorMessage },
  );
});

test('why a run is stopped is said for each cause, and differently', () => {
  const causes: EndCause[] = ['operator', 'service', 'timeout', 'fence', 'gone'];
  const texts = causes.map((cause) =>
    endCause({ cause, detail: '', since: START, graceMs: 1_000 }),
  );
  expect(new Set(texts).size).toBe(causes.length);
  for (const [index, cause] of causes.entries()) {
    expect(endText(aRun({ state: 'canceled', ...ended(cause) }))).toBe(texts[index]);
  }
});

test('a run that has not ended has no end yet: its state is said', () => {
  const states = ['queued', 'starting', 'running', 'canceling'] as const;
  expect(states.map((state) => endText(aRun({ state })))).toEqual(states);
});

test('the last lines of a failed job go along, unless it wrote none', () => {
  const failed = { state: 'failed', exitCode: 3 } as const;
  const trace = (errorTail: string) => finalTaskStatus(aRun({ ...failed, errorTail }), 't');
  expect(trace('no space left')).toMatchObject({ errorStackTrace: 'no space left' });
  expect(trace('')).not.toHaveProperty('errorStackTrace');
});

describe('a precondition', () => {
  const task = { isPrecondition: true } as unknown as NonNullable<Run['pipeline']>['task'];
  const status = (over: Partial<Run>, ofTask = task) => {
    const pipeline = { task: ofTask, delivery: { state: 'pending' } } as const;
    const call = finalTaskStatus(aRun({ pipeline, ...over }), 't');
    return [call.status, call.errorId];
  };

  test.each<[string, Partial<Run>, readonly (string | undefined)[]]>([
    ['holds', { state: 'succeeded', exitCode: 0 }, ['FINISHED', undefined]],
    ['does not hold', { state: 'failed', exitCode: 1 }, ['FALSE', 'PreconditionNotMet']],
    ['was not found', { state: 'failed', exitCode: 127 }, ['FAILED', 'JobNotStarted']],
    ['could not be executed', { state: 'failed', exitCode: 126 }, ['FAILED', 'JobNotStarted']],
    ['ended with the code before those', { state: 'failed', exitCode: 125 }, ['FALSE']],
    ['ended with the code after those', { state: 'failed', exitCode: 128 }, ['FALSE']],
    ['was ended by a signal', { state: 'failed' }, ['FAILED', 'JobNotStarted']],
    ['was lost', { state: 'lost', exitCode: 1 }, ['FAILED', 'JobLost']],
    ['was canceled', { state: 'canceled', exitCode: 1 }, ['FAILED', 'JobCanceled']],
  ])('whose program %s', (_what, over, expected) => {
    expect(status(over).slice(0, expected.length)).toEqual(expected);
  });

  test('is only what the task says is one', () => {
    const activity = { ...task, isPrecondition: undefined } as unknown as typeof task;
    const failed = { state: 'failed', exitCode: 1 } as const;
    expect(status(failed, activity)).toEqual(['FAILED', 'JobFailed']);
    expect(status({ ...failed, exitCode: 127 }, activity)).toEqual(['FAILED', 'JobFailed']);
  });
});

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
