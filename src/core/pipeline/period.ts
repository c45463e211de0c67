/**
 * Data Pipeline's type Period, as in the fields `reportProgressTimeout` and `attemptTimeout`:
 * "N [years|months|weeks|days|hours|minutes]" (Developer Guide, dp-expressions-functions). AWS's own samples write
 * it with capitals and in the singular, so both are read.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../lib/time.ts';

const UNITS: Readonly<Record<string, number>> = {
  minute: MINUTE_MS,
  hour: HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30 * DAY_MS,
  year: 365 * DAY_MS,
};

/** A date after a longer period cannot be represented. */
const PERIOD_MS_MAX = 100 * 365 * DAY_MS;

/** Milliseconds; `undefined` if the text is no period. */
export function periodMs(text: string): number | undefined {
  const match = /^\s*(\d{1,9})\s+([a-z]+?)s?\s*$/i.exec(text);
  const unit = UNITS[match?.[2]?.toLowerCase() ?? ''];
  const count = Number(match?.[1]);
  return unit === undefined || count === 0 ? undefined : Math.min(count * unit, PERIOD_MS_MAX);
}
