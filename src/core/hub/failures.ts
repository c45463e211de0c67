/**
 * What a report to the Hub that was not accepted means, by the kind of its failure: ask for the region, make again
 * what is missing, say less, put aside. Nothing of a run's end is ever lost by it.
 */
import type { Call, NotifyCall, Operation, Outcome } from '../model/call.ts';
import type { Context } from '../scheduling/context.ts';
import { quarantine } from '../model/hub-task.ts';
import type { HubTask, FinalReport } from '../model/hub-task.ts';
import type { HubPayload } from '../model/report.ts';
import { MINUTE_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import { again } from '../scheduling/retry.ts';
import type { Retry } from '../scheduling/retry.ts';

/** How long a live job's state that was refused twice is left alone. */
const QUARANTINE_MS = 5 * MINUTE_MS;
/** How long a task that is missing although it was made again is left alone. */
const MISSING_MS = 5 * MINUTE_MS;
/** A live job's state is reduced without knowing the region for sure: nothing of it is lost. */
const UNSURE_ATTEMPTS = 3;

export interface HubRetry extends Retry {
  /** Where it was: what one region refuses, another may take. */
  readonly region: string | undefined;
  /** What was answered that the task or its stream is not there, since a report was last accepted. */
  readonly missing: readonly Operation[];
  /** Words that were refused: of what reads like them, the status alone is said from now on. */
  readonly refused?: HubPayload;
}

/** The trouble after one more failure; a last word that is refused for good is put aside, and the trouble with it. */
export function hubRetryAfter(
  context: Context,
  task: HubTask,
  before: HubRetry | undefined,
  call: Call,
  outcome: Exclude<Outcome, { kind: 'accepted' }>,
  now: Now,
): HubRetry | undefined {
  const slackMs = (task.promise?.until.bootMs ?? Infinity) - now.bootMs;
  const trouble: HubRetry = {
    missing: [],
    ...before,
    ...again(before, outcome.reason, slackMs, now, context.random),
    region: context.hubRegion(),
  };
  switch (outcome.kind) {
    case 'missing':
      return isMissing(context, task, trouble, call, now);
    case 'refused':
      return isRefused(context, task, trouble, call, now);
    case 'no-home-region':
      context.noHomeRegion(outcome.reason, now);
      return trouble;
    case 'throttled':
    case 'unavailable':
    case 'denied':
    case 'gone':
    case 'disabled':
      return trouble;
  }
}

export function payloadOf({ status, percent, detail }: NotifyCall): HubPayload {
  return {
    status,
    ...(percent === undefined ? {} : { percent }),
    ...(detail === undefined ? {} : { detail }),
  };
}

/** The stream or the task is not there (any more): each is made again once, by its own duty; then it is tried rarely. */
function isMissing(
  context: Context,
  task: HubTask,
  trouble: HubRetry,
  call: Call,
  now: Now,
): HubRetry {
  if (call.operation === 'ImportMigrationTask') context.streamMissing(now);
  task.imported = false;
  context.state.saveHubTask(task);
  const isAgain = trouble.missing.includes(call.operation);
  return {
    ...trouble,
    missing: [...trouble.missing, call.operation],
    ...(isAgain ? { retryAtMs: now.bootMs + MISSING_MS } : {}),
  };
}

/** Refused can mean the wrong region or a bad payload: ask for the region, then say less, then put it aside. */
function isRefused(
  context: Context,
  task: HubTask,
  trouble: HubRetry,
  call: Call,
  now: Now,
): HubRetry | undefined {
  const { reason } = trouble;
  if ('region' in call && call.region !== context.hubRegion()) {
    return { ...trouble, retryAtMs: now.bootMs };
  }
  const isSure = context.isRegionSure(trouble.firstAtMs);
  const word = wordOf(task, call);
  if (!isSure && (word !== undefined || trouble.attempts < UNSURE_ATTEMPTS)) return trouble;
  if (call.operation === 'NotifyMigrationTaskState' && isReducible(call)) {
    note(context, task, 'report.reduced', reason, now);
    return { ...trouble, refused: payloadOf(call) };
  }
  note(context, task, 'report.refused', reason, now);
  if (word === undefined) {
    return { ...trouble, isQuarantined: true, retryAtMs: now.bootMs + QUARANTINE_MS };
  }
  putAside(context, task, word, reason, now);
  return undefined;
}

/** The last word that the call was about; what has come to the head of the line meanwhile was not refused. */
function wordOf(task: HubTask, call: Call): FinalReport | undefined {
  const [head] = task.finalReports;
  return 'stampS' in call && head?.stampS !== call.stampS ? undefined : head;
}

function putAside(
  context: Context,
  task: HubTask,
  word: FinalReport,
  reason: string,
  now: Now,
): void {
  task.finalReports.shift();
  quarantine(task, { run: word.run, report: word, reason, at: now });
  context.state.saveHubTask(task);
  const run = context.state.runs.get(word.run);
  if (run?.hub === undefined || word.kind !== 'end') return;
  run.hub.delivery = { state: 'refused', reason };
  context.state.saveRun(run);
}

function isReducible({ percent, detail }: NotifyCall): boolean {
  return percent !== undefined || detail !== undefined;
}

function note(
  context: Context,
  task: HubTask,
  event: 'report.reduced' | 'report.refused',
  reason: string,
  now: Now,
): void {
  const run = context.state.runs.get(task.finalReports[0]?.run ?? task.run ?? '');
  context.addEvent(event, now, { task: task.name, reason }, run);
}
