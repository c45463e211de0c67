/** Periods of Data Pipeline: what is read, and what is not a period. */
import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../src/core/lib/time.ts';
import { periodMs } from '../../../src/core/pipeline/period.ts';

test.each<[string, number | undefined]>([
  ['1 minute', MINUTE_MS],
  ['15 minutes', 15 * MINUTE_MS],
  ['2 Hours', 2 * HOUR_MS],
  ['3 days', 3 * DAY_MS],
  ['1 week', 7 * DAY_MS],
  ['2 MONTHS', 60 * DAY_MS],
  ['1 year', 365 * DAY_MS],
  ['  5   hours ', 5 * HOUR_MS],
  ['100 years', 36_500 * DAY_MS],
  ['101 years', 36_500 * DAY_MS],
  ['999999999 years', 36_500 * DAY_MS],
  ['0 minutes', undefined],
  ['15 mins', undefined],
  ['15 seconds', undefined],
  ['15', undefined],
  ['15minutes', undefined],
  ['-1 minutes', undefined],
  ['1.5 hours', undefined],
  ['1 hour 5 minutes', undefined],
  ['1234567890 minutes', undefined],
  ['minutes', undefined],
  ['', undefined],
])('%j', (text, ms) => {
  expect(periodMs(text)).toBe(ms);
});
