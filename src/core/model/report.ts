/**
 * What is reported of a run, in terms that each service accepts: status, percent and detail for the Hub, and the final
 * status for the pipeline. A final report is made once, when the run ends, and never changes.
 */
import type { HubStatus, NotifyCall, PipelineCall } from './call.ts';
import type { EndCause, Ending, Run } from './job.ts';
import { defined } from '../lib/defined.ts';
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

/** Why a run is being stopped or was stopped, as text. */
export function endCause(ending: Ending): string {
  return CANCELED_BY[ending.cause];
}

/** The newest state of a run, as it is reported to the Hub. */
export function hubPayload(run: Run): HubPayload {
  return {
    status: hubStatus(run),
    ...defined({ percent: run.percent, detail: nonEmpty(hubDetail(run)) }),
  };
}

/** How a run ended, in one line. */
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
  const isUnchecked = isPrecondition && run.state === 'failed' && !hasRun(run);
  const failure = isUnchecked ? 'JobNotStarted' : errorId(run);
  return {
    operation: 'SetTaskStatus',
    taskId,
    status: isUnmet ? 'FALSE' : 'FAILED',
    errorId: isUnmet ? 'PreconditionNotMet' : failure,
    errorMessage: endText(run),
    ...defined({ errorStackTrace: nonEmpty(run.errorTail) }),
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

/** StatusDetail had 255 characters until 2024, and other tools still cut there. */
const DETAIL_CHARACTERS_MAX = 255;

/** What is sent as StatusDetail: the detail, and behind it the timing if both fit. */
export function statusDetail({ detail, timing }: NotifyCall): string | undefined {
  if (timing === undefined || detail === undefined) return detail ?? timing;
  const both = `${detail}; ${timing}`;
  return both.length <= DETAIL_CHARACTERS_MAX ? both : detail;
}

/** The services refuse empty texts. */
function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
