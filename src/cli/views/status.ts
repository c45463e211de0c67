/**
 * The Status document as an operator reads it: health and what is wrong, a row for each job, the budgets in use. Pure: a document in, text out.
 */
import type { JobStatus, Status } from '../../core/model/status.ts';
import { byAttention, countByCondition, needsAttention } from '../../core/operator/attention.ts';
import { progressBar } from '../terminal/bars.ts';
import { renderBudgets } from './budgets.ts';
import { destinationCell } from './destination-cell.ts';
import { renderHealth } from './health.ts';
import { stateCell } from './state-cell.ts';
import type { View } from './view.ts';
import { displayWidth, plain, truncate, wrap } from '../terminal/printable.ts';
import { coarseSpanSince, span, spanSince, spanUntil } from '../terminal/durations.ts';
import { renderTable } from '../terminal/table.ts';
import type { Cell, Column } from '../terminal/table.ts';
import { painter } from '../terminal/terminal.ts';
import type { Paint, Style } from '../terminal/terminal.ts';

/** So many jobs are counted at a glance. */
const COUNTED_MIN = 6;
/** Below that a detail is better read on a line of its own. */
const DETAIL_COLUMNS_MIN = 24;

export function renderStatus(status: Status, view: View): string {
  const paint = painter(view.color);
  const { jobs } = status;
  const room = view.height ?? Infinity;
  const head = [
    ...renderHealth(status, view, paint),
    ...(jobs.length < COUNTED_MIN
      ? []
      : wrap(`${jobs.length} jobs: ${countText(jobs)}`, view.width)),
  ];
  const table = renderJobs(jobs, view, paint, room - head.length - 1);
  const budgets = renderBudgets(status.budgets, view.width, view.now, paint);
  const whole = apart([head, table, budgets]);
  return (whole.length <= room ? whole : apart([head, table])).join('\n');
}

/** `2 failed, 12 running, 486 idle`. */
function countText(jobs: readonly JobStatus[]): string {
  const counts = countByCondition(jobs);
  return counts
    .map(([condition, count]) => `${count.toLocaleString('en')} ${condition}`)
    .join(', ');
}

function apart(parts: readonly (readonly string[])[]): string[] {
  return parts
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

const COLUMNS: readonly Column[] = [
  { title: 'JOB', shrinkTo: 10 },
  { title: 'STATE', shrinkTo: 9 },
  { title: 'PROGRESS' },
  { title: 'AGE', align: 'right' },
  { title: 'HUB ago/left' },
  { title: 'PIPE ago/left' },
];

/** By attention: each job with what does not fit into its row, as many as fit into `room` lines, and the number of the others. */
function renderJobs(jobs: readonly JobStatus[], view: View, paint: Paint, room: number): string[] {
  if (jobs.length === 0) return ['no jobs; start one: migration-agent run -- COMMAND…'];
  const sorted = byAttention(jobs);
  const candidates = sorted.slice(0, Math.min(view.jobsMax ?? Infinity, Math.max(1, room)));
  const [titles, ...whole] = renderGroups(candidates, view, paint);
  // If not all fit, only a job that needs attention takes more than a line.
  const areAllShown = candidates.length === jobs.length && count(whole) < room;
  const groups = areAllShown
    ? whole
    : whole.map((lines, index) => {
        const job = candidates[index];
        return job !== undefined && needsAttention(job) ? lines : lines.slice(0, 1);
      });
  const shown = groups.slice(0, fitting(groups, jobs.length, room - 1));
  const rest = sorted.slice(shown.length);
  const more = rest.length === 0 ? [] : moreLines(rest, view).map((line) => paint('dim', line));
  return [titles, ...shown.flat().slice(0, Math.max(1, room - 1 - more.length)), ...more];
}

/** How many groups fit, one at least: if not all do, a line is needed for how many more there are. */
function fitting(groups: readonly (readonly string[])[], jobs: number, room: number): number {
  if (groups.length === jobs && count(groups) <= room) return groups.length;
  let used = 1;
  const fits = groups.findIndex(({ length }) => (used += length) > room);
  return fits < 0 ? groups.length : Math.max(1, fits);
}

function count(groups: readonly (readonly string[])[]): number {
  return groups.reduce((sum, { length }) => sum + length, 0);
}

function moreLines(rest: readonly JobStatus[], view: View): string[] {
  const text = `… and ${countText(rest)}`;
  if (view.isMoving === true) return [truncate(text, view.width)];
  return wrap(`${text}; all of them: status --all`, view.width);
}

/** The titles, and for each job its row with the lines below it. */
function renderGroups(
  jobs: readonly JobStatus[],
  view: View,
  paint: Paint,
): [string, ...string[][]] {
  const rows = jobRows(jobs, view);
  const details = jobs.map((job) => plain(jobDetail(job)));
  const slim = renderTable(COLUMNS, rows, view.width, painter(false));
  const room = view.width - widest(slim) - 2;
  const longest = widest(details);
  if (longest > 0 && room >= Math.min(longest, DETAIL_COLUMNS_MIN)) {
    const columns = [...COLUMNS, { title: 'DETAIL', shrinkTo: 6 }];
    const wide = rows.map((row, index) => [...row, { text: details[index] ?? '' }]);
    return grouped(renderTable(columns, wide, view.width, paint), jobs, view, paint, []);
  }
  return grouped(renderTable(COLUMNS, rows, view.width, paint), jobs, view, paint, details);
}

/** Below each row what does not fit into it: its detail, and what its destinations object to. */
function grouped(
  lines: readonly string[],
  jobs: readonly JobStatus[],
  view: View,
  paint: Paint,
  details: readonly string[],
): [string, ...string[][]] {
  const [titles = '', ...rows] = lines;
  const indented = (text: string | undefined, style: Style): string[] =>
    text === undefined || text === ''
      ? []
      : [paint(style, `  ${truncate(plain(text), view.width - 2)}`)];
  const groups = rows.map((row, index) => {
    const { migrationHub: hub, dataPipeline: pipeline } = jobs[index]?.destinations ?? {};
    return [
      row,
      ...indented(details[index], 'dim'),
      ...indented(hub?.reason && `hub: ${hub.reason}`, 'yellow'),
      ...indented(pipeline?.reason && `pipeline: ${pipeline.reason}`, 'yellow'),
    ];
  });
  return [titles, ...groups];
}

/** Columns of the bars, the widest that there is room for: a name that is cut off cannot be typed. With three they are no
 * wider than their title. */
const BAR_COLUMNS = [8, 6, 4, 3];

function jobRows(jobs: readonly JobStatus[], { now, width }: View): Cell[][] {
  let rows: Cell[][] = [];
  for (const barColumns of BAR_COLUMNS) {
    rows = jobs.map((job) => jobCells(job, now, barColumns));
    const natural = renderTable(COLUMNS, rows, Infinity, painter(false));
    if (widest(natural) <= width) break;
  }
  return rows;
}

function jobCells(job: JobStatus, now: Date, barColumns: number): Cell[] {
  const { migrationHub, dataPipeline } = job.destinations;
  return [
    { text: plain(job.name), style: 'bold' },
    stateCell(job),
    { text: progressText(job.percent, barColumns) },
    { text: ageText(job, now) },
    migrationHub === undefined ? { text: '' } : destinationCell(migrationHub, now, job.endedAt),
    dataPipeline === undefined ? { text: '' } : destinationCell(dataPipeline, now, job.endedAt),
  ];
}

function progressText(percent: number | undefined, barColumns: number): string {
  if (percent === undefined) return '';
  return `${progressBar(percent, barColumns)} ${String(percent).padStart(3)}%`;
}

/** How long it runs; how long ago it ended; when it starts. */
function ageText(job: JobStatus, now: Date): string {
  if (job.endedAt !== undefined) return `${coarseSpanSince(job.endedAt, now)} ago`;
  if (job.startedAt !== undefined) return spanSince(job.startedAt, now);
  if (job.nextStartAt !== undefined) return `in ${spanUntil(job.nextStartAt, now)}`;
  return '';
}

function jobDetail(job: JobStatus): string {
  const message = [
    job.endedAt === undefined ? job.detail : (job.reason ?? job.detail),
    job.etaSeconds === undefined ? undefined : `about ${span(job.etaSeconds * 1000)} left`,
  ];
  if (job.survivors !== undefined && job.survivors.length > 0) {
    // First: a narrow terminal cuts the end off, and this is what somebody must look after.
    message.unshift(`still alive: ${job.survivors.join(', ')}`);
  }
  return message.filter((each) => each !== undefined && each !== '').join('; ');
}

/** Columns of the longest line. Not by a spread: ten thousand jobs are too many arguments. */
function widest(lines: readonly string[]): number {
  return lines.reduce((width, line) => Math.max(width, displayWidth(line)), 0);
}
