/**
 * One job in full, as `systemctl status` shows a unit: what it is, how it is, what AWS has of it; then its last output,
 * its earlier runs and its timeline.
 */
import type { OutputTail } from '../../control/routes/documents.ts';
import type { TimelineEntryDocument } from '../../control/routes/timeline-entry.ts';
import type { EarlierRun, JobDetail } from '../../core/model/status.ts';
import { moment, span } from '../terminal/durations.ts';
import { plain, truncate, wrap } from '../terminal/printable.ts';
import { renderTable } from '../terminal/table.ts';
import type { Cell, Column } from '../terminal/table.ts';
import { painter } from '../terminal/terminal.ts';
import type { Paint } from '../terminal/terminal.ts';
import { jobFacts, jobHeadline } from './job-facts.ts';
import type { Fact } from './job-facts.ts';
import { stateCell } from './state-cell.ts';
import { renderTimeline } from './timeline.ts';
import type { View } from './view.ts';

export interface JobPicture {
  readonly job: JobDetail;
  /** The last lines of each stream; absent: there are none, or they cannot be read. */
  readonly output?: Pick<OutputTail, 'stdout' | 'stderr'>;
  readonly timeline: readonly TimelineEntryDocument[];
}

const OUTPUT_LINES = 10;
const EARLIER_RUNS = 5;

export function renderJob({ job, output, timeline }: JobPicture, view: View): string {
  const paint = painter(view.color);
  const outputs = outputSections(job, output, view);
  const facts = [
    jobHeadline(job, paint),
    ...jobFacts(job, outputs.length > 0, view.now).flatMap((fact) =>
      factLines(fact, view.width, paint),
    ),
  ];
  const sections: Section[] = [
    ...outputs,
    {
      title: 'EARLIER RUNS',
      lines: earlierRuns(job.earlierRuns.slice(0, EARLIER_RUNS), view, paint),
      atLeast: 2,
      end: 'first',
    },
    { title: 'TIMELINE (UTC)', lines: renderTimeline(timeline, view), atLeast: 4, end: 'last' },
  ];
  const filled = sections.filter(({ lines }) => lines.length > 0);
  return [
    ...facts,
    ...renderSections(filled, (view.height ?? Infinity) - facts.length, paint),
  ].join('\n');
}

interface Section {
  readonly title: string;
  readonly lines: readonly string[];
  /** So many of its lines are shown in any case, if it has them. */
  readonly atLeast: number;
  /** Which of its lines are shown if there is no room for all. */
  readonly end: 'first' | 'last';
}

/**
 * Below each other in `room` lines. Each section gets what it needs at least, then the first ones get more. One that
 * cannot have a line is left out.
 */
function renderSections(sections: readonly Section[], room: number, paint: Paint): string[] {
  const all = sections.reduce((sum, { lines }) => sum + lines.length + 2, 0);
  // A blank line above each title, unless it costs a line of content.
  const isTight = all > room;
  const overhead = isTight ? 1 : 2;
  let free = room;
  const counts = sections.map(({ lines, atLeast }) => {
    const count = Math.max(0, Math.min(lines.length, atLeast, free - overhead));
    free -= count === 0 ? 0 : count + overhead;
    return count;
  });
  return sections.flatMap(({ title, lines, end }, index) => {
    const count = counts[index] ?? 0;
    if (count === 0) return [];
    const more = Math.min(lines.length - count, free);
    free -= more;
    return [
      ...(isTight ? [] : ['']),
      paint('dim', title),
      ...(end === 'first' ? lines.slice(0, count + more) : lines.slice(-count - more)),
    ];
  });
}

/** Errors first if the run did not end well; both streams share the lines. */
function outputSections(job: JobDetail, output: JobPicture['output'], view: View): Section[] {
  const { stderr = [], stdout = [] } = output ?? {};
  const hasFailed = job.state === 'failed' || job.state === 'lost';
  const half = OUTPUT_LINES / 2;
  const errors = hasFailed
    ? Math.min(stderr.length, OUTPUT_LINES)
    : Math.min(stderr.length, Math.max(half, OUTPUT_LINES - stdout.length));
  const section = (stream: 'stdout' | 'stderr', lines: readonly string[]): Section => ({
    title: truncate(`${stream.toUpperCase()}  ${plain(job.logs?.[stream] ?? '')}`, view.width),
    lines: lines.map((line) => truncate(plain(line), view.width)),
    atLeast: 4,
    end: 'last',
  });
  const shown = [
    section('stderr', stderr.slice(stderr.length - errors)),
    section('stdout', errors >= OUTPUT_LINES ? [] : stdout.slice(errors - OUTPUT_LINES)),
  ];
  const written = shown.filter(({ lines: { length } }) => length > 0);
  return hasFailed ? written : written.reverse();
}

const COLUMNS: readonly Column[] = [
  { title: '' },
  { title: '' },
  { title: '', align: 'right' },
  { title: '' },
  { title: '', shrinkTo: 10 },
];

function earlierRuns(runs: readonly EarlierRun[], { now, width }: View, paint: Paint): string[] {
  const rows = runs.map((run): Cell[] => [
    { text: `#${run.run}`, style: 'dim' },
    stateCell(run),
    { text: run.elapsedSeconds === undefined ? '' : span(run.elapsedSeconds * 1000) },
    { text: run.endedAt === undefined ? '' : moment(run.endedAt, now) },
    { text: run.state === 'succeeded' ? '' : plain(run.reason ?? '') },
  ]);
  return renderTable(COLUMNS, rows, width, paint).slice(1);
}

const NAME_COLUMNS = 15;

function factLines([name, text, linesMax = Infinity]: Fact, width: number, paint: Paint): string[] {
  const room = Math.max(20, width - NAME_COLUMNS - 2);
  const lines = wrap(plain(text), room);
  const shown =
    lines.length <= linesMax
      ? lines
      : [...lines.slice(0, linesMax - 1), truncate(`${lines[linesMax - 1] ?? ''} …`, room)];
  return shown.map((line, index) => {
    const label = (index === 0 ? name : '').padEnd(NAME_COLUMNS);
    return `  ${paint('dim', label)}${line}`;
  });
}
