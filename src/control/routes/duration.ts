/**
 * Durations in requests, written as in the configuration: a whole number and its unit, `90s`, `15m`, `1h`, `7d`.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/lib/time.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
};

/** Milliseconds, or `undefined` where the text is no duration or shorter than a second. */
export function readDurationMs(text: string): number | undefined {
  const match = /^(?<count>[1-9]\d{0,8})(?<unit>[smhd])$/.exec(text);
  const unitMs = UNIT_MS[match?.groups?.['unit'] ?? ''];
  return unitMs === undefined ? undefined : Number(match?.groups?.['count']) * unitMs;
}
