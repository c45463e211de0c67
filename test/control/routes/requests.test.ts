/** What may be sent to the socket: the largest of each that is taken, and what is just above it. */
import { describe, expect, test } from 'vitest';
import {
  adHocJob,
  cancelBody,
  eventsQuery,
  historyQuery,
  logsQuery,
  outputQuery,
  timelineQuery,
} from '../../../src/control/routes/requests.ts';

const JOB = { name: 'copy', command: ['true'] };
const TEXT = 'x'.repeat(32_768);

function many<Item>(count: number, item: Item): readonly Item[] {
  return Array.from({ length: count }, () => item);
}

const attribute = { type: 'FQDN', value: 'host' };

describe('an ad hoc job', () => {
  test.each<[string, object, object]>([
    ['text', { command: [TEXT] }, { command: [`${TEXT}x`] }],
    ['arguments', { command: many(4096, 'a') }, { command: many(4097, 'a') }],
    ['program', { command: ['a', ''] }, { command: ['', 'a'] }],
    ['user', { user: 'u'.repeat(64) }, { user: 'u'.repeat(65) }],
    ['user that is empty', { user: 'u' }, { user: '' }],
    ['variable', { environment: { _A9: '1' } }, { environment: { '9A': '1' } }],
    [
      'total',
      { progress: { parser: 'size', total: 1 } },
      { progress: { parser: 'size', total: 0 } },
    ],
    [
      'resource attributes',
      { migrationHub: { resourceAttributes: many(100, attribute) } },
      { migrationHub: { resourceAttributes: many(101, attribute) } },
    ],
    [
      'source resources',
      { migrationHub: { sourceResources: many(1000, { name: 'a' }) } },
      { migrationHub: { sourceResources: many(1001, { name: 'a' }) } },
    ],
    [
      'artifacts',
      { migrationHub: { artifacts: many(1000, 'arn:aws:s3:::a') } },
      { migrationHub: { artifacts: many(1001, 'arn:aws:s3:::a') } },
    ],
    ['no Migration Hub', { migrationHub: false }, { migrationHub: true }],
  ])('%s', (_what, good, bad) => {
    expect(adHocJob.safeParse({ ...JOB, ...good }).success).toBe(true);
    expect(adHocJob.safeParse({ ...JOB, ...bad }).success).toBe(false);
  });
});

test('a grace has one second at least, and a name of a person 64 characters at most', () => {
  const isGood = (body: unknown): boolean => cancelBody.safeParse(body).success;
  expect(
    [{}, { grace: '1s' }, { by: 'a'.repeat(64) }, { by: 'anna.b@example-1' }].map(isGood),
  ).toEqual(many(4, true));
  expect([{ grace: '0s' }, { by: 'a'.repeat(65) }, { by: '' }, { by: 'a b' }].map(isGood)).toEqual(
    many(4, false),
  );
});

test('what a query leaves out', () => {
  expect(timelineQuery.parse({})).toEqual({ limit: 100 });
  expect(logsQuery.parse({})).toEqual({ stream: 'stdout', follow: '0' });
  expect(outputQuery.parse({})).toEqual({ lines: 10 });
  expect(eventsQuery.parse({})).toEqual({});
  expect(historyQuery.parse({})).toEqual({});
});

test.each<
  [string, { safeParse: (value: unknown) => { success: boolean } }, string, unknown, unknown]
>([
  ['timeline', timelineQuery, 'limit', '10000', '10001'],
  ['timeline', timelineQuery, 'limit', '0', '-1'],
  ['logs', logsQuery, 'tail', '1000000', '1000001'],
  ['logs', logsQuery, 'tail', '0', '0.5'],
  ['logs', logsQuery, 'stream', 'stderr', 'stdin'],
  ['logs', logsQuery, 'follow', '1', '2'],
  ['output', outputQuery, 'lines', '1000', '1001'],
  ['events', eventsQuery, 'after', 'x'.repeat(64), 'x'.repeat(65)],
  ['history', historyQuery, 'token', 'x'.repeat(2048), 'x'.repeat(2049)],
  ['history', historyQuery, 'run', '1', '-1'],
])('%s takes a %s', (_what, query, key, good, bad) => {
  expect([
    query.safeParse({ [key]: good }).success,
    query.safeParse({ [key]: bad }).success,
  ]).toEqual([true, false]);
});
