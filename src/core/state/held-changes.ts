/**
 * Changes that the store has not taken yet, as one. They go onto the disk in one transaction: runs and tasks are the
 * planner's own objects, so what is written is always their newest value. The changes of an early turn alone would write a
 * run that ended since then without its final report, which a later turn added.
 */
import type { HubTask } from '../model/hub-task.ts';
import type { Run } from '../model/job.ts';
import type { TimelineEvent } from '../model/timeline.ts';
import type { AgentMetadata, Changes } from './persistent-state.ts';

/** A disk may refuse for weeks. The log has every event; the timeline gets the newest. */
const EVENTS_MAX = 10_000;

export class HeldChanges implements Changes {
  readonly #runs = new Map<string, Run>();
  readonly #hubTasks = new Map<string, HubTask>();
  readonly #droppedRuns = new Set<string>();
  readonly #droppedHubTasks = new Set<string>();
  #events: TimelineEvent[] = [];
  #metadata: AgentMetadata | undefined;

  /** Adds what a later turn changed. */
  add(later: Changes): void {
    for (const run of later.runs) {
      this.#runs.set(run.id, run);
      this.#droppedRuns.delete(run.id);
    }
    for (const id of later.droppedRuns) {
      this.#runs.delete(id);
      this.#droppedRuns.add(id);
    }
    for (const task of later.hubTasks) {
      this.#hubTasks.set(task.name, task);
      this.#droppedHubTasks.delete(task.name);
    }
    for (const name of later.droppedHubTasks) {
      this.#hubTasks.delete(name);
      this.#droppedHubTasks.add(name);
    }
    this.#metadata = later.metadata ?? this.#metadata;
    for (const event of later.events) this.#events.push(event);
    if (this.#events.length > 2 * EVENTS_MAX) this.#events = this.#events.slice(-EVENTS_MAX);
  }

  get runs(): Iterable<Run> {
    return this.#runs.values();
  }

  get hubTasks(): Iterable<HubTask> {
    return this.#hubTasks.values();
  }

  get droppedRuns(): Iterable<string> {
    return this.#droppedRuns;
  }

  get droppedHubTasks(): Iterable<string> {
    return this.#droppedHubTasks;
  }

  get metadata(): AgentMetadata | undefined {
    return this.#metadata;
  }

  get events(): Iterable<TimelineEvent> {
    return this.#events.slice(-EVENTS_MAX);
  }
}
