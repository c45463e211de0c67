/**
 * Finds the starts of a schedule that fall out when the clocks of its time zone go forward, and those that come twice when they
 * go back. As system/calendar.ts has it: a start in a repeated hour comes once, and one of every hour keeps to real time.
 */
import nodeCron from 'node-cron';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A zone that changes its clocks does so every year. */
const AHEAD_MS = 400 * DAY_MS;
/** No zone changes its clocks and changes them back within a week: Morocco's month of Ramadan is the shortest. */
const STRIDE_MS = 7 * DAY_MS;
/** More starts a day than this: the next one is near. */
const HOURS_MAX = 6;

interface Change {
  /** The local time that is skipped or repeated, as if it were UTC. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly isForward: boolean;
}

interface ChangedStarts {
  /** The first start that falls out, as local time. */
  readonly skipped?: string;
  /** The first start that comes twice, nearer to each other than the schedule has them on other days. */
  readonly doubled?: string;
}

export function changedStarts(cron: string, timeZone: string, nowMs: number): ChangedStarts {
  const { fields } = nodeCron.validateDetailed(cron);
  if (fields === undefined) return {};
  const hours = new Set(fields.hour);
  const minutes = new Set(fields.minute);
  const isHourly = hours.size === 24;
  const found: { skipped?: string; doubled?: string } = {};
  for (const change of changesOf(timeZone, nowMs)) {
    const lengthMs = change.toMs - change.fromMs;
    // A start of every hour moves by whole hours without being noticed, by half an hour on Lord Howe Island it does not.
    const isOff = isHourly && lengthMs % HOUR_MS !== 0 && spacingMs(minutes) > lengthMs;
    const matters = isOff || (change.isForward && hours.size <= HOURS_MAX);
    const start = matters ? firstStart(change, hours, minutes) : undefined;
    if (start !== undefined) found[change.isForward ? 'skipped' : 'doubled'] ??= start;
  }
  return found;
}

/** A later change may fall on a day that fits the schedule, so that the day of this one does not matter. */
function firstStart(
  { fromMs, toMs }: Change,
  hours: ReadonlySet<number>,
  minutes: ReadonlySet<number>,
): string | undefined {
  for (let ms = fromMs; ms < toMs; ms += MINUTE_MS) {
    const local = new Date(ms);
    if (hours.has(local.getUTCHours()) && minutes.has(local.getUTCMinutes())) {
      return local.toISOString().slice(0, 16).replace('T', ' ');
    }
  }
  return undefined;
}

/** The shortest time between two starts of an hourly schedule. */
function spacingMs(minutes: ReadonlySet<number>): number {
  const sorted = [...minutes].sort((a, b) => a - b);
  const next = [...sorted.slice(1), (sorted[0] ?? 0) + 60];
  return Math.min(...sorted.map((minute, index) => (next[index] ?? 60) - minute)) * MINUTE_MS;
}

/** The changes of the next year. */
function changesOf(timeZone: string, nowMs: number): Change[] {
  const offsetMs = offsetReader(timeZone);
  const changes: Change[] = [];
  let before = offsetMs(nowMs);
  for (let ms = nowMs; ms < nowMs + AHEAD_MS; ms += STRIDE_MS) {
    const after = offsetMs(ms + STRIDE_MS);
    if (after !== before) {
      const atMs = changeBetween(ms, ms + STRIDE_MS, offsetMs);
      const isForward = after > before;
      const [fromMs, toMs] = isForward ? [before, after] : [after, before];
      changes.push({ fromMs: atMs + fromMs, toMs: atMs + toMs, isForward });
    }
    before = after;
  }
  return changes;
}

/** The first moment with the later offset, to the minute. */
function changeBetween(fromMs: number, toMs: number, offsetMs: (ms: number) => number): number {
  let low = Math.floor(fromMs / MINUTE_MS);
  let high = Math.ceil(toMs / MINUTE_MS);
  const later = offsetMs(high * MINUTE_MS);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(middle * MINUTE_MS) === later) high = middle;
    else low = middle;
  }
  return high * MINUTE_MS;
}

function offsetReader(timeZone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  return (ms) => {
    const [, sign, hours = '0', minutes = '0'] =
      /GMT([+-])(\d{2}):(\d{2})/.exec(format.format(ms)) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  };
}
