/**
 * What follows from a report that Migration Hub did not accept, by the kind of failure: confirm the region, create what
 * is missing, retry with the status only, quarantine. A final report is never lost.
 */
import { defined } from '../lib/defined.ts';
import { MINUTE_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { Call, NotifyCall, Operation, Outcome } from '../model/call.ts';
import { quarantine } from '../model/hub-task.ts';
import type { FinalReport, HubTask } from '../model/hub-task.ts';
import type { HubPayload } from '../model/report.ts';
import { again } from '../scheduling/retry.ts';
import type { Retry } from '../scheduling/retry.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { Timeline } from '../state/timeline.ts';
import type { HubConnection } from './connection.ts';

/** The pause after a live job's report was refused with and without its details. */
const QUARANTINE_MS = 5 * MINUTE_MS;
/** The pause if a task is missing although it was created again. */
const MISSING_MS = 5 * MINUTE_MS;
/** After so many attempts a live job's report is reduced although the region is not confirmed: no state is lost. */
const UNSURE_ATTEMPTS = 3;

export interface HubRetry extends Retry {
  /** Where the report was sent: what one region refuses, another may accept. */
  readonly region: string | undefined;
  /** Operations that found the task or its stream missing since a report was last accepted. */
  readonly missing: readonly Operation[];
  /** A payload that was refused: if the next one has the same status and detail, the status alone is sent. */
  readonly refused?: HubPayload;
}

export interface FailureParts {
  readonly state: PersistentState;
  readonly hub: HubConnection;
  readonly timeline: Timeline;
  readonly random: () => number;
}

/** The retry state after one more failure; `undefined`: a final report went into quarantine and blocks nothing. */
export function hubRetryAfter(
  parts: FailureParts,
  task: HubTask,
  before: HubRetry | undefined,
  call: Call,
  outcome: Exclude<Outcome, { kind: 'accepted' }>,
  now: Now,
): HubRetry | undefined {
  const slackMs = (task.promise?.until.bootMs ?? Infinity) - now.bootMs;
  const { refusedAtMs = now.bootMs, ...others } = before ?? {};
  const retry: HubRetry = {
    missing: [],
    ...others,
    ...again(before, outcome.reason, slackMs, now, parts.random),
    region: parts.hub.region,
  };
  switch (outcome.kind) {
    case 'missing':
      return afterMissing(parts, task, retry, call, now);
    case 'refused':
      return afterRefusal(parts, task, { ...retry, refusedAtMs }, call, now);
    case 'no-home-region':
      parts.hub.noHomeRegion(outcome.reason, now);
      return retry;
    case 'throttled':
    case 'unavailable':
    case 'denied':
    case 'gone':
    case 'disabled':
      return retry;
  }
}

export function payloadOf({ status, percent, detail }: NotifyCall): HubPayload {
  return { status, ...defined({ percent, detail }) };
}

/** The stream or the task does not exist: each is created once more, and then tried rarely. */
function afterMissing(
  { hub, state }: FailureParts,
  task: HubTask,
  retry: HubRetry,
  call: Call,
  now: Now,
): HubRetry {
  if (call.operation === 'ImportMigrationTask') hub.streamMissing(now);
  task.imported = false;
  state.saveHubTask(task);
  const missing = [...retry.missing, call.operation];
  if (!retry.missing.includes(call.operation)) return { ...retry, missing };
  return { ...retry, missing, retryAtMs: now.bootMs + MISSING_MS };
}

/** "Refused" can mean the wrong region or a bad payload: confirm the region, then reduce, then quarantine. */
function afterRefusal(
  parts: FailureParts,
  task: HubTask,
  retry: HubRetry & { readonly refusedAtMs: number },
  call: Call,
  now: Now,
): HubRetry | undefined {
  const { reason } = retry;
  // The home region moved while the call was in flight: the payload is not to blame.
  if ('region' in call && call.region !== parts.hub.region) {
    return { ...retry, retryAtMs: now.bootMs };
  }
  // Only by an answer since the first refusal: the region may have moved in an outage before it.
  const isSure = parts.hub.confirmRegion(retry.refusedAtMs);
  const report = finalReportOf(task, call);
  if (!isSure && (report !== undefined || retry.attempts < UNSURE_ATTEMPTS)) return retry;
  if (call.operation === 'NotifyMigrationTaskState' && isReducible(call)) {
    addEvent(parts, task, 'report.reduced', reason, now);
    return { ...retry, refused: payloadOf(call) };
  }
  addEvent(parts, task, 'report.refused', reason, now);
  if (report === undefined) {
    return { ...retry, isQuarantined: true, retryAtMs: now.bootMs + QUARANTINE_MS };
  }
  quarantineReport(parts.state, task, report, reason, now);
  return undefined;
}

/** The final report of the call. A report that became the first meanwhile was not refused. */
function finalReportOf(task: HubTask, call: Call): FinalReport | undefined {
  const [first] = task.finalReports;
  return 'stampS' in call && first?.stampS !== call.stampS ? undefined : first;
}

function quarantineReport(
  state: PersistentState,
  task: HubTask,
  report: FinalReport,
  reason: string,
  now: Now,
): void {
  task.finalReports.shift();
  quarantine(task, { run: report.run, report, reason, at: now });
  state.saveHubTask(task);
  const run = state.runs.get(report.run);
  if (run?.hub === undefined || report.kind !== 'end') return;
  run.hub.delivery = { state: 'refused', reason };
  state.saveRun(run);
}

function isReducible({ percent, detail }: NotifyCall): boolean {
  return percent !== undefined || detail !== undefined;
}

function addEvent(
  { state, timeline }: FailureParts,
  task: HubTask,
  event: 'report.reduced' | 'report.refused',
  reason: string,
  now: Now,
): void {
  const run = state.runs.get(task.finalReports[0]?.run ?? task.run ?? '');
  timeline.add(event, now, { task: task.name, reason }, run);
}
