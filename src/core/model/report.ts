/**
 * What a destination is told about a run, in words that it accepts: the Hub's status, percent and detail,
 * the pipeline's last word. A final report is made once, when the run ends, and never changed.
 */
import type { HubStatus, PipelineCall } from './call.ts';
import type { EndCause, Ending, Run } from './job.ts';
import { isFinal } from './job.ts';

/** What the Hub shows of a task (MODEL Task). */
export interface HubPayload {
  readonly status: HubStatus;
  readonly percent?: number;
  readonly detail?: string;
}

const CANCELED_BY: Readonly<Record<EndCause, string>> = {
  operator: 'canceled by the operator',
  service: 'canceled by AWS Data Pipeline',
  timeout: 'canceled: it ran longer than its timeout',
  fence: 'fenced: its pipeline task may belong to another host',
  gone: 'fenced: its pipeline task is gone',
};

/** Why a run is or was ended, in words. */
export function endCause(ending: Ending): string {
  return CANCELED_BY[ending.cause];
}

/** The newest state of a run, as the Hub is told it. */
export function hubPayload(run: Run): HubPayload {
  return {
    status: hubStatus(run),
    ...(run.percent === undefined ? {} : { percent: run.percent }),
    ...withDetail(hubDetail(run)),
  };
}

/** How a run's end reads, in one line. */
export function endText(run: Run): string {
  switch (run.state) {
    case 'succeeded':
      return run.detail === undefined ? 'completed' : `completed: ${run.detail}`;
    case 'failed':
      return `failed: ${run.reason ?? 'no reason known'}`;
    case 'lost':
      return `lost: ${run.reason ?? 'it left no exit record'}`;
    case 'canceled':
    case 'fenced':
      return endedText(run);
    case 'queued':
    case 'starting':
    case 'running':
    case 'canceling':
      return run.state;
  }
}

function endedText({ definition, ending, survivors }: Run): string {
  const left = survivors === undefined ? '' : `; ${survivors.length} processes could not be ended`;
  // The agent does not stop tracked work, and the text must not say that it did.
  const tracked = definition.tracked === undefined ? '' : ': no longer tracked';
  return `${CANCELED_BY[ending?.cause ?? 'operator']}${tracked}${left}`;
}

/** The final report to Data Pipeline (SetTaskStatus; there is no CANCELED). */
export function finalTaskStatus(
  run: Run,
  taskId: string,
): Extract<PipelineCall, { operation: 'SetTaskStatus' }> {
  if (run.state === 'succeeded') {
    return { operation: 'SetTaskStatus', taskId, status: 'FINISHED' };
  }
  const isPrecondition = run.pipeline?.task.isPrecondition === true;
  // A program that could not be run, or was ended, has not checked the condition.
  const isUnmet = isPrecondition && run.state === 'failed' && hasRun(run);
  const isUnasked = isPrecondition && run.state === 'failed' && !hasRun(run);
  const failure = isUnasked ? 'JobNotStarted' : errorId(run);
  return {
    operation: 'SetTaskStatus',
    taskId,
    status: isUnmet ? 'FALSE' : 'FAILED',
    errorId: isUnmet ? 'PreconditionNotMet' : failure,
    errorMessage: endText(run),
    ...(run.errorTail === undefined || run.errorTail === ''
      ? {}
      : { errorStackTrace: run.errorTail }),
  };
}

/** Exit codes 126 and 127: the program could not be executed, or was not found (POSIX, 2.8.2). */
function hasRun({ exitCode }: Run): boolean {
  return exitCode !== undefined && exitCode !== 126 && exitCode !== 127;
}

/** Stable names that a pipeline's owner may act upon. They must not start with `Service_` (MODEL errorId). */
function errorId(run: Run): string {
  switch (run.state) {
    case 'lost':
      return 'JobLost';
    case 'canceled':
      return run.ending?.cause === 'timeout' ? 'JobTimeout' : 'JobCanceled';
    case 'failed':
      return run.exitCode === undefined ? 'JobNotStarted' : 'JobFailed';
    case 'queued':
    case 'starting':
    case 'running':
    case 'canceling':
    case 'succeeded':
    case 'fenced':
      return 'JobFailed';
  }
}

function hubStatus(run: Run): HubStatus {
  if (run.state === 'queued') return 'NOT_STARTED';
  if (run.state === 'succeeded') return 'COMPLETED';
  return isFinal(run.state) ? 'FAILED' : 'IN_PROGRESS';
}

function hubDetail(run: Run): string | undefined {
  if (isFinal(run.state)) return endText(run);
  if (run.state === 'canceling') return `ending: ${CANCELED_BY[run.ending?.cause ?? 'operator']}`;
  if (run.stalled === true) return `no progress lately; ${run.detail ?? 'nothing read yet'}`;
  return run.detail;
}

function withDetail(detail: string | undefined): { detail?: string } {
  return detail === undefined || detail === '' ? {} : { detail };
}
