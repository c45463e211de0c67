/**
 * What the parsers have in common. A parser reads one record of a run's output at a time and returns what it found.
 * It does no I/O. It neither keeps the percent from falling nor holds it at 99: the planner does.
 */
export interface Progress {
  /** Whole, 0–100, floored; absent: unknown. */
  readonly percent?: number;
  readonly detail?: string;
}

/** What one record shows. */
export interface Reading {
  /** 0–100, not rounded. */
  readonly percent?: number;
  /** What the percent is a share of, if it is printed and may grow. */
  readonly total?: number;
  readonly detail?: string;
  /** The record may well be about something else. */
  readonly isDoubtful?: boolean;
}

export type OutputStream = 'stdout' | 'stderr';

export interface ReadRecord {
  /**
   * Absent: this record shows no progress. `isUnfinished`: it has no end yet, so that its last number may be half of
   * one.
   */
  (record: string, stream: OutputStream, isUnfinished?: boolean): Reading | undefined;
  /** What is known besides when the command has ended well. */
  readonly ended?: () => Reading | undefined;
}

/** Fits a line of `status` and every destination. */
export const DETAIL_CHARACTERS_MAX = 300;

/** Only the newest characters of a record are searched: patterns of users may be slow. */
export const RECORD_CHARACTERS_MAX = 4096;

/** Floors a share into 0–100; absent if it is not a number (0 of 0). */
export function percentOf(done: number, total: number): number | undefined {
  return total > 0 ? wholePercent((done / total) * 100) : undefined;
}

export function wholePercent(percent: number): number | undefined {
  // 29/100*100 is 28.999999999999996, and means 29.
  const whole = Math.floor(percent + 1e-9);
  return Number.isFinite(whole) ? Math.min(100, Math.max(0, whole)) : undefined;
}

/** As people write sizes: decimal units, one decimal below 100. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit] ?? ''}`;
}
