/**
 * Everything that must outlive the process, and what of it changed since the last commit.
 * The planner is the only writer; the store reads `takeChanges` into one transaction.
 */
import { PendingSet } from '../lib/pending-set.ts';
import type { CopiedFrom, HostIdentity } from '../model/host-identity.ts';
import { isPromised } from '../model/hub-task.ts';
import type { HubTask } from '../model/hub-task.ts';
import { isFinal, isPendingForPipeline, isSettled } from '../model/job.ts';
import type { Run } from '../model/job.ts';
import { EVENTS } from '../model/timeline.ts';
import type { TimelineEvent } from '../model/timeline.ts';
import type { ScheduleRecord } from '../model/schedule.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Instant, Now } from '../lib/time.ts';

/** What is kept of the agent itself. */
export interface AgentMetadata {
  /** What GetHomeRegion answered last. */
  homeRegion?: string;
  /** Streams known to exist, as `REGION/STREAM`. */
  streams: string[];
  taskRunnerId?: string;
  /** The offset of the service's clock, and when it was known: the first report after a restart needs it. */
  clock?: { readonly offsetMs: number; readonly at: Instant };
  /** No renewal that is only in memory has a later UpdateDateTime (see stamp-floor.ts). */
  stampFloorS?: number;
  /** What each schedule starts next, by job. */
  schedules?: Readonly<Record<string, ScheduleRecord>>;
  /** The host that this state was made on: a copy of it finds itself on another. */
  hostIdentity?: HostIdentity;
  /** Set while this is the state of a copied host. */
  copiedFrom?: CopiedFrom;
}

export interface Changes {
  readonly runs: Iterable<Run>;
  readonly hubTasks: Iterable<HubTask>;
  /** Ids and names that are no longer worth keeping. */
  readonly droppedRuns: Iterable<string>;
  readonly droppedHubTasks: Iterable<string>;
  readonly metadata?: AgentMetadata | undefined;
  /** For the timeline; the log has them already. */
  readonly events: Iterable<TimelineEvent>;
}

/** Most turns change nothing; they share this value. */
const NOTHING: Changes = {
  runs: [],
  hubTasks: [],
  droppedRuns: [],
  droppedHubTasks: [],
  events: [],
};

/**
 * How long renewals of promises and the progress of runs may be only in memory. An agent that dies then leaves an earlier
 * promise, and the next one renews that earlier; progress is read again. At one report a second, nine of ten cause no commit.
 */
export const HELD_MS_MAX = 10 * SECOND_MS;

export class PersistentState {
  readonly runs = new Map<string, Run>();
  /** The runs that have not ended: few among many. */
  readonly liveRuns = new Map<string, Run>();
  /** Those of them that work for a pipeline task: each counts towards the host's concurrency. */
  readonly livePipelineRuns = new Set<string>();
  readonly hubTasks = new Map<string, HubTask>();
  /** Those with a live run, and those of them that were promised a next report, or may have been. */
  readonly liveHubTasks = new Set<HubTask>();
  readonly promisedHubTasks = new Set<HubTask>();
  /** Those of which a final report, a link or a refused report is in the outbox. */
  readonly outboxHubTasks = new Set<HubTask>();
  /** Ended runs whose final status is in the outbox. */
  readonly outboxRuns = new Set<Run>();
  /** What belongs to the host that this state was copied from: this agent does not act upon it. */
  readonly copiedHostRuns = new Map<string, Run>();
  readonly copiedHostHubTasks = new Map<string, HubTask>();
  metadata: AgentMetadata = { streams: [] };

  readonly #runs = new PendingSet<Run>();
  /** Of which nothing is pending any more. */
  readonly #settledRuns = new PendingSet<Run>();
  readonly #hubTasks = new PendingSet<HubTask>();
  readonly #droppedRuns = new PendingSet<string>();
  readonly #droppedHubTasks = new PendingSet<string>();
  readonly #events = new PendingSet<TimelineEvent>();
  #metadataChanged = false;
  /** Something changed that must be on disk before anything follows from it. */
  #isUrgent = false;
  /** Since when a change is held. */
  #heldAtMs: number | undefined;
  #isProgressHeld = false;

  /** Adds the run or marks it as changed. */
  saveRun(run: Run): void {
    this.recoverRun(run);
    this.#runs.add(run);
    if (isSettled(run)) this.#settledRuns.add(run);
    this.#isUrgent = true;
  }

  /** Saved runs that have ended and of which nothing is pending, each after its changes. */
  takeSettledRuns(): Iterable<Run> {
    return this.#settledRuns.take();
  }

  /** A change that the next agent would find out again: written with the next other change, or in time. */
  holdRun(run: Run, now: Now): void {
    this.#runs.add(run);
    this.#heldAtMs ??= now.bootMs;
  }

  /** The same for a higher percent, which is written before a report is made, since a reported one must not fall. */
  holdProgress(run: Run, now: Now): void {
    this.holdRun(run, now);
    this.#isProgressHeld = true;
  }

  /** Reports may be made in this turn. */
  expectReports(): void {
    if (this.#isProgressHeld) this.#isUrgent = true;
  }

  /** A run as the store had it: known, and not changed. */
  recoverRun(run: Run): void {
    this.runs.set(run.id, run);
    if (isFinal(run.state)) {
      this.liveRuns.delete(run.id);
      this.livePipelineRuns.delete(run.id);
    } else {
      this.liveRuns.set(run.id, run);
      if (run.pipeline !== undefined) this.livePipelineRuns.add(run.id);
    }
    setMember(this.outboxRuns, run, isPendingForPipeline(run));
  }

  /** Adds the task or marks it as changed. Call it after every change of a task: what is derived of tasks follows. */
  saveHubTask(task: HubTask): void {
    this.recoverHubTask(task);
    this.#droppedHubTasks.delete(task.name);
    this.#hubTasks.add(task);
    this.#isUrgent = true;
  }

  /** The task's promise was renewed until later, and nothing else changed: written with the next other change, or in time. */
  renewHubTask(task: HubTask, now: Now): void {
    this.#hubTasks.add(task);
    this.#heldAtMs ??= now.bootMs;
  }

  /** A task as the store had it: known, and not changed. */
  recoverHubTask(task: HubTask): void {
    this.hubTasks.set(task.name, task);
    setMember(this.liveHubTasks, task, task.run !== undefined);
    setMember(this.promisedHubTasks, task, isPromised(task));
    const { finalReports, links, quarantine } = task;
    const isEmpty = finalReports.length + links.length + (quarantine?.length ?? 0) === 0;
    setMember(this.outboxHubTasks, task, !isEmpty);
  }

  setRunAside(run: Run): void {
    this.saveRun(run);
    this.#forgetRun(run);
    this.copiedHostRuns.set(run.id, run);
  }

  setHubTaskAside(task: HubTask): void {
    this.saveHubTask(task);
    this.#forgetHubTask(task);
    this.copiedHostHubTasks.set(task.name, task);
  }

  dropRun(run: Run): void {
    this.#forgetRun(run);
    this.#runs.delete(run);
    this.#settledRuns.delete(run);
    this.#droppedRuns.add(run.id);
    this.#isUrgent = true;
  }

  dropHubTask(task: HubTask): void {
    this.#forgetHubTask(task);
    this.#hubTasks.delete(task);
    this.#droppedHubTasks.add(task.name);
    this.#isUrgent = true;
  }

  saveMetadata(): void {
    this.#metadataChanged = true;
    this.#isUrgent = true;
  }

  addEvent(event: TimelineEvent): void {
    this.#events.add(event);
    if (EVENTS[event.event].persisted) this.#isUrgent = true;
  }

  /** When held changes have to be written, on the boot clock. */
  heldDueAtMs(): number {
    return (this.#heldAtMs ?? Infinity) + HELD_MS_MAX;
  }

  /**
   * What changed since the last call. It is on disk before anything is sent or done that follows from it. Held changes
   * may be left out for a while; without a time nothing is.
   */
  takeChanges(now?: Now): Changes {
    if (!this.#isUrgent && (now?.bootMs ?? Infinity) < this.heldDueAtMs()) {
      return this.#events.isEmpty ? NOTHING : { ...NOTHING, events: this.#events.take() };
    }
    const changes: Changes = {
      runs: this.#runs.take(),
      hubTasks: this.#hubTasks.take(),
      droppedRuns: this.#droppedRuns.take(),
      droppedHubTasks: this.#droppedHubTasks.take(),
      events: this.#events.take(),
      ...(this.#metadataChanged ? { metadata: this.metadata } : {}),
    };
    this.#metadataChanged = false;
    this.#isUrgent = false;
    this.#heldAtMs = undefined;
    this.#isProgressHeld = false;
    return changes;
  }

  #forgetRun(run: Run): void {
    this.runs.delete(run.id);
    this.liveRuns.delete(run.id);
    this.livePipelineRuns.delete(run.id);
    this.outboxRuns.delete(run);
  }

  #forgetHubTask(task: HubTask): void {
    this.outboxHubTasks.delete(task);
    this.hubTasks.delete(task.name);
    this.liveHubTasks.delete(task);
    this.promisedHubTasks.delete(task);
  }
}

function setMember<Value>(set: Set<Value>, value: Value, isMember: boolean): void {
  if (isMember) set.add(value);
  else set.delete(value);
}

/** False if a commit would write nothing. */
export function hasRows(changes: Changes): boolean {
  const { droppedHubTasks, droppedRuns, events, hubTasks, metadata, runs } = changes;
  if (metadata !== undefined) return true;
  if ([runs, hubTasks, droppedRuns, droppedHubTasks].some((rows) => !isEmpty(rows))) return true;
  for (const { event } of events) if (EVENTS[event].persisted) return true;
  return false;
}

function isEmpty(rows: Iterable<unknown>): boolean {
  return rows[Symbol.iterator]().next().done === true;
}
