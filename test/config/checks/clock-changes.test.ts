/** Starts that fall out when clocks go forward: by the calendar itself, for every zone. */
import { expect, test } from 'vitest';
import { skippedStart } from '../../../src/config/checks/clock-changes.ts';
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
])('%s in %s: %s', (cron, zone, skipped) => {
  expect(skippedStart(cron, zone, NOW_MS)).toBe(skipped);
});

/** The days of the next year with another offset than the day before, as ms since 1970. */
function changes(timeZone: string): number[] {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  const offset = (ms: number): string => format.format(ms).replace(/^.*GMT/, '');
  return Array.from({ length: 399 }, (_, day) => NOW_MS + day * DAY_MS).filter(
    (ms) => offset(ms) !== offset(ms + DAY_MS),
  );
}

test('a warning if and only if the calendar leaves the start out, in every zone and hour of change', () => {
  const calendar = createCalendar();
  // Zones that change at the same moments by the same rule are asked once.
  const zones = new Map(
    Intl.supportedValuesOf('timeZone').map((zone) => {
      const local = new Intl.DateTimeFormat('en', { timeZone: zone, timeStyle: 'short' });
      return [`${changes(zone).join()} ${local.format(NOW_MS)}`, zone];
    }),
  );
  const wrong: string[] = [];
  for (const timezone of zones.values()) {
    for (const hour of [0, 1, 2, 3]) {
      const cron = `15 ${hour} * * *`;
      const isLeftOut = changes(timezone).some((dayMs) => {
        const starts: number[] = [];
        let atMs: number | undefined = dayMs - DAY_MS;
        while (atMs !== undefined && starts.length < 4) {
          atMs = calendar.nextStartMs({ cron, timezone, missedStart: 'skip' }, atMs);
          if (atMs !== undefined) starts.push(atMs);
        }
        // One start a day: if one is left out, the next comes after about two days.
        return starts.some((start, index) => start - (starts[index - 1] ?? start) > 1.5 * DAY_MS);
      });
      if (isLeftOut !== (skippedStart(cron, timezone, NOW_MS) !== undefined)) {
        wrong.push(`${timezone} ${cron}`);
      }
    }
  }
  expect(zones.size).toBeGreaterThan(30);
  expect(wrong).toEqual([]);
}, 120_000);
