/** Starts that fall out when clocks go forward: by the calendar itself, for every zone. */
import { describe, expect, test } from 'vitest';
import { changedStarts } from '../../../src/config/checks/clock-changes.ts';
import { createCalendar } from '../../../src/system/calendar.ts';

const NOW_MS = Date.UTC(2026, 10, 27);
const DAY_MS = 86_400_000;

test.each([
  ['30 3 * * *', 'Europe/Helsinki', '2027-03-28 03:30'],
  ['30 2 * * *', 'Europe/Helsinki', undefined],
  ['30 2 * * *', 'Europe/Berlin', '2027-03-28 02:30'],
  ['30 1 * * *', 'Europe/London', '2027-03-28 01:30'],
  ['0 0 * * *', 'Africa/Cairo', '2027-04-30 00:00'],
  ['15 2 * * *', 'Australia/Lord_Howe', '2027-10-03 02:15'],
  ['45 2 * * *', 'Australia/Lord_Howe', undefined],
  ['30 2 * * *', 'Asia/Kolkata', undefined],
  ['30 2 * * *', 'UTC', undefined],
  ['30 2 * * *', '+03:00', undefined],
  ['30 * * * *', 'Europe/Berlin', undefined],
  ['15 2 * * *', 'Antarctica/Troll', '2027-03-28 02:15'],
])('%s in %s: %s', (cron, zone, skipped) => {
  expect(changedStarts(cron, zone, NOW_MS)).toEqual(skipped === undefined ? {} : { skipped });
});

test.each([
  ['45 * * * *', 'Australia/Lord_Howe', { doubled: '2027-04-04 01:45' }],
  ['15 * * * *', 'Australia/Lord_Howe', { skipped: '2027-10-03 02:15' }],
  ['0,30 * * * *', 'Australia/Lord_Howe', {}],
  ['*/5 * * * *', 'Australia/Lord_Howe', {}],
  ['45 1 * * *', 'Australia/Lord_Howe', {}],
  ['45 * * * *', 'Antarctica/Troll', {}],
])('%s of every hour in %s', (cron, zone, expected) => {
  expect(changedStarts(cron, zone, NOW_MS)).toEqual(expected);
});

/** The offset now, and the days of the next year with another offset than the day before, as ms since 1970. */
function changes(timeZone: string): { readonly offset: string; readonly days: readonly number[] } {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  const days = Array.from({ length: 400 }, (_, day) => NOW_MS + day * DAY_MS);
  const offsets = days.map((ms) => format.format(ms).replace(/^.*GMT/, ''));
  return {
    offset: offsets[0] ?? '',
    days: days.slice(0, -1).filter((_, day) => offsets[day] !== offsets[day + 1]),
  };
}

/** The changes of each zone. Zones that change at the same moments by the same rule are asked once. */
const ZONES = new Map(
  new Map(
    Intl.supportedValuesOf('timeZone').map((zone) => {
      const { days, offset } = changes(zone);
      return [`${days.join()} ${offset}`, [zone, days] as const];
    }),
  ).values(),
);

const calendar = createCalendar();

/** The hours between the starts around a change: within its day, and so long before and after it. */
function hoursBetween(cron: string, timezone: string, dayMs: number, aroundMs = DAY_MS): number[] {
  const starts: number[] = [];
  let atMs: number | undefined = dayMs - aroundMs;
  while (atMs !== undefined && atMs < dayMs + DAY_MS + aroundMs) {
    atMs = calendar.nextStartMs({ cron, timezone, missedStart: 'skip' }, atMs);
    if (atMs !== undefined) starts.push(atMs);
  }
  return starts.slice(1).map((start, index) => (start - (starts[index] ?? 0)) / 3_600_000);
}

test('a warning if and only if the calendar leaves a start out, and none comes twice: every zone and hour', () => {
  const wrong: string[] = [];
  for (const [timezone, days] of ZONES) {
    for (const hour of [0, 1, 2, 3, 23]) {
      const cron = `15 ${hour} * * *`;
      const between = days.flatMap((dayMs) => hoursBetween(cron, timezone, dayMs));
      // One start a day: if one is left out, the next comes after about two days, and a second pass within hours.
      const isLeftOut = between.some((hours) => hours > 36);
      const isTwice = between.some((hours) => hours < 20);
      const { skipped, doubled } = changedStarts(cron, timezone, NOW_MS);
      if (isLeftOut !== (skipped !== undefined)) wrong.push(`${timezone} ${cron} is left out`);
      if (isTwice || doubled !== undefined) wrong.push(`${timezone} ${cron} comes twice`);
    }
  }
  expect(ZONES.size).toBeGreaterThan(30);
  expect(wrong).toEqual([]);
}, 120_000);

test('of every hour: a warning if and only if the time between two starts is another one, in every zone', () => {
  const wrong: string[] = [];
  for (const [timezone, days] of ZONES) {
    for (const minute of [15, 45]) {
      const cron = `${minute} * * * *`;
      const between = days.flatMap((dayMs) => hoursBetween(cron, timezone, dayMs, 7_200_000));
      const { skipped, doubled } = changedStarts(cron, timezone, NOW_MS);
      if (between.some((hours) => hours > 1) !== (skipped !== undefined))
        wrong.push(`${timezone} -`);
      if (between.some((hours) => hours < 1) !== (doubled !== undefined))
        wrong.push(`${timezone} +`);
    }
  }
  expect(wrong).toEqual([]);
}, 120_000);

describe('a start on the edge of the hour that is skipped', () => {
  const skipped = (cron: string, zone = 'Europe/Berlin') => changedStarts(cron, zone, NOW_MS);

  test.each([
    ['59 1 * * *', undefined],
    ['0 2 * * *', '02:00'],
    ['59 2 * * *', '02:59'],
    ['0 3 * * *', undefined],
    ['0,30 2 * * *', '02:00'],
  ])('%s: %s', (cron, time) => {
    expect(skipped(cron).skipped?.slice(-5)).toBe(time);
  });

  test('what is no schedule, and a zone that never changes, have none', () => {
    expect(skipped('nonsense')).toEqual({});
    expect(skipped('30 2 * * *', 'UTC')).toEqual({});
  });
});
