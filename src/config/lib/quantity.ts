/** Durations and sizes as people write them in the configuration file: `90s`, `1h30m`, `10 GB`. */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/lib/time.ts';

/** Units from the longest to the shortest, each at most once; the digits stay within exact integers. */
export const DURATION_PATTERN = '^(?=\\d)(\\d{1,9}d)?(\\d{1,9}h)?(\\d{1,9}m)?(\\d{1,9}s)?$';
const DURATION = new RegExp(DURATION_PATTERN);

/** Milliseconds; undefined where the text is no duration. */
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

export const SIZE_PATTERN = '^\\d{1,15}(\\.\\d{1,6})?\\s?([kKMGTP]i?)?B?$';
const SIZE = new RegExp(SIZE_PATTERN);

/** Bytes; undefined where the text is no size. `GB` is 10^9 and `GiB` is 2^30, as IEC 80000-13 has it. */
export function parseSize(text: string): number | undefined {
  if (!SIZE.test(text)) return undefined;
  const prefix = /[kKMGTP]/.exec(text)?.[0]?.toUpperCase() ?? '';
  const power = prefix === '' ? 0 : 'KMGTP'.indexOf(prefix) + 1;
  const bytes = Number.parseFloat(text) * (text.includes('i') ? 1024 : 1000) ** power;
  return Math.round(bytes);
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
