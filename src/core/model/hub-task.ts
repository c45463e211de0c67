/**
 * The record of a MigrationTask: plain values that the store keeps unchanged, and the functions that need nothing else.
 */
import type { Run, SourceResource } from './job.ts';
import { defined } from '../lib/defined.ts';
import { hubPayload } from './report.ts';
import type { HubPayload } from './report.ts';
import { DAY_MS, SECOND_MS, isBelievable } from '../lib/time.ts';
import type { Instant, Now } from '../lib/time.ts';

/** The last accepted report. */
export interface HubPromise {
  readonly run: string;
  readonly payload: HubPayload;
  readonly madeAt: Instant;
  /** UpdateDateTime plus NextUpdateSeconds: from then on the task is stale. */
  readonly until: Instant;
  readonly nextUpdateS: number;
  /**
   * Made by an agent that was about to stop (longer than usual), or before the host was restarted (by an unknown clock).
   * The next agent renews it soon.
   */
  readonly isShutdown?: true;
}

/** A report that must be delivered exactly as it was made (P5): that a run was in progress, or how it ended. */
export interface FinalReport {
  readonly run: string;
  /** `opening`: IN_PROGRESS was not accepted while the run lived; `end`: its final state. */
  readonly kind: 'opening' | 'end';
  readonly payload: HubPayload;
  /** UpdateDateTime, fixed when the run ended. */
  readonly stampS: number;
  readonly since: Instant;
  /** Stamped while the clock showed an impossible time: stamped again before it is sent. */
  readonly isProvisional?: true;
}

/** What the Hub refused for good. It is kept with the reason until an operator retries or drops it (outbox.ts). */
export interface Quarantined {
  /** The run that the report or link belongs to. */
  readonly run: string;
  readonly report?: FinalReport;
  readonly link?: HubLink;
  readonly reason: string;
  readonly at: Instant;
}

/** A plain value: the store keeps it unchanged. */
export interface HubTask {
  /** MigrationTaskName. */
  readonly name: string;
  imported: boolean;
  /** The live run that is reported under this name. */
  run?: string;
  /** The newest UpdateDateTime sent; the next one is later, whatever the clocks do. */
  lastStampS: number;
  promise?: HubPromise;
  /** The live run whose first promise was sent but not confirmed: it may have been accepted and the answer lost. */
  // Set to undefined, never deleted: deleting a field makes V8 turn the object into a dictionary of 400 bytes more.
  offered?: string | undefined;
  finalReports: FinalReport[];
  /** What else the Hub has to know, each sent once (see hub/links-reporter.ts). */
  links: HubLink[];
  /** Usually absent. */
  quarantine?: Quarantined[];
  /** Reported by the host that this state was copied from (state/host-identity.ts). */
  copiedHost?: true;
}

/** What is reported of a task beside its state, each once (see hub/links-reporter.ts). */
export type HubLink =
  | {
      readonly operation: 'PutResourceAttributes';
      readonly attributes: readonly { readonly type: string; readonly value: string }[];
    }
  | { readonly operation: 'AssociateDiscoveredResource'; readonly configurationId: string }
  | ({ readonly operation: 'AssociateSourceResource' } & SourceResource)
  | { readonly operation: 'AssociateCreatedArtifact'; readonly artifact: string }
  | {
      readonly operation: 'NotifyApplicationState';
      readonly application: string;
      readonly status: 'IN_PROGRESS' | 'COMPLETED';
    };

/**
 * Adds the run's final report to the task. If no IN_PROGRESS of this run was accepted, a report with IN_PROGRESS goes
 * before it: Migration Hub then shows that the run was in progress, also after the end of an earlier run. Without a sure time
 * the stamps are provisional: they are made anew before they are sent.
 */
export function addFinalReport(
  task: HubTask,
  run: Run,
  { serviceMs, isSure }: { readonly serviceMs: number; readonly isSure: boolean },
  now: Now,
): void {
  const add = (kind: FinalReport['kind'], payload: HubPayload, atMs: number): void => {
    const isKnown = isSure && isBelievable(atMs);
    // A stamp of the future would push all later ones there.
    task.lastStampS = Math.max(isKnown ? Math.floor(atMs / SECOND_MS) : 0, task.lastStampS + 1);
    task.finalReports.push({
      ...{ run: run.id, kind, payload, stampS: task.lastStampS, since: now },
      ...(isKnown ? {} : { isProvisional: true }),
    });
  };
  const isOpen = task.promise?.run === run.id && task.promise.payload.status === 'IN_PROGRESS';
  const ranMs = run.startedAt === undefined ? 0 : (ageInThisBootMs(run.startedAt, now) ?? 0);
  if (!isOpen) {
    // With the percent: a region that was lost and is set again may have been shown a part of it already.
    const { percent } = run;
    add('opening', { status: 'IN_PROGRESS', ...defined({ percent }) }, serviceMs - ranMs);
  }
  add('end', hubPayload(run), serviceMs);
  if (task.run === run.id) delete task.run;
}

/**
 * The stamp of a report that is made now. Pending final reports get new stamps behind it. They are not on disk yet,
 * since no other report is made once they are.
 */
export function nextStampS(task: HubTask, serviceMs: number): number {
  const stampS = Math.max(Math.floor(serviceMs / SECOND_MS), task.lastStampS + 1);
  task.lastStampS = stampS;
  if (task.finalReports.length > 0) {
    task.finalReports = task.finalReports.map((report) => ({
      ...report,
      stampS: ++task.lastStampS,
    }));
  }
  return stampS;
}

/**
 * How long ago it was; `undefined`: it was before the host booted, and what is known of its age comes from wall clocks of
 * which one may have been decades off.
 */
function ageInThisBootMs(at: Instant, now: Now): number | undefined {
  return at.bootMs < 0 ? undefined : Math.max(0, now.bootMs - at.bootMs);
}

/**
 * Gives new stamps to final reports that were made while the host's clock was wrong (1970 or 2056 after a dead battery), by
 * how long ago they were made, and to those after them. None of them was sent, since the clock is confirmed before. Those before them may
 * have been: they keep theirs. Returns true if there was one.
 * Of a report that was made before the host booted, only a stamp in the future is known to be wrong.
 *
 * With a clock of 1970 a stamp (`isProvisional`) is the last one on disk plus a second, although later ones may have been
 * sent while the disk was full.
 */
export function restampFinalReports(task: HubTask, serviceMs: number, now: Now): boolean {
  const madeMs = ({ since }: FinalReport): number => serviceMs - (ageInThisBootMs(since, now) ?? 0);
  const isOff = (report: FinalReport): boolean => {
    if (report.isProvisional === true) return true;
    const aheadMs = report.stampS * SECOND_MS - madeMs(report);
    return ageInThisBootMs(report.since, now) === undefined
      ? aheadMs > DAY_MS
      : Math.abs(aheadMs) > DAY_MS;
  };
  const firstOff = task.finalReports.findIndex(isOff);
  if (firstOff === -1) return false;
  const kept = task.finalReports.slice(0, firstOff);
  const isLastOff = task.finalReports.at(-1)?.stampS === task.lastStampS;
  if (isLastOff && task.lastStampS * SECOND_MS > serviceMs + DAY_MS) task.lastStampS = 0;
  if (!isBelievable(task.lastStampS * SECOND_MS)) task.lastStampS = 0;
  task.lastStampS = Math.max(task.lastStampS, kept.at(-1)?.stampS ?? 0);
  const restamped = task.finalReports.slice(firstOff).map((report) => {
    task.lastStampS = Math.max(Math.floor(madeMs(report) / SECOND_MS), task.lastStampS + 1);
    const { run, kind, payload, since } = report;
    return { run, kind, payload, since, stampS: task.lastStampS };
  });
  task.finalReports = [...kept, ...restamped];
  return true;
}

/** Quarantines what was refused for good: it blocks no other report, and is not lost. */
export function quarantine(task: HubTask, refused: Quarantined): void {
  (task.quarantine ??= []).push(refused);
}

/** True if a report of the live run carried a promise and was accepted, or may have been. */
export function isPromised({ offered, promise, run }: HubTask): boolean {
  return run !== undefined && (promise?.run === run || offered === run);
}

/** True if the promise need not be renewed, since the task has ended. */
export function isFinalStatus(promise: HubPromise): boolean {
  return promise.payload.status === 'COMPLETED' || promise.payload.status === 'FAILED';
}
