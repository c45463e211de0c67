/** When cron expressions come true, for any moment and zone, the nights included in which the clocks change. */
import cron from 'node-cron';
import { beforeEach, describe, expect, test } from 'vitest';
import { createCalendar } from '../../src/system/calendar.ts';

/** It remembers expressions: each test has its own. */
let calendar = createCalendar();
beforeEach(() => {
  calendar = createCalendar();
});

/** The next starts after a moment, in UTC. */
function starts(cron: string, timezone: string | undefined, after: string, count = 3): string[] {
  const found: string[] = [];
  let atMs = Date.parse(after);
  while (found.length < count) {
    const schedule = { cron, ...(timezone === undefined ? {} : { timezone }) };
    const next = calendar.nextStartMs({ ...schedule, missedStart: 'skip' }, atMs);
    if (next === undefined) break;
    atMs = next;
    found.push(new Date(next).toISOString().replace(':00.000Z', 'Z'));
  }
  return found;
}

test.each([
  ['0 4 * * *', '2026-11-24T12:00:00Z', ['2026-11-25T04:00Z', '2026-11-26T04:00Z']],
  ['*/20 9-10 * * 1', '2026-11-24T12:00:00Z', ['2026-11-30T09:00Z', '2026-11-30T09:20Z']],
  ['30 23 31 12 *', '2026-11-24T12:00:00Z', ['2026-12-31T23:30Z', '2027-12-31T23:30Z']],
  ['0 0 29 2 *', '2026-11-24T12:00:00Z', ['2028-02-29T00:00Z', '2032-02-29T00:00Z']],
  ['0 12 L * *', '2027-02-01T00:00:00Z', ['2027-02-28T12:00Z', '2027-03-31T12:00Z']],
  ['*/30 * * * * *', '2026-11-24T12:00:10Z', ['2026-11-24T12:00:30.000Z', '2026-11-24T12:01Z']],
])('%s after %s', (cron, after, expected) => {
  expect(starts(cron, 'UTC', after, 2)).toEqual(expected);
});

test.each([
  '0 4 * * *',
  '*/7 * * * *',
  '15 1-23/2 * * 1-5',
  '0 0 1,15 */3 *',
  '5 4 * * 7',
  '*/13 */5 3 * * *',
  '0 12 15W * *',
  '0 9 * * 1#2',
])(
  '%s in a zone that never changes: what node-cron itself says next, twenty times',
  (expression) => {
    const own = cron.createTask(expression, () => undefined, { timezone: 'Asia/Kolkata' });
    const from = new Date().toISOString();
    const expected = own.getNextRuns(20).map((date) => date.toISOString());
    const found = starts(expression, 'Asia/Kolkata', from, 20);
    expect(found.map((text) => new Date(text).toISOString())).toEqual(expected);
  },
);

test('a moment is after itself only', () => {
  expect(starts('0 4 * * *', 'UTC', '2026-11-24T03:59:59.999Z', 1)).toEqual(['2026-11-24T04:00Z']);
  expect(starts('0 4 * * *', 'UTC', '2026-11-24T04:00:00Z', 1)).toEqual(['2026-11-25T04:00Z']);
});

test("without a zone it is the host's", () => {
  const local = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const after = '2026-07-01T00:00:00Z';
  expect(starts('0 4 * * *', undefined, after)).toEqual(starts('0 4 * * *', local, after));
});

describe('the hour that is skipped', () => {
  test('Berlin, 29 March 2026: 02:30 is not there; the nights around it have theirs', () => {
    expect(starts('30 2 * * *', 'Europe/Berlin', '2026-03-27T12:00:00Z')).toEqual([
      '2026-03-28T01:30Z',
      '2026-03-30T00:30Z',
      '2026-03-31T00:30Z',
    ]);
  });

  test('every half hour keeps to real time', () => {
    expect(starts('*/30 * * * *', 'Europe/Berlin', '2026-03-29T00:10:00Z')).toEqual([
      '2026-03-29T00:30Z',
      '2026-03-29T01:00Z',
      '2026-03-29T01:30Z',
    ]);
  });
});

describe('the hour that is repeated', () => {
  test('Berlin, 25 October 2026: 02:30 comes once, at its first pass', () => {
    expect(starts('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z')).toEqual([
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
      '2026-10-27T01:30Z',
    ]);
  });

  test('New York, 1 November 2026: hours of one night, each once', () => {
    expect(starts('0 0,1,2 * * *', 'America/New_York', '2026-11-01T03:30:00Z', 4)).toEqual([
      '2026-11-01T04:00Z',
      '2026-11-01T05:00Z',
      '2026-11-01T07:00Z',
      '2026-11-02T05:00Z',
    ]);
  });

  test('every half hour keeps to real time, through both passes', () => {
    expect(starts('*/30 * * * *', 'America/New_York', '2026-11-01T04:45:00Z', 5)).toEqual([
      '2026-11-01T05:00Z',
      '2026-11-01T05:30Z',
      '2026-11-01T06:00Z',
      '2026-11-01T06:30Z',
      '2026-11-01T07:00Z',
    ]);
  });

  test('Lord Howe Island, half an hour: 01:45 comes once', () => {
    expect(starts('45 1 * * *', 'Australia/Lord_Howe', '2026-04-03T20:00:00Z')).toEqual([
      '2026-04-04T14:45Z',
      '2026-04-05T15:15Z',
      '2026-04-06T15:15Z',
    ]);
  });

  test('Troll, two hours: 01:15 comes once', () => {
    expect(starts('15 1 * * *', 'Antarctica/Troll', '2026-10-24T12:00:00Z')).toEqual([
      '2026-10-24T23:15Z',
      '2026-10-26T01:15Z',
      '2026-10-27T01:15Z',
    ]);
  });

  test('the Azores, from UTC to an hour behind it: 00:30 comes once', () => {
    expect(starts('30 0 * * *', 'Atlantic/Azores', '2026-10-24T12:00:00Z')).toEqual([
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
      '2026-10-27T01:30Z',
    ]);
  });
});

test('a start once a year costs milliseconds, and a kept expression is not read again', () => {
  const begin = performance.now();
  starts('0 0 1 1 *', 'Europe/Berlin', '2026-01-02T00:00:00Z', 3);
  expect(performance.now() - begin).toBeLessThan(1000);
});
