/** One job in full: its latest run, the delivery to each destination, and the timeline below. */
import type { TimelineEntryDocument } from '../../control/routes/timeline-entry.ts';
import type { HubDestination, JobStatus, PipelineDestination } from '../../core/model/status.ts';
import { progressBar } from '../terminal/bars.ts';
import { plain, truncate, wrap } from '../terminal/printable.ts';
import { moment, span, spanSince, spanUntil } from '../terminal/durations.ts';
import { stateCell } from './state-cell.ts';
import type { View } from './view.ts';
import { painter } from '../terminal/terminal.ts';
import type { Paint } from '../terminal/terminal.ts';
import { renderTimeline } from './timeline.ts';

export function renderJob(
  job: JobStatus,
  timeline: readonly TimelineEntryDocument[],
  view: View,
): string {
  const paint = painter(view.color);
  const facts = [
    headline(job, paint),
    ...jobFacts(job, view.now).flatMap(([name, text]) => factLines(name, text, view.width, paint)),
  ];
  // If the timeline is too long for the terminal, its end is shown.
  const room = (view.height ?? Infinity) - facts.length - 2;
  const lines = renderTimeline(timeline, view);
  const newest = room < lines.length ? lines.slice(lines.length - Math.max(0, room)) : lines;
  const titled = newest.length === 0 ? [] : ['', paint('dim', 'TIMELINE (UTC)'), ...newest];
  return [...facts, ...titled].join('\n');
}

type Fact = readonly [name: string, text: string];
const NAME_COLUMNS = 15;
/** A task's id may take half a screen (2048 characters); `status --json` has all of it. */
const TASK_ID_COLUMNS = 25;

function factLines(name: string, text: string, width: number, paint: Paint): string[] {
  const room = Math.max(20, width - NAME_COLUMNS - 2);
  return wrap(plain(text), room).map((line, index) => {
    const label = (index === 0 ? name : '').padEnd(NAME_COLUMNS);
    return `  ${paint('dim', label)}${line}`;
  });
}

function headline(job: JobStatus, paint: Paint): string {
  const { text, style = 'reset' } = stateCell(job);
  const name = plain(job.run === undefined ? job.name : `${job.name}/${job.run}`);
  const progress =
    job.percent === undefined ? '' : `  ${progressBar(job.percent, 20)} ${job.percent}%`;
  return `${paint('bold', name)}  ${paint(style, text)}${progress}`;
}

function jobFacts(job: JobStatus, now: Date): Fact[] {
  const facts: Fact[] = [];
  const add = (name: string, text: string | undefined): void => {
    if (text !== undefined && text !== '') facts.push([name, text]);
  };
  add('detail', job.detail);
  add('unit', job.unit);
  add('status file', job.statusFile);
  add('problem', job.problem);
  if (job.startedAt !== undefined) {
    const by = job.origin === undefined ? '' : `, by ${job.origin}`;
    const pid = job.pid === undefined ? '' : `, pid ${job.pid}`;
    add(
      'started',
      `${moment(job.startedAt, now)} (${spanSince(job.startedAt, now)} ago)${by}${pid}`,
    );
  }
  if (job.endedAt !== undefined) {
    add('ended', `${moment(job.endedAt, now)} (${spanSince(job.endedAt, now)} ago)`);
  }
  if (job.nextStartAt !== undefined) {
    add('next start', `${moment(job.nextStartAt, now)} (in ${spanUntil(job.nextStartAt, now)})`);
  }
  add('exit code', job.exitCode === undefined ? undefined : String(job.exitCode));
  add('signal', job.exitSignal);
  add('reason', job.reason);
  if (job.cancelIncomplete === true) {
    add('cancel', 'incomplete: processes of this run outlived SIGKILL');
  }
  add('still alive', job.survivors?.join(', '));
  const { migrationHub, dataPipeline } = job.destinations;
  if (migrationHub !== undefined) {
    add('Migration Hub', hubText(migrationHub, now));
    add('', migrationHub.reason);
  }
  if (dataPipeline !== undefined) {
    add('Data Pipeline', pipelineText(dataPipeline, now));
    add('', dataPipeline.reason);
  }
  return facts;
}

function hubText(hub: HubDestination, now: Date): string {
  const status = hub.lastStatus === undefined ? '' : ` ${hub.lastStatus}`;
  return `${hub.delivery}${status}${timesText(hub, now)}; task ${hub.task}`;
}

function pipelineText(task: PipelineDestination, now: Date): string {
  return `${task.delivery}${timesText(task, now)}; task ${truncate(task.taskId, TASK_ID_COLUMNS)} of ${task.pipelineId}, worker group ${task.workerGroup}`;
}

function timesText(
  { lastAcceptedAt, slackSeconds }: HubDestination | PipelineDestination,
  now: Date,
): string {
  const last =
    lastAcceptedAt === undefined
      ? ', no report accepted yet'
      : `, last report ${spanSince(lastAcceptedAt, now)} ago`;
  if (slackSeconds === undefined) return last;
  return `${last}, ${slackSeconds < 0 ? 'late by' : 'next within'} ${span(slackSeconds * 1000)}`;
}
