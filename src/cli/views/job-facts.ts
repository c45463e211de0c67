/** What is known of a job, one fact a line: what it runs, since when and how long, why it ended, what AWS has of it. */
import type {
  HubDestination,
  JobDetail,
  LogPaths,
  PipelineDestination,
} from '../../core/model/status.ts';
import type { OutboxEntry } from '../../core/model/outbox.ts';
import { progressBar } from '../terminal/bars.ts';
import { commandText } from '../terminal/command-text.ts';
import { moment, span, spanSince, spanUntil } from '../terminal/durations.ts';
import { plain, truncate } from '../terminal/printable.ts';
import type { Paint } from '../terminal/terminal.ts';
import { stateCell } from './state-cell.ts';

/** `linesMax`: the rest is left out; `status --json` has all of it. */
export type Fact = readonly [name: string, text: string, linesMax?: number];

/** A task's id may take half a screen (2048 characters). */
const TASK_ID_COLUMNS = 25;
const COMMAND_LINES = 2;
const PENDING_MAX = 3;

/** `nightly-files/12  running  ██░░ 72%  1h06m, about 26m left`. */
export function jobHeadline(job: JobDetail, paint: Paint): string {
  const { text, style = 'reset' } = stateCell(job);
  const name = plain(job.run === undefined ? job.name : `${job.name}/${job.run}`);
  const progress =
    job.percent === undefined ? '' : `  ${progressBar(job.percent, 20)} ${job.percent}%`;
  const left = job.etaSeconds === undefined ? '' : `  about ${span(job.etaSeconds * 1000)} left`;
  return `${paint('bold', name)}  ${paint(style, text)}${progress}${left}`;
}

/** `hasOutput`: the output is shown, with its paths. */
export function jobFacts(job: JobDetail, hasOutput: boolean, now: Date): Fact[] {
  const facts: (Fact | undefined)[] = [
    ...workFacts(job),
    fact('logs', hasOutput ? undefined : job.logs && logsText(job.logs)),
    fact('schedule', scheduleText(job, now)),
    ...timeFacts(job, now),
    fact('detail', job.endedAt === undefined ? job.detail : undefined),
    fact('problem', job.problem),
    fact('reason', job.reason),
    fact('cancel', incompleteText(job)),
    fact('still alive', (job.survivors ?? job.processesLeft)?.join(', ')),
    ...destinationFacts(job, now),
    ...pendingFacts(job, now),
  ];
  return facts.filter((one) => one !== undefined);
}

function fact(name: string, text: string | undefined, linesMax?: number): Fact | undefined {
  if (text === undefined || text === '') return undefined;
  return linesMax === undefined ? [name, text] : [name, text, linesMax];
}

function workFacts(job: JobDetail): (Fact | undefined)[] {
  const { command, user, workingDirectory } = job;
  const as = user === undefined ? '' : `, as ${user}`;
  return [
    fact('command', command && commandText(command), COMMAND_LINES),
    fact('directory', workingDirectory && `${workingDirectory}${as}`),
    fact('unit', job.unit),
    fact('status file', job.statusFile),
  ];
}

function logsText({ stderr, stdout }: LogPaths): string {
  return `${stdout} ${stderr}`;
}

function scheduleText({ nextStartAt, schedule }: JobDetail, now: Date): string | undefined {
  const next =
    nextStartAt === undefined
      ? ''
      : `next start ${moment(nextStartAt, now)} UTC (in ${spanUntil(nextStartAt, now)})`;
  if (schedule === undefined) return next;
  const zone = schedule.timezone === undefined ? '' : ` (${schedule.timezone})`;
  return `${schedule.cron}${zone}${next === '' ? '' : `, ${next}`}`;
}

function timeFacts(job: JobDetail, now: Date): (Fact | undefined)[] {
  const { elapsedSeconds, endedAt, exitCode, origin, pid, startedAt, state } = job;
  const by = origin === undefined ? '' : `, by ${origin}`;
  const process = pid === undefined || endedAt !== undefined ? '' : `, pid ${pid}`;
  const took = elapsedSeconds === undefined ? '' : `, took ${span(elapsedSeconds * 1000)}`;
  // The headline has the code of a run that failed.
  const code = exitCode === undefined || state === 'failed' ? '' : `, exit code ${exitCode}`;
  return [
    fact('started', startedAt && `${momentText(startedAt, now)}${by}${process}`),
    fact('ended', endedAt && `${momentText(endedAt, now)}${took}${code}`),
    fact('signal', state === 'failed' ? undefined : job.exitSignal),
  ];
}

function momentText(at: string, now: Date): string {
  return `${moment(at, now)} UTC (${spanSince(at, now)} ago)`;
}

function incompleteText({ cancelIncomplete }: JobDetail): string | undefined {
  if (cancelIncomplete !== true) return undefined;
  return 'incomplete: processes of this run outlived SIGKILL';
}

function destinationFacts(job: JobDetail, now: Date): (Fact | undefined)[] {
  const { dataPipeline, migrationHub } = job.destinations;
  return [
    fact('Migration Hub', migrationHub && hubText(migrationHub, now)),
    fact('', migrationHub?.reason),
    fact('Data Pipeline', dataPipeline && pipelineText(dataPipeline, now)),
    fact('', dataPipeline?.reason),
  ];
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

/** What AWS does not have yet: the outbox of this job. A reason that its destination shows is not repeated. */
function pendingFacts({ destinations, pending }: JobDetail, now: Date): (Fact | undefined)[] {
  const shown = pending.slice(0, PENDING_MAX);
  const left = pending.length - shown.length;
  const texts = shown.map((entry) => {
    const { lastError } = entry;
    const isShown =
      lastError === undefined || lastError === destinations[entry.destination]?.reason;
    return `${pendingText(entry, now)}${isShown ? '' : `: ${lastError}`}`;
  });
  return [
    ...texts.map((text, index) => fact(index === 0 ? 'pending' : '', text, 2)),
    left === 0 ? undefined : fact('', `and ${left} more: migration-agent outbox`),
  ];
}

function pendingText(entry: OutboxEntry, now: Date): string {
  const { attempts, message, nextTryAt, operation, quarantined, run } = entry;
  const of = run === undefined ? '' : `#${run} `;
  const tries = attempts === 0 ? '' : `, ${attempts} ${attempts === 1 ? 'try' : 'tries'}`;
  const next = nextTryAt === undefined ? '' : `, next in ${spanUntil(nextTryAt, now)}`;
  const refused = quarantined ? ', refused (outbox retry or drop)' : '';
  return `${of}${operation} ${truncate(plain(message), 40)}${refused}${tries}${next}`;
}
