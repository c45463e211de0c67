/** What `config check` shows of a valid configuration: the parser that `auto` picks, and the next starts of schedules. */
import type { Configuration } from '../../config/build/configuration.ts';
import type { JobDefinition } from '../../core/model/job.ts';
import { parserFor } from '../../core/command-line/progress-parser.ts';
import type { Calendar } from '../../core/runs/schedules.ts';

const STARTS = 3;

export function jobNotes(
  { settings }: Configuration,
  calendar: Calendar,
  zone: string,
  nowMs: number,
): string[] {
  return [...settings.jobs.values()].flatMap((job) => [
    ...parserNotes(job),
    ...startNotes(job, calendar, zone, nowMs),
  ]);
}

function parserNotes({ name, progress, command }: JobDefinition): string[] {
  if (progress.parser !== 'auto') return [];
  const { parser, tool } = parserFor(command);
  const by = tool === undefined ? '' : `, since the command runs ${tool.name}`;
  return [`jobs.${name}.progress: auto picks ${parser}${by}`];
}

function startNotes(
  job: JobDefinition,
  calendar: Calendar,
  hostZone: string,
  nowMs: number,
): string[] {
  if (job.schedule === undefined) return [];
  const timeZone = job.schedule.timezone ?? hostZone;
  const starts = nextStarts(job, calendar, hostZone, nowMs, STARTS);
  const list = starts.length === 0 ? 'none' : starts.join(', ');
  return [`jobs.${job.name}.schedule: next starts (${timeZone}): ${list}`];
}

/** In the time zone of the schedule; none: it starts never. */
export function nextStarts(
  { schedule }: JobDefinition,
  calendar: Calendar,
  hostZone: string,
  nowMs: number,
  count: number,
): string[] {
  if (schedule === undefined) return [];
  const starts: string[] = [];
  let atMs = calendar.nextStartMs(schedule, nowMs);
  while (atMs !== undefined && starts.length < count) {
    starts.push(localTime(atMs, schedule.timezone ?? hostZone));
    atMs = calendar.nextStartMs(schedule, atMs);
  }
  return starts;
}

/** `Fri 2026-11-27 02:00 +01:00`. */
function localTime(ms: number, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  });
  const parts = Object.fromEntries(
    format.formatToParts(ms).map(({ type, value }) => [type, value]),
  );
  const { weekday, year, month, day, hour, minute, timeZoneName = '' } = parts;
  const offset = timeZoneName === 'GMT' ? '+00:00' : timeZoneName.slice('GMT'.length);
  return `${weekday} ${year}-${month}-${day} ${hour}:${minute} ${offset}`;
}
