/**
 * The Status document as an operator reads it: a row for each job, the budgets in use, one line of health and
 * what is wrong. Pure: a document in, text out.
 */
import { isFinal } from '../../core/model/job.ts';
import type { JobStatus, Status } from '../../core/model/status.ts';
import { progressBar } from '../terminal/bars.ts';
import { renderBudgets } from './budgets.ts';
import { destinationCell } from './destination-cell.ts';
import { renderHealth } from './health.ts';
import { stateCell } from './state-cell.ts';
import type { View } from './view.ts';
import { displayWidth, plain, truncate, wrap } from '../terminal/printable.ts';
import { coarseSpanSince, spanSince, spanUntil } from '../terminal/durations.ts';
import { renderTable } from '../terminal/table.ts';
import type { Cell, Column } from '../terminal/table.ts';
import { painter } from '../terminal/terminal.ts';
import type { Paint, Style } from '../terminal/terminal.ts';

/** Below that a detail is better read on a line of its own. */
const DETAIL_COLUMNS_MIN = 24;

export function renderStatus(status: Status, view: View): string {
  const paint = painter(view.color);
  const health = renderHealth(status, view, paint);
  const jobs = renderMost(status.jobs, view, paint);
  const budgets = renderBudgets(status.budgets, view.width, view.now, paint);
  for (const parts of [
    [jobs, budgets, health],
    [jobs, health],
  ]) {
    const lines = apart(parts);
    if (lines.length <= (view.height ?? Infinity)) return lines.join('\n');
  }
  const room = (view.height ?? Infinity) - health.length - 1;
  return apart([renderBriefly(status.jobs, view, paint, room), health]).join('\n');
}

/** All jobs in their order; where they are too many, those that matter most now, and how many more there are. */
function renderMost(jobs: readonly JobStatus[], view: View, paint: Paint): string[] {
  const max = view.jobsMax ?? Infinity;
  if (jobs.length <= max) return renderJobs(jobs, view, paint);
  const [shown, rest] = mostConcerning(jobs, max);
  return [
    ...renderJobs(shown, view, paint),
    ...wrap(`… and ${countStates(rest)}; all of them: status --all`, view.width).map((line) =>
      paint('dim', line),
    ),
  ];
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

function renderJobs(jobs: readonly JobStatus[], view: View, paint: Paint): string[] {
  if (jobs.length === 0) {
    return ['no jobs; start one: migration-agent run --name NAME -- COMMAND…'];
  }
  const rows = jobRows(jobs, view);
  const details = jobs.map((job) => plain(jobDetail(job)));
  const slim = renderTable(COLUMNS, rows, view.width, painter(false));
  const room = view.width - widest(slim) - 2;
  const longest = widest(details);
  if (longest > 0 && room >= Math.min(longest, DETAIL_COLUMNS_MIN)) {
    const columns = [...COLUMNS, { title: 'DETAIL', shrinkTo: 6 }];
    const wide = rows.map((row, index) => [...row, { text: details[index] ?? '' }]);
    return interleave(renderTable(columns, wide, view.width, paint), jobs, view, paint, []);
  }
  return interleave(renderTable(COLUMNS, rows, view.width, paint), jobs, view, paint, details);
}

/** One line a job, and where `room` lines are too few for that, the jobs that matter most now. */
function renderBriefly(
  jobs: readonly JobStatus[],
  view: View,
  paint: Paint,
  room: number,
): string[] {
  const [chosen, rest] = mostConcerning(
    jobs,
    Math.max(1, jobs.length < room ? jobs.length : room - 2),
  );
  const isChosen = new Set(chosen);
  const rows = jobRows(
    jobs.filter((job) => isChosen.has(job)),
    view,
  );
  const more =
    rest.length === 0 ? [] : [paint('dim', truncate(`… and ${countStates(rest)}`, view.width))];
  return [...renderTable(COLUMNS, rows, view.width, paint), ...more];
}

/** The first `count` by concern, and the others. */
function mostConcerning(jobs: readonly JobStatus[], count: number): [JobStatus[], JobStatus[]] {
  const sorted = jobs.toSorted((a, b) => concern(a) - concern(b) || urgency(a) - urgency(b));
  return [sorted.slice(0, count), sorted.slice(count)];
}

/** `9,200 idle, 14 succeeded`. */
function countStates(jobs: readonly JobStatus[]): string {
  const counts = new Map<string, number>();
  for (const { state } of jobs) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count.toLocaleString('en')} ${state}`).join(', ');
}

/** What runs is looked at first, then what went wrong. */
function concern({ state }: JobStatus): number {
  if (state === 'idle') return 3;
  if (state === 'succeeded') return 2;
  return isFinal(state) ? 1 : 0;
}

/** Among equals: of what runs the least slack, of what has ended the latest, of the others the next to start. */
function urgency(job: JobStatus): number {
  const { migrationHub, dataPipeline } = job.destinations;
  if (job.endedAt !== undefined) return -Date.parse(job.endedAt);
  if (job.nextStartAt !== undefined && job.startedAt === undefined)
    return Date.parse(job.nextStartAt);
  return Math.min(migrationHub?.slackSeconds ?? 1e9, dataPipeline?.slackSeconds ?? 1e9);
}

/** Below each row what does not fit into it: its detail, and what its destinations object to. */
function interleave(
  lines: readonly string[],
  jobs: readonly JobStatus[],
  view: View,
  paint: Paint,
  details: readonly string[],
): string[] {
  const [titles = '', ...rows] = lines;
  const indented = (text: string, style: Style): string =>
    paint(style, `  ${truncate(plain(text), view.width - 2)}`);
  return [
    titles,
    ...rows.flatMap((row, index) => {
      const detail = details[index] ?? '';
      const { migrationHub, dataPipeline } = jobs[index]?.destinations ?? {};
      return [
        row,
        ...(detail === '' ? [] : [indented(detail, 'dim')]),
        ...(migrationHub?.reason === undefined
          ? []
          : [indented(`hub: ${migrationHub.reason}`, 'yellow')]),
        ...(dataPipeline?.reason === undefined
          ? []
          : [indented(`pipeline: ${dataPipeline.reason}`, 'yellow')]),
      ];
    }),
  ];
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
  const message = [job.endedAt === undefined ? job.detail : (job.reason ?? job.detail)];
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
