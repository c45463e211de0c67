/**
 * What is kept of a MigrationTask: plain values that the store keeps as they stand, and the little that can be said
 * of them without knowing anything else.
 */
import type { Run, SourceResource } from './job.ts';
import { hubPayload } from './report.ts';
import type { HubPayload } from './report.ts';
import { SECOND_MS, isBelievable } from '../lib/time.ts';
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
   * Made by an agent that was about to stop, longer than usual, or before the host was restarted, by whatever clock it
   * had: the next one renews it soon.
   */
  readonly isShutdown?: true;
}

/** What must be told of a run that has ended, exactly so (P5): that it was under way, and how it ended. */
export interface FinalReport {
  readonly run: string;
  /** `opening`: IN_PROGRESS was not accepted while the run lived; `end`: its final state. */
  readonly kind: 'opening' | 'end';
  readonly payload: HubPayload;
  /** UpdateDateTime, fixed when the run ended. */
  readonly stampS: number;
  readonly since: Instant;
}

/** What the Hub refused for good: kept with its reason until an operator says what becomes of it (outbox.ts). */
export interface Quarantined {
  /** The run whose word or link it is. */
  readonly run: string;
  readonly report?: FinalReport;
  readonly link?: HubLink;
  readonly reason: string;
  readonly at: Instant;
}

/** A plain value: the store keeps it as it stands. */
export interface HubTask {
  /** MigrationTaskName. */
  readonly name: string;
  imported: boolean;
  /** The live run that is told under this name. */
  run?: string;
  /** The newest UpdateDateTime sent; the next one is later, whatever the clocks do. */
  lastStampS: number;
  promise?: HubPromise;
  /** The live run that the budget has a promise for, though none was accepted yet: it may have been, and the answer lost. */
  // Emptied, never deleted: an object that a field is deleted from becomes a dictionary, of 400 bytes more.
  offered?: string | undefined;
  finalReports: FinalReport[];
  /** What else the Hub is to know, each said once (see hub-links.ts). */
  links: HubLink[];
  /** Absent nearly always. */
  quarantine?: Quarantined[];
  /** Told by the host that this state was copied from (host-identity.ts). */
  copiedHost?: true;
}

/** What the Hub is told of a task beside its state, each once (see hub-links.ts). */
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
 * Fixes how the run ended as the task's next last word. A run that nobody was told of is opened first: a step that
 * matters is never dropped, and a task that shows an earlier run's end is opened again before it ends anew.
 */
export function addFinalReport(task: HubTask, run: Run, serviceMs: number, now: Now): void {
  const add = (kind: FinalReport['kind'], message: HubPayload, atMs: number): void => {
    task.lastStampS = Math.max(Math.floor(atMs / SECOND_MS), task.lastStampS + 1);
    task.finalReports.push({
      run: run.id,
      kind,
      payload: message,
      stampS: task.lastStampS,
      since: now,
    });
  };
  const isOpen = task.promise?.run === run.id && task.promise.payload.status === 'IN_PROGRESS';
  const ranMs = now.bootMs - (run.startedAt ?? now).bootMs;
  if (!isOpen) add('opening', { status: 'IN_PROGRESS' }, serviceMs - ranMs);
  add('end', hubPayload(run), serviceMs);
  if (task.run === run.id) delete task.run;
}

/**
 * The stamp of a report that is made now. Last words that wait are stamped anew behind it: they are not on disk yet, or
 * nothing would be said before them.
 */
export function nextStampS(task: HubTask, serviceMs: number): number {
  const stampS = Math.max(Math.floor(serviceMs / SECOND_MS), task.lastStampS + 1);
  task.lastStampS = stampS;
  if (task.finalReports.length > 0) {
    task.finalReports = task.finalReports.map((word) => ({ ...word, stampS: ++task.lastStampS }));
  }
  return stampS;
}

/**
 * Final reports that were made while the host's clock showed a time that cannot be (1970 after a dead battery): stamped anew
 * by how long ago they were made. None of them was sent. True: there was one.
 */
export function restampFinalReports(task: HubTask, serviceMs: number, now: Now): boolean {
  if (!task.finalReports.some(({ stampS }) => !isBelievable(stampS * SECOND_MS))) return false;
  if (!isBelievable(task.lastStampS * SECOND_MS)) task.lastStampS = 0;
  task.finalReports = task.finalReports.map((report) => {
    const madeMs = serviceMs - (now.bootMs - report.since.bootMs);
    task.lastStampS = Math.max(Math.floor(madeMs / SECOND_MS), task.lastStampS + 1);
    return { ...report, stampS: task.lastStampS };
  });
  return true;
}

/** Puts aside what was refused for good: it holds up nothing, and nothing of it is lost. */
export function quarantine(task: HubTask, refused: Quarantined): void {
  (task.quarantine ??= []).push(refused);
}

/** True where the live run was told with a promise for its next report, or may have been. */
export function isPromised({ offered, promise, run }: HubTask): boolean {
  return run !== undefined && (promise?.run === run || offered === run);
}

/** True for a promise that nobody has to renew: the task has ended. */
export function isFinalStatus(promise: HubPromise): boolean {
  return promise.payload.status === 'COMPLETED' || promise.payload.status === 'FAILED';
}
