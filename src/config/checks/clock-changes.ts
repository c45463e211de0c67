/** Finds the starts of a schedule that fall out when the clocks of its time zone go forward. */
import nodeCron from 'node-cron';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A zone that changes its clocks does so every year. */
const AHEAD_MS = 400 * DAY_MS;
/** More starts a day than this: the next one is near. */
const HOURS_MAX = 6;

interface Gap {
  /** The moment of the change. */
  readonly atMs: number;
  /** The local time that is skipped, as if it were UTC. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Undefined: no start falls out. */
export function skippedStart(cron: string, timeZone: string, nowMs: number): string | undefined {
  const { fields } = nodeCron.validateDetailed(cron);
  if (fields === undefined || fields.hour.length > HOURS_MAX) return undefined;
  for (const { fromMs, toMs } of gapsOf(timeZone, nowMs)) {
    for (let ms = fromMs; ms < toMs; ms += MINUTE_MS) {
      const local = new Date(ms);
      // A later change may fall on a day that fits the schedule, so that the day of this one does not matter.
      const isStart =
        fields.hour.includes(local.getUTCHours()) && fields.minute.includes(local.getUTCMinutes());
      if (isStart) return local.toISOString().slice(0, 16).replace('T', ' ');
    }
  }
  return undefined;
}

/** The changes forward of the next year. */
function gapsOf(timeZone: string, nowMs: number): Gap[] {
  const offsetMs = offsetReader(timeZone);
  const gaps: Gap[] = [];
  for (let dayMs = nowMs; dayMs < nowMs + AHEAD_MS; dayMs += DAY_MS) {
    const before = offsetMs(dayMs);
    if (offsetMs(dayMs + DAY_MS) <= before) continue;
    const atMs = changeBetween(dayMs, dayMs + DAY_MS, offsetMs);
    gaps.push({ atMs, fromMs: atMs + before, toMs: atMs + offsetMs(atMs) });
  }
  return gaps;
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
    const name = format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours = '0', minutes = '0'] = /([+-])(\d{2}):(\d{2})/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  };
}
