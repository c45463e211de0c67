/**
 * The arithmetic of promises and windows. Every number that decides when something is told stands here.
 *
 * A promise (NextUpdateSeconds) of P is renewed from P/2 on, so that half of it is left for failures; when a
 * quarter of it is left, or three minutes of a long one, the report goes before everything else.
 */
import type { Deadline } from './call-queue.ts';
import type { Run } from '../model/job.ts';
import type { HubSettings, Rate } from '../model/settings.ts';
import { MINUTE_MS, SECOND_MS } from '../lib/time.ts';
import type { Instant, Now } from '../lib/time.ts';

/** A report is renewed when this part of its promise has passed. */
const RENEW_PART = 1 / 2;
/** By how much of its interval a report may come early: what began in the same second drifts apart. */
const EARLY_PART = 1 / 10;
/** Within this time after a start the agents of a fleet take back the long promises of a planned stop. */
const TAKE_BACK_MS = 10 * SECOND_MS;
/** When so much of it is left, it goes before words: a quarter, for a long one enough time for many tries. */
const URGENT_PART = 1 / 4;
const URGENT_MS_MAX = 3 * MINUTE_MS;
/** Part of a budget that is planned with; the rest is for repeats, words and bad luck. */
const PLANNED_PART = 2 / 3;
/**
 * Part of a budget that heartbeats may take when every promise is stretched to the utmost. How many calls get through
 * is known within some percent, and who was promised at the best moment stays promised: `npm run test:capacity` shows
 * stale tasks from 0.95 on.
 */
const KEPT_PART = 0.93;
/** Part of a budget that is spent on reports that nobody waits for. */
const SPARE_PART = 1 / 10;
/** No task's progress is told more often than this, however much budget is free. */
const FRESH_MS_MIN = 5 * SECOND_MS;
/** NextUpdateSeconds is a 32-bit integer (MODEL NextUpdateSeconds). */
const NEXT_UPDATE_S_MAX = 2 ** 31 - 1;

/** ReportTaskProgress, first time: "within 2 minutes" (API reference, ReportTaskProgress). */
export const ACKNOWLEDGE_MS = 2 * MINUTE_MS;
/** "If a task runner does not report its status after 5 minutes …" (model text): the stricter of the two readings. */
const REPORT_MS_MAX = 5 * MINUTE_MS;
/** What is left between the ladder's end and the window's: a signal, a scan of /proc, a busy host. */
const FENCE_MARGIN_MS = 10 * SECOND_MS;

/** The time in which every live task can be told once, at the planned part of the rate. */
export function cycleMs(liveTasks: number, rate: Rate): number {
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

/** The promise of an agent that stops: as long as promises may be, since nobody knows when the next agent starts. */
export function shutdownNextUpdateS(hub: HubSettings): number {
  return Math.min(Math.floor(hub.nextUpdateMaxMs / SECOND_MS), NEXT_UPDATE_S_MAX);
}

export function finalNextUpdateS(hub: HubSettings): number {
  return Math.min(Math.floor(hub.finalNextUpdateMs / SECOND_MS), NEXT_UPDATE_S_MAX);
}

/**
 * An interval as one of many keeps it, so that jobs that a schedule starts in the same second, on one host or on a
 * hundred, do not report in the same second for ever. `early` is the speaker's own lot, from 0 to 1.
 */
export function drawnMs(intervalMs: number, early: number): number {
  return intervalMs * (1 - EARLY_PART * early);
}

/** When an agent that has started takes back a promise of the planned stop before: nobody waits for it, so fleets spread. */
export function takeBackAtMs(startedAt: Instant, early: number): number {
  return startedAt.bootMs + TAKE_BACK_MS * early;
}

/** What was promised with a report, and where the promise ends by the service's clock. */
interface Told {
  readonly madeAt: Instant;
  readonly until: Instant;
  readonly nextUpdateS: number;
}

/** When a report is due again, on the boot clock. */
export function renewAtMs(promise: Told, early: number): number {
  const promisedMs = promise.nextUpdateS * SECOND_MS;
  return endMs(promise) - promisedMs + drawnMs(promisedMs * RENEW_PART, early);
}

/** When it goes before words, and when it is too late. */
export function deadlineOf(promise: Told): Deadline {
  const promisedMs = promise.nextUpdateS * SECOND_MS;
  const urgentMs = Math.min(promisedMs * URGENT_PART, URGENT_MS_MAX);
  return { urgentAtMs: endMs(promise) - urgentMs, byMs: promise.until.bootMs };
}

/** Counted from where the promise ends: a report that a wrong clock has stamped promised less than it says. */
function endMs({ madeAt, nextUpdateS, until }: Told): number {
  // A stamp has whole seconds: less than one is no fault of a clock.
  return Math.min(madeAt.bootMs + nextUpdateS * SECOND_MS, until.bootMs + SECOND_MS);
}

/** How soon after a report a change of percent or detail may be told: spare budget buys freshness. */
export function freshnessMs(liveTasks: number, rate: Rate): number {
  return Math.max(FRESH_MS_MIN, cycleMs(liveTasks, rate));
}

/** How often a pipeline task is reported: `reportEvery`, and at least three times in its window. */
export function reportEveryMs(reportEvery: number, windowMs: number): number {
  return Math.min(reportEvery, windowMs / 3);
}

/**
 * How soon after a report the next one may be made: with spare budget a quarter of the interval, so that a cancel is
 * learnt and progress told the sooner. Spare is what is left when all live tasks could be told ten times as often.
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
 * When the ladder must start so that the tree is dead at the window's end (P3): its end less the grace and a
 * margin, never in the window's first half. `undefined`: this run needs no fence.
 */
export function fenceAtMs(run: Run): number | undefined {
  const { pipeline } = run;
  if (pipeline?.delivery.state !== 'pending') return undefined;
  const { task, acceptedAt } = pipeline;
  if (acceptedAt === undefined) return task.receivedAt.bootMs + ACKNOWLEDGE_MS;
  const earliestMs = task.windowMs / 2;
  const neededMs = task.windowMs - run.definition.stop.graceMs - FENCE_MARGIN_MS;
  return acceptedAt.bootMs + Math.max(earliestMs, neededMs);
}

/**
 * What of the job's grace fits into the window: less than all of it where the fence comes late, since the agent was away,
 * and none where the window has ended.
 */
export function fenceGraceMs(run: Run, now: Now): number {
  const { acceptedAt, task } = run.pipeline ?? {};
  const { graceMs } = run.definition.stop;
  if (acceptedAt === undefined || task === undefined) return graceMs;
  const leftMs = acceptedAt.bootMs + task.windowMs - FENCE_MARGIN_MS - now.bootMs;
  return Math.min(graceMs, Math.max(0, leftMs));
}
