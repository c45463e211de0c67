/**
 * Everything that must outlive the process, and what of it changed since the last commit.
 * The planner is the only writer; the store reads `takeChanges` into one transaction.
 */
import { PendingSet } from '../lib/pending-set.ts';
import type { CopiedFrom, HostIdentity } from '../model/host-identity.ts';
import type { HubTask } from '../model/hub-task.ts';
import { isFinal } from '../model/job.ts';
import type { Run } from '../model/job.ts';
import type { TimelineEvent } from '../model/timeline.ts';
import type { ScheduleRecord } from '../model/schedule.ts';
import type { Instant } from '../lib/time.ts';

/** Facts about the agent itself. */
export interface AgentMetadata {
  /** What GetHomeRegion answered last. */
  homeRegion?: string;
  /** Streams known to exist, as `REGION/STREAM`. */
  streams: string[];
  taskRunnerId?: string;
  /** What was known of the service's clock, and when: the first report after a restart needs it. */
  clock?: { readonly offsetMs: number; readonly at: Instant };
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
  readonly metadata?: AgentMetadata;
  /** For the timeline; already told to the log. */
  readonly events: Iterable<TimelineEvent>;
}

/** Most turns change nothing: there is one value for that. */
const NOTHING: Changes = {
  runs: [],
  hubTasks: [],
  droppedRuns: [],
  droppedHubTasks: [],
  events: [],
};

export class PersistentState {
  readonly runs = new Map<string, Run>();
  /** The runs that have not ended: few among many. */
  readonly liveRuns = new Map<string, Run>();
  /** Those of them that work for a pipeline task: each takes up a place on this host. */
  readonly livePipelineRuns = new Set<string>();
  readonly hubTasks = new Map<string, HubTask>();
  /** What belongs to the host that this state was copied from: nobody here acts upon it. */
  readonly copiedHostRuns = new Map<string, Run>();
  readonly copiedHostHubTasks = new Map<string, HubTask>();
  metadata: AgentMetadata = { streams: [] };

  readonly #runs = new PendingSet<Run>();
  readonly #hubTasks = new PendingSet<HubTask>();
  readonly #droppedRuns = new PendingSet<string>();
  readonly #droppedHubTasks = new PendingSet<string>();
  readonly #events = new PendingSet<TimelineEvent>();
  /** Runs with a change that need not be on disk by itself. */
  readonly #touchedRuns = new Set<Run>();
  #metadataChanged = false;

  /** Adds the run or marks it as changed. */
  saveRun(run: Run): void {
    this.recoverRun(run);
    this.#touchedRuns.delete(run);
    this.#runs.add(run);
  }

  /** A change that goes to the disk with the run's next report (or sooner, with another change). */
  touchRun(run: Run): void {
    this.#touchedRuns.add(run);
  }

  /** Keeps what was touched since the run was kept last; most reports only renew a promise. */
  saveTouchedRun(run: Run): void {
    if (this.#touchedRuns.has(run)) this.saveRun(run);
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
  }

  saveHubTask(task: HubTask): void {
    this.hubTasks.set(task.name, task);
    this.#droppedHubTasks.delete(task.name);
    this.#hubTasks.add(task);
  }

  setRunAside(run: Run): void {
    this.saveRun(run);
    this.runs.delete(run.id);
    this.liveRuns.delete(run.id);
    this.livePipelineRuns.delete(run.id);
    this.copiedHostRuns.set(run.id, run);
  }

  setHubTaskAside(task: HubTask): void {
    this.saveHubTask(task);
    this.hubTasks.delete(task.name);
    this.copiedHostHubTasks.set(task.name, task);
  }

  dropRun(run: Run): void {
    this.runs.delete(run.id);
    this.liveRuns.delete(run.id);
    this.livePipelineRuns.delete(run.id);
    this.#runs.delete(run);
    this.#touchedRuns.delete(run);
    this.#droppedRuns.add(run.id);
  }

  dropHubTask(task: HubTask): void {
    this.hubTasks.delete(task.name);
    this.#hubTasks.delete(task);
    this.#droppedHubTasks.add(task.name);
  }

  saveMetadata(): void {
    this.#metadataChanged = true;
  }

  addEvent(addEvent: TimelineEvent): void {
    this.#events.add(addEvent);
  }

  /** What changed since the last call. Nothing is told or done before this is on disk. */
  takeChanges(): Changes {
    if (!this.#hasChanged()) return NOTHING;
    const { metadata: metadata } = this;
    const changes: Changes = {
      runs: this.#runs.take(),
      hubTasks: this.#hubTasks.take(),
      droppedRuns: this.#droppedRuns.take(),
      droppedHubTasks: this.#droppedHubTasks.take(),
      events: this.#events.take(),
      ...(this.#metadataChanged ? { metadata: metadata } : {}),
    };
    this.#metadataChanged = false;
    return changes;
  }

  #hasChanged(): boolean {
    return (
      this.#metadataChanged ||
      !this.#runs.isEmpty ||
      !this.#hubTasks.isEmpty ||
      !this.#droppedRuns.isEmpty ||
      !this.#droppedHubTasks.isEmpty ||
      !this.#events.isEmpty
    );
  }
}

/** True where a commit would write nothing. */
export function isEmpty(changes: Changes): boolean {
  return changes === NOTHING;
}
