/**
 * Computes when a cron expression next matches after any moment, as node-cron reads it. Runs no timer and reads no clock; the
 * core decides whether a start is late or was missed.
 *
 * When the clocks go forward, the skipped hour has no start. When they go back, `0 1 * * *` starts once, in the first pass of
 * the repeated hour; an expression for every hour starts in both.
 */
import { defined } from '../core/lib/defined.ts';
import cron from 'node-cron';
import type { ScheduledTask } from 'node-cron';
import type { Calendar } from '../core/runs/schedules.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const QUARTER_MS = 15 * MINUTE_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** No day has fewer hours, so no day is skipped. */
const STRIDE_MS = 23 * HOUR_MS;
/** 29 February comes within eight years. The search for a date that never comes (30 February) ends here. */
const SEARCH_MS_MAX = 9 * 366 * 24 * HOUR_MS;
/** Clocks go back by an hour, on Lord Howe Island by half of one, at Troll in Antarctica by two. */
const SET_BACK_MS_MAX = 3 * HOUR_MS;

/**
 * One expression. node-cron decides whether a moment matches; that takes about 50 µs, so it is called only if hour and minute
 * match.
 */
interface Expression {
  readonly whole: ScheduledTask;
  /** Matches every moment of the matching days. */
  readonly day: ScheduledTask;
  readonly hours: ReadonlySet<number>;
  readonly minutes: ReadonlySet<number>;
  readonly seconds: readonly number[];
  readonly local: LocalTime;
}

/**
 * `hostZone`: the zone of schedules that name none; asked only for the first of those, since the data of time zones take 5 MB.
 * Default: what Node.js takes for the host's.
 */
export function createCalendar(hostZone: () => string | undefined = () => undefined): Calendar {
  const known = new Map<string, Expression>();
  return {
    nextStartMs(schedule, afterMs) {
      const key = `${schedule.timezone ?? ''} ${schedule.cron}`;
      let expression = known.get(key);
      if (expression === undefined) {
        expression = compile(schedule.cron, schedule.timezone ?? hostZone());
        known.set(key, expression);
      }
      return nextOf(expression, afterMs);
    },
  };
}

function compile(text: string, timezone: string | undefined): Expression {
  const { second, minute, hour, dayOfMonth, month, dayOfWeek } = cron.parse(text);
  const days = [dayOfMonth, month, dayOfWeek].map((field) => field.join(',')).join(' ');
  const task = (expression: string): ScheduledTask =>
    cron.createTask(expression, () => undefined, timezone === undefined ? {} : { timezone });
  return {
    whole: task(`* ${minute.join(',')} ${hour.join(',')} ${days}`),
    day: task(`* * * ${days}`),
    hours: new Set(hour),
    minutes: new Set(minute),
    seconds: second,
    local: new LocalTime(timezone),
  };
}

/** Searches the matching days quarter-hour by quarter-hour, and skips the days between. */
function nextOf(expression: Expression, afterMs: number): number | undefined {
  const { day, hours, local } = expression;
  const endMs = afterMs + SEARCH_MS_MAX;
  // Every offset of a time zone is a multiple of a quarter: within one the local hour does not change.
  let atMs = Math.floor(afterMs / QUARTER_MS) * QUARTER_MS;
  let matchingDayMs = -Infinity;
  while (atMs < endMs) {
    if (hours.has(local.at(atMs).hour)) {
      const found = withinQuarter(expression, atMs, afterMs);
      if (found !== undefined) return found;
      if (atMs >= matchingDayMs && !day.match(new Date(atMs))) {
        matchingDayMs = nextMatchingDay(day, atMs, endMs);
        // The matching day began somewhere within the last stride.
        atMs = Math.max(atMs, matchingDayMs - STRIDE_MS);
      }
    }
    atMs += QUARTER_MS;
  }
  return undefined;
}

function nextMatchingDay(day: ScheduledTask, fromMs: number, endMs: number): number {
  let atMs = fromMs;
  while (atMs < endMs && !day.match(new Date(atMs))) atMs += STRIDE_MS;
  return atMs;
}

function withinQuarter(
  { whole, hours, minutes, seconds, local }: Expression,
  quarterMs: number,
  afterMs: number,
): number | undefined {
  const first = local.at(quarterMs).minute;
  for (let minute = 0; minute < 15; minute++) {
    const minuteMs = quarterMs + minute * MINUTE_MS;
    if (!minutes.has(first + minute) || minuteMs + MINUTE_MS <= afterMs) continue;
    if (!whole.match(new Date(minuteMs))) continue;
    for (const second of seconds) {
      const atMs = minuteMs + second * SECOND_MS;
      if (atMs > afterMs && (hours.size === 24 || !local.isSecondPass(atMs))) return atMs;
    }
  }
  return undefined;
}

/** The local time of a time zone. */
class LocalTime {
  readonly #format: Intl.DateTimeFormat;

  constructor(timezone: string | undefined) {
    this.#format = new Intl.DateTimeFormat(
      'en',
      defined({
        timeZone: timezone,
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        hourCycle: 'h23',
      }),
    );
  }

  at(ms: number): { readonly hour: number; readonly minute: number } {
    const [hour, minute] = this.#format.format(ms).split(':');
    return { hour: Number(hour), minute: Number(minute) };
  }

  /** True if the clocks showed the same time before and have been set back since. */
  isSecondPass(ms: number): boolean {
    const beforeMs = this.#offsetMs(ms - SET_BACK_MS_MAX);
    const setBackMs = (beforeMs - this.#offsetMs(ms) + DAY_MS) % DAY_MS;
    if (setBackMs === 0 || setBackMs > SET_BACK_MS_MAX) return false;
    // The first pass is as long ago as the clocks were set back by, and by the clocks of that time.
    return this.#offsetMs(ms - setBackMs) === beforeMs;
  }

  /** Between 0 and a day: 23 hours stand for one hour behind UTC. */
  #offsetMs(ms: number): number {
    const [hour = 0, minute = 0] = this.#format.format(ms).split(':').map(Number);
    const localMs = hour * HOUR_MS + minute * MINUTE_MS;
    const utcMs = Math.floor((ms % DAY_MS) / MINUTE_MS) * MINUTE_MS;
    return (localMs - utcMs + DAY_MS) % DAY_MS;
  }
}
