/**
 * The Status document as an operator reads it: a row for each job, the budgets in use, one line of health and
 * what is wrong. Pure: a document in, text out.
 */
import type { AgentStatus, BudgetStatus, JobStatus, Status } from '../core/status.ts';
import { progressBar } from './bars.ts';
import { destinationCell } from './destination-cell.ts';
import { displayWidth, plain, truncate, wrap } from './plain-text.ts';
import { coarseSpanSince, span, spanSince, spanUntil } from './span.ts';
import { renderTable, type Cell, type Column } from './table.ts';
import { painter, type Paint, type Style } from './terminal.ts';

export interface View {
  /** Columns. */
  readonly width: number;
  readonly color: boolean;
  readonly now: Date;
}

/** Below that a detail is better read on a line of its own. */
const DETAIL_COLUMNS_MIN = 24;

export function renderStatus(status: Status, view: View): string {
  const paint = painter(view.color);
  const parts = [renderJobs(status.jobs, view, paint), renderBudgets(status.budgets, view, paint)];
  const health = renderHealth(status, view, paint);
  return [...parts.filter((lines) => lines.length > 0), health]
    .map((lines) => lines.join('\n'))
    .join('\n\n');
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
  const rows = jobs.map((job) => jobCells(job, view.now));
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

function jobCells(job: JobStatus, now: Date): Cell[] {
  const { migrationHub, dataPipeline } = job.destinations;
  return [
    { text: plain(job.name), style: 'bold' },
    stateCell(job),
    { text: progressText(job.percent) },
    { text: ageText(job, now) },
    migrationHub === undefined ? { text: '' } : destinationCell(migrationHub, now),
    dataPipeline === undefined ? { text: '' } : destinationCell(dataPipeline, now),
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

function renderBudgets(budgets: readonly BudgetStatus[], view: View, paint: Paint): string[] {
  const used = budgets.filter(
    ({ accepted, throttled, failed, pausedUntil }) =>
      accepted + throttled + failed > 0 || pausedUntil !== undefined,
  );
  if (used.length === 0) return [];
  const count = (value: number, style?: Style): Cell =>
    value === 0 ? { text: '' } : { text: String(value), ...(style === undefined ? {} : { style }) };
  const columns: Column[] = [
    { title: 'OPERATION', shrinkTo: 18 },
    { title: 'BUDGET' },
    { title: 'ACCEPTED', align: 'right' },
    { title: 'THROTTLED', align: 'right' },
    { title: 'FAILED', align: 'right' },
    { title: 'PAUSED', shrinkTo: 8 },
  ];
  const rows = used.map((budget) => [
    { text: budget.operation },
    { text: `${budget.perSecond}/s, ${budget.burst}` },
    count(budget.accepted),
    count(budget.throttled, 'yellow'),
    count(budget.failed, 'red'),
    { text: pauseText(budget, view.now), style: 'yellow' as const },
  ]);
  return renderTable(columns, rows, view.width, paint);
}

function pauseText({ pausedUntil, pausedBecause }: BudgetStatus, now: Date): string {
  if (pausedUntil === undefined) return '';
  return `${spanUntil(pausedUntil, now)}${pausedBecause === undefined ? '' : `: ${plain(pausedBecause)}`}`;
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
