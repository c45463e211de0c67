/**
 * The arithmetic of promises and windows. Every number that decides when a report is due is in this file.
 *
 * A promise (NextUpdateSeconds) of P is renewed from P/2 on, so that half of it is left for failures. When a
 * quarter of it is left, or three minutes of a long one, the report goes before everything else.
 */
import type { Deadline } from './call-queue.ts';
import type { Run } from '../model/job.ts';
import type { HubSettings, Rate } from '../model/settings.ts';
import { MINUTE_MS, SECOND_MS } from '../lib/time.ts';
import type { Instant, Now } from '../lib/time.ts';

/** A report is renewed when this part of its promise has passed. */
const RENEW_PART = 1 / 2;
/** The largest jitter, as a part of the interval: reporters that began in the same second drift apart. */
const EARLY_PART = 1 / 10;
/** Within this time after a start an agent replaces the long promises of its planned stop by normal ones. */
const TAKE_BACK_MS = 10 * SECOND_MS;
/**
 * When this part of a promise is left, its report goes before status changes. For a long promise three minutes are
 * enough for many attempts.
 */
const URGENT_PART = 1 / 4;
const URGENT_MS_MAX = 3 * MINUTE_MS;
/** The part of a budget that heartbeats are planned with. The rest is for retries and status changes. */
const PLANNED_PART = 2 / 3;
/**
 * The part of a budget that heartbeats may take when every promise is stretched to `nextUpdateMax`. It is below 1,
 * since the number of calls that succeed is known within some percent only: `npm run test:capacity` shows stale tasks
 * from 0.95 on.
 */
const KEPT_PART = 0.93;
/** The part of a budget that may be spent on reports that are not due yet. */
const SPARE_PART = 1 / 10;
/** No task's progress is reported more often than this, however much budget is free. */
const FRESH_MS_MIN = 5 * SECOND_MS;
/** NextUpdateSeconds is a 32-bit integer (MODEL NextUpdateSeconds). */
const NEXT_UPDATE_S_MAX = 2 ** 31 - 1;

/** ReportTaskProgress, first time: "within 2 minutes" (API reference, ReportTaskProgress). */
export const ACKNOWLEDGE_MS = 2 * MINUTE_MS;
/** "If a task runner does not report its status after 5 minutes …" (model text): the stricter of the two readings. */
const REPORT_MS_MAX = 5 * MINUTE_MS;
/**
 * AWS is asked for so long before a task is given up by a window of which nobody knows what is left: an agent that was away for a
 * short time must not stop its jobs, and one that hears nothing must.
 */
export const CONFIRM_MS = MINUTE_MS;
/** Time between the end of the stop escalation and the window's end: for a signal, a scan of /proc, a busy host. */
const FENCE_MARGIN_MS = 10 * SECOND_MS;

/** The time in which every live task can be reported once, at the planned part of the rate. */
function cycleMs(liveTasks: number, rate: Rate): number {
  return (liveTasks / (rate.perSecond * PLANNED_PART)) * SECOND_MS;
}

/**
 * The promise for a task's next report, in whole seconds: `nextUpdate` when the budget has room, else as long
 * as all live tasks need, up to `nextUpdateMax`.
 */
export function nextUpdateS(hub: HubSettings, liveTasks: number, rate: Rate): number {
  const neededMs = cycleMs(liveTasks, rate) / RENEW_PART;
  const ms = Math.min(Math.max(neededMs, hub.nextUpdateMs), hub.nextUpdateMaxMs);
  return Math.min(Math.ceil(ms / SECOND_MS), NEXT_UPDATE_S_MAX);
}

/** How many live tasks the budget can keep promised at all, with the longest promise. */
export function promisesMax(hub: HubSettings, rate: Rate): number {
  return Math.floor((hub.nextUpdateMaxMs / SECOND_MS) * rate.perSecond * KEPT_PART);
}

/** The promise of a shutdown report: the longest that is allowed, since it is unknown when the next agent starts. */
export function shutdownNextUpdateS(hub: HubSettings): number {
  return Math.min(Math.floor(hub.nextUpdateMaxMs / SECOND_MS), NEXT_UPDATE_S_MAX);
}

export function finalNextUpdateS(hub: HubSettings): number {
  return Math.min(Math.floor(hub.finalNextUpdateMs / SECOND_MS), NEXT_UPDATE_S_MAX);
}

/**
 * An interval less the reporter's own jitter, so that jobs that a schedule starts in the same second, on one host or
 * on a hundred, do not go on reporting in the same second. `early` is that jitter, from 0 to 1.
 */
export function drawnMs(intervalMs: number, early: number): number {
  return intervalMs * (1 - EARLY_PART * early);
}

/** When an agent that has started replaces a promise of the planned stop before. Jitter spreads the agents of a fleet. */
export function takeBackAtMs(startedAt: Instant, early: number): number {
  return startedAt.bootMs + TAKE_BACK_MS * early;
}

/** The promise of a report, and when it ends by the service's clock. */
interface MadePromise {
  readonly madeAt: Instant;
  readonly until: Instant;
  readonly nextUpdateS: number;
}

/** When a report is due again, on the boot clock. */
export function renewAtMs(promise: MadePromise, early: number): number {
  const promisedMs = promise.nextUpdateS * SECOND_MS;
  return endMs(promise) - promisedMs + drawnMs(promisedMs * RENEW_PART, early);
}

/** When the report goes before status changes, and when the promise ends. */
export function deadlineOf(promise: MadePromise): Deadline {
  const promisedMs = promise.nextUpdateS * SECOND_MS;
  const urgentMs = Math.min(promisedMs * URGENT_PART, URGENT_MS_MAX);
  return { urgentAtMs: endMs(promise) - urgentMs, byMs: promise.until.bootMs };
}

/**
 * When the promise ends, on the boot clock. If a wrong clock stamped the report, its promise ends earlier than
 * NextUpdateSeconds after the call.
 */
function endMs({ madeAt, nextUpdateS, until }: MadePromise): number {
  // Stamps are whole seconds, so a difference below one second is rounding and no clock error.
  return Math.min(madeAt.bootMs + nextUpdateS * SECOND_MS, until.bootMs + SECOND_MS);
}

/** How soon after a report a change of percent or detail may be reported. The more budget is free, the sooner. */
export function freshnessMs(liveTasks: number, rate: Rate): number {
  return Math.max(FRESH_MS_MIN, cycleMs(liveTasks, rate));
}

/** How often a pipeline task is reported: `reportEvery`, and at least three times in its window. */
export function reportEveryMs(reportEvery: number, windowMs: number): number {
  return Math.min(reportEvery, windowMs / 3);
}

/**
 * How soon after a report the next one may be made. If the budget could serve all live tasks ten times as often, it is
 * a quarter of the interval, so that a cancel is noticed and progress is reported sooner.
 */
export function spareReportMs(everyMs: number, liveTasks: number, rate: Rate): number {
  const cycleOfSpareMs = (liveTasks / (rate.perSecond * SPARE_PART)) * SECOND_MS;
  const soonestMs = Math.max(everyMs / 4, FRESH_MS_MIN);
  return Math.min(Math.max(cycleOfSpareMs, soonestMs), everyMs);
}

/** When a report of a pipeline task is late by the stricter reading of the documents. */
export function reportByMs(acceptedAt: Instant, windowMs: number): number {
  return acceptedAt.bootMs + Math.min(windowMs, REPORT_MS_MAX);
}

/**
 * When the stop escalation must start so that the tree is dead at the window's end (P3): the window's end less the
 * grace and a margin, but never in the window's first half. `undefined`: this run needs no fence.
 */
export function fenceAtMs(run: Run): number | undefined {
  const { pipeline } = run;
  if (pipeline?.delivery.state !== 'pending') return undefined;
  const confirmByMs = (pipeline.unconfirmedSince?.bootMs ?? -Infinity) + CONFIRM_MS;
  return Math.max(windowFenceMs(run, pipeline), confirmByMs);
}

function windowFenceMs(run: Run, { acceptedAt, task }: NonNullable<Run['pipeline']>): number {
  if (acceptedAt === undefined) return task.receivedAt.bootMs + ACKNOWLEDGE_MS;
  const earliestMs = task.windowMs / 2;
  const neededMs = task.windowMs - run.definition.stop.graceMs - FENCE_MARGIN_MS;
  return acceptedAt.bootMs + Math.max(earliestMs, neededMs);
}

/**
 * The part of the job's grace that fits into the window. It is less than the whole if the fence comes late because the
 * agent was away, and 0 if the window has ended.
 */
export function fenceGraceMs(run: Run, now: Now): number {
  const { acceptedAt, task } = run.pipeline ?? {};
  const { graceMs } = run.definition.stop;
  if (acceptedAt === undefined || task === undefined) return graceMs;
  const leftMs = acceptedAt.bootMs + task.windowMs - FENCE_MARGIN_MS - now.bootMs;
  return Math.min(graceMs, Math.max(0, leftMs));
}
