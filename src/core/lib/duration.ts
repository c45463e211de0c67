/** Durations as people write them, in the configuration, in requests and on the command line: `90s`, `15m`, `1h30m`, `7d`. */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './time.ts';

/** Units from the longest to the shortest, each at most once; the digits stay within exact integers. */
export const DURATION_PATTERN = '^(?=\\d)(\\d{1,9}d)?(\\d{1,9}h)?(\\d{1,9}m)?(\\d{1,9}s)?$';
const DURATION = new RegExp(DURATION_PATTERN);

/** Milliseconds, or `undefined` if the text is no duration. `0s` is one: whether it is too short is for the caller to say. */
export function parseDuration(text: string): number | undefined {
  const parts = DURATION.exec(text);
  if (parts === null) return undefined;
  const [, days, hours, minutes, seconds] = parts;
  return (
    amount(days) * DAY_MS +
    amount(hours) * HOUR_MS +
    amount(minutes) * MINUTE_MS +
    amount(seconds) * SECOND_MS
  );
}

/** The shortest spelling of whole seconds: 5400000 is `1h30m`. */
export function formatDuration(durationMs: number): string {
  let rest = Math.floor(durationMs / SECOND_MS) * SECOND_MS;
  let text = '';
  for (const [unit, unitMs] of UNITS_MS) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : text;
}

const UNITS_MS = [
  ['d', DAY_MS],
  ['h', HOUR_MS],
  ['m', MINUTE_MS],
  ['s', SECOND_MS],
] as const;

function amount(part: string | undefined): number {
  return part === undefined ? 0 : Number.parseInt(part, 10);
}
