/**
 * The Status document as an operator reads it: a row for each job, the budgets in use, one line of health and
 * what is wrong. Pure: a document in, text out.
 */
import { isFinal } from '../core/job.ts';
import type { AgentStatus, JobStatus, Status } from '../core/status.ts';
import { progressBar } from './bars.ts';
import { renderBudgets } from './budget-view.ts';
import { destinationCell } from './destination-cell.ts';
import { displayWidth, plain, truncate, wrap } from './plain-text.ts';
import { coarseSpanSince, span, spanSince, spanUntil } from './span.ts';
import { renderTable, type Cell, type Column } from './table.ts';
import { painter, type Paint, type Style } from './terminal.ts';

export interface View {
  /** Columns. */
  readonly width: number;
  /** Rows that a moving picture may take; absent: as many as it needs. */
  readonly height?: number;
  readonly color: boolean;
  readonly now: Date;
}

/** Below that a detail is better read on a line of its own. */
const DETAIL_COLUMNS_MIN = 24;

export function renderStatus(status: Status, view: View): string {
  const paint = painter(view.color);
  const health = renderHealth(status, view, paint);
  const jobs = renderJobs(status.jobs, view, paint);
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

function apart(parts: readonly (readonly string[])[]): string[] {
  return parts
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

/** `failed 23`, `stalled`, `canceled`: the state, and what is to be said with it. */
export function stateCell(job: JobStatus): Cell {
  const style = STATE_STYLE[job.state];
  if (job.state === 'running' && job.stalled === true) return { text: 'stalled', style: 'yellow' };
  if (job.cancelIncomplete === true) return { text: `${job.state}!`, style: 'red' };
  if (job.state === 'failed' && job.exitSignal !== undefined) {
    return { text: `failed ${plain(job.exitSignal)}`, style };
  }
  if (job.state === 'failed' && job.exitCode !== undefined) {
    return { text: `failed ${job.exitCode}`, style };
  }
  return { text: job.state, style };
}

const STATE_STYLE: Readonly<Record<JobStatus['state'], Style>> = {
  idle: 'dim',
  queued: 'dim',
  starting: 'cyan',
  running: 'cyan',
  canceling: 'yellow',
  succeeded: 'green',
  failed: 'red',
  lost: 'red',
  canceled: 'yellow',
  fenced: 'red',
};

const COLUMNS: readonly Column[] = [
  { title: 'JOB', shrinkTo: 10 },
  { title: 'STATE', shrinkTo: 9 },
  { title: 'PROGRESS' },
  { title: 'AGE', align: 'right' },
  { title: 'HUB said/left' },
  { title: 'PIPE said/left' },
];

function renderJobs(jobs: readonly JobStatus[], view: View, paint: Paint): string[] {
  if (jobs.length === 0) {
    return ['no jobs; start one: migration-agent run --name NAME -- COMMAND…'];
  }
  const rows = jobRows(jobs, view);
  const details = jobs.map((job) => plain(jobDetail(job)));
  const slim = renderTable(COLUMNS, rows, view.width, painter(false));
  const room = view.width - Math.max(...slim.map(displayWidth)) - 2;
  const longest = Math.max(...details.map(displayWidth));
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
  const shown = Math.max(1, jobs.length < room ? jobs.length : room - 2);
  const chosen = new Set(jobs.toSorted((a, b) => concern(a) - concern(b)).slice(0, shown));
  const kept = jobs.filter((job) => chosen.has(job));
  const rows = jobRows(kept, view);
  const left = new Map<string, number>();
  for (const { state } of jobs.filter((job) => !chosen.has(job))) {
    left.set(state, (left.get(state) ?? 0) + 1);
  }
  const words = [...left].map(([state, count]) => `${count} ${state}`).join(', ');
  const rest = left.size === 0 ? [] : [paint('dim', `… and ${words}`)];
  return [...renderTable(COLUMNS, rows, view.width, paint), ...rest];
}

/** What runs is looked at first, then what went wrong. */
function concern({ state }: JobStatus): number {
  if (state === 'idle') return 3;
  if (state === 'succeeded') return 2;
  return isFinal(state) ? 1 : 0;
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

/** Without the bars where there is no room: a name that is cut cannot be typed. */
function jobRows(jobs: readonly JobStatus[], { now, width }: View): Cell[][] {
  const rows = jobs.map((job) => jobCells(job, now, progressText));
  const natural = renderTable(COLUMNS, rows, Infinity, painter(false));
  if (Math.max(...natural.map(displayWidth)) <= width) return rows;
  return jobs.map((job) =>
    jobCells(job, now, (percent) => (percent === undefined ? '' : `${percent}%`)),
  );
}

function jobCells(
  job: JobStatus,
  now: Date,
  progress: (percent: number | undefined) => string,
): Cell[] {
  const { migrationHub, dataPipeline } = job.destinations;
  return [
    { text: plain(job.name), style: 'bold' },
    stateCell(job),
    { text: progress(job.percent) },
    { text: ageText(job, now) },
    migrationHub === undefined ? { text: '' } : destinationCell(migrationHub, now, job.endedAt),
    dataPipeline === undefined ? { text: '' } : destinationCell(dataPipeline, now, job.endedAt),
  ];
}

function progressText(percent: number | undefined): string {
  if (percent === undefined) return '';
  return `${progressBar(percent, 8)} ${String(percent).padStart(3)}%`;
}

/** How long it runs; how long ago it ended; when it starts. */
function ageText(job: JobStatus, now: Date): string {
  if (job.endedAt !== undefined) return `${coarseSpanSince(job.endedAt, now)} ago`;
  if (job.startedAt !== undefined) return spanSince(job.startedAt, now);
  if (job.nextStartAt !== undefined) return `in ${spanUntil(job.nextStartAt, now)}`;
  return '';
}

function jobDetail(job: JobStatus): string {
  const words = [job.endedAt === undefined ? job.detail : (job.reason ?? job.detail)];
  if (job.survivors !== undefined && job.survivors.length > 0) {
    words.push(`still alive: ${job.survivors.join(', ')}`);
  }
  return words.filter((each) => each !== undefined && each !== '').join('; ');
}

function renderHealth({ agent }: Status, view: View, paint: Paint): string[] {
  const slackS = agent.nearestDeadlineSeconds;
  const [verdict, style] = healthVerdict(agent);
  const facts = [
    ...(agent.state === 'draining' ? ['draining'] : []),
    `outbox ${agent.outbox}`,
    ...(slackS === undefined || slackS < 0 ? [] : [`next deadline in ${span(slackS * 1000)}`]),
    `clock ${agent.clockOffsetSeconds < 0 ? '' : '+'}${agent.clockOffsetSeconds.toFixed(1)}s`,
    `up ${spanSince(agent.startedAt, view.now)}`,
    plain(agent.host),
    `version ${plain(agent.version)}`,
    ...(agent.homeRegion === undefined ? [] : [`home ${plain(agent.homeRegion)}`]),
  ];
  // What does not fit is what matters least.
  let line = paint(style, verdict);
  let used = verdict.length;
  for (const fact of facts) {
    used += displayWidth(fact) + 2;
    if (used > view.width) break;
    line += `, ${fact}`;
  }
  const troubles = agent.troubles.flatMap((text) =>
    wrap(plain(text), view.width - 2).map((piece, index) =>
      paint('red', `${index === 0 ? '! ' : '  '}${piece}`),
    ),
  );
  return [line, ...troubles];
}

function healthVerdict({ troubles, nearestDeadlineSeconds: slackS }: AgentStatus): [string, Style] {
  const words =
    troubles.length === 0 ? [] : [`${troubles.length} trouble${troubles.length === 1 ? '' : 's'}`];
  if (slackS !== undefined && slackS < 0) words.push(`late by ${span(slackS * 1000)}`);
  return words.length === 0 ? ['well', 'green'] : [words.join(', '), 'red'];
}
