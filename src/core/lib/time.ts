/**
 * The two clocks and the arithmetic between them. The core gets the time as an argument and never reads a clock.
 *
 * `wallMs` is the host's calendar time and may be stepped by an administrator or by NTP. `bootMs` counts
 * from the boot of the host, includes the time it slept, and only moves forward: durations and deadlines
 * inside one boot are measured on it. A moment that must survive a reboot is kept on both.
 */
export interface Now {
  /** Milliseconds since 1970 by the host's clock; may jump. */
  readonly wallMs: number;
  /** Milliseconds since boot, suspended time included; never falls. */
  readonly bootMs: number;
}

/** A moment on both clocks: `bootMs` is exact within one boot, `wallMs` is valid across reboots. */
export type Instant = Now;

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The moment `ms` after `at` (before it if `ms` is negative). */
export function after(at: Instant, ms: number): Instant {
  return { wallMs: at.wallMs + ms, bootMs: at.bootMs + ms };
}

/**
 * Moves an instant of an earlier boot onto the present boot's clock. Only its wall time is still valid, so its age is
 * taken from the calendar.
 */
export function rebase(instant: Instant, now: Now): Instant {
  return { wallMs: instant.wallMs, bootMs: now.bootMs - (now.wallMs - instant.wallMs) };
}

/** The range of dates (ECMAScript, Time Values). A time outside cannot be written as a date. */
const DATE_MS_MAX = 8.64e15;

/** A working clock shows a time between these. A clock with a dead battery shows 1970, 2000 or 2099. */
const BELIEVABLE_FROM_MS = 1_577_836_800_000; // 2020-01-01
const BELIEVABLE_UNTIL_MS = 4_070_908_800_000; // 2099-01-01

export function isBelievable(wallMs: number): boolean {
  return wallMs >= BELIEVABLE_FROM_MS && wallMs < BELIEVABLE_UNTIL_MS;
}

/** ISO 8601 in UTC. A time outside the range of dates is shown as the nearest date. */
export function iso(wallMs: number): string {
  const shownMs = Number.isNaN(wallMs) ? 0 : Math.min(DATE_MS_MAX, Math.max(-DATE_MS_MAX, wallMs));
  // eslint-disable-next-line no-restricted-globals -- a conversion of a given time, not a reading of the clock
  return new Date(shownMs).toISOString();
}

/** The wall time that `iso` wrote. */
export function wallMsOf(text: string): number {
  // eslint-disable-next-line no-restricted-globals -- a conversion of a given time, not a reading of the clock
  return Date.parse(text);
}
