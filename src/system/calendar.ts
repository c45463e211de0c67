/**
 * When a cron expression comes true, by node-cron's own reading of it, for any moment: no timer runs here and no
 * clock is read. Whether a start is late or was missed is the core's business.
 *
 * When the clocks change, an hour that is skipped has no start of its own. One that is repeated has the starts of
 * `0 1 * * *` once, at its first pass, and those of an expression for every hour in both: real time goes on.
 */
import cron from 'node-cron';
import type { ScheduledTask } from 'node-cron';
import type { Calendar } from '../core/runs/schedules.ts';
import type { JobSchedule } from '../core/model/schedule.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const QUARTER_MS = 15 * MINUTE_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** No day has fewer hours, so that none is stepped over. */
const STRIDE_MS = 23 * HOUR_MS;
/** 29 February comes within eight years; what never comes (30 February) must be given up at some time. */
const SEARCH_MS_MAX = 9 * 366 * 24 * HOUR_MS;
/** By how much clocks are set back: an hour, and half of one on Lord Howe Island. */
const SHIFTS_MS = [HOUR_MS, HOUR_MS / 2];

/**
 * One expression. node-cron says whether a moment matches, and is asked only where hour and minute do: its answer
 * costs some 50 µs.
 */
interface Expression {
  readonly whole: ScheduledTask;
  /** Comes true at every moment of the days that fit. */
  readonly day: ScheduledTask;
  readonly hours: ReadonlySet<number>;
  readonly minutes: ReadonlySet<number>;
  readonly seconds: readonly number[];
  readonly local: LocalTime;
}

export function createCalendar(): Calendar {
  const known = new Map<string, Expression>();
  return {
    nextStartMs(schedule, afterMs) {
      const key = `${schedule.timezone ?? ''} ${schedule.cron}`;
      let expression = known.get(key);
      if (expression === undefined) {
        expression = compile(schedule);
        known.set(key, expression);
      }
      return nextOf(expression, afterMs);
    },
  };
}

function compile({ cron: text, timezone }: JobSchedule): Expression {
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

/** Quarter by quarter through the days that fit; the days between are stepped over. */
function nextOf(expression: Expression, afterMs: number): number | undefined {
  const { day, hours, local } = expression;
  const endMs = afterMs + SEARCH_MS_MAX;
  // Every offset of a time zone is a multiple of a quarter: within one the local hour does not change.
  let atMs = Math.floor(afterMs / QUARTER_MS) * QUARTER_MS;
  let fittingDayMs = -Infinity;
  while (atMs < endMs) {
    if (hours.has(local.at(atMs).hour)) {
      const found = withinQuarter(expression, atMs, afterMs);
      if (found !== undefined) return found;
      if (atMs >= fittingDayMs && !day.match(new Date(atMs))) {
        fittingDayMs = nextFittingDay(day, atMs, endMs);
        // The day that fits began somewhere within the last stride.
        atMs = Math.max(atMs, fittingDayMs - STRIDE_MS);
      }
    }
    atMs += QUARTER_MS;
  }
  return undefined;
}

function nextFittingDay(day: ScheduledTask, fromMs: number, endMs: number): number {
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

/** What the clocks of a time zone show. */
class LocalTime {
  readonly #format: Intl.DateTimeFormat;

  constructor(timezone: string | undefined) {
    this.#format = new Intl.DateTimeFormat('en', {
      ...(timezone === undefined ? {} : { timeZone: timezone }),
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    });
  }

  at(ms: number): { readonly hour: number; readonly minute: number } {
    const [hour, minute] = this.#format.format(ms).split(':');
    return { hour: Number(hour), minute: Number(minute) };
  }

  /** They showed the same before: they have been set back since. */
  isSecondPass(ms: number): boolean {
    const shown = this.#format.format(ms);
    return SHIFTS_MS.some((shiftMs) => this.#format.format(ms - shiftMs) === shown);
  }
}
