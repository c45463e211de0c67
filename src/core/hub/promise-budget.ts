/**
 * How many promises (NextUpdateSeconds) the budget of NotifyMigrationTaskState can keep, and which tasks wait for one. How
 * many tasks are live or promised is derived in PersistentState, which sees every change of a task.
 */
import { after } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import { isFinalStatus } from '../model/hub-task.ts';
import type { HubTask } from '../model/hub-task.ts';
import type { Rate, SettingsHolder } from '../model/settings.ts';
import { promisesMax } from '../scheduling/deadlines.ts';
import type { Pacing } from '../scheduling/pacing.ts';
import { hubTaskKey } from '../scheduling/reporter-keys.ts';
import type { Reporters } from '../scheduling/reporters.ts';
import { steadyPerSecond } from '../scheduling/token-bucket.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { Timeline } from '../state/timeline.ts';

const OPERATION = 'NotifyMigrationTaskState';

interface Parts {
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
  readonly pacing: Pacing;
  readonly reporters: Reporters;
  readonly timeline: Timeline;
}

export class PromiseBudget {
  readonly #parts: Parts;
  /** Keys of live tasks that wait for a promise, longest waiting first. */
  readonly #waiting = new Set<string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Tasks with a live run: they share the budget. */
  get live(): number {
    return this.#parts.state.liveHubTasks.size;
  }

  /** Live tasks that were promised a next report, or may have been. */
  get promised(): number {
    return this.#parts.state.promisedHubTasks.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** What the budget really is: what the gate gives, as far as the service lets it through. */
  rate(): Rate {
    const rate = this.#parts.settings.current.rates[OPERATION];
    const { speed, success } = this.#parts.pacing.of(OPERATION);
    return { ...rate, perSecond: steadyPerSecond(rate) * speed * success };
  }

  /**
   * Reserves a promise for the task's first report of this run. It is on disk before the report is sent: if the answer
   * is lost, the service may have accepted it, and the promise is kept before another is made. False: the budget cannot
   * keep another promise, and the task waits; it is not reported at all rather than with a promise that would be broken.
   */
  tryReserve(task: HubTask, run: string, now: Now): boolean {
    if (task.offered === run) return true;
    const key = hubTaskKey(task.name);
    if (this.#hasRoom()) {
      this.#waiting.delete(key);
      task.offered = run;
      this.#parts.state.saveHubTask(task);
      this.offerToNext();
      return true;
    }
    if (this.#waiting.size === 0) {
      const { promised, live } = this;
      this.#parts.timeline.add('promise.stretched', now, { promised, live });
    }
    this.#waiting.add(key);
    return false;
  }

  /** The task has no live run any more. */
  closed(task: HubTask): void {
    this.#waiting.delete(hubTaskKey(task.name));
    this.offerToNext();
  }

  /** A promise may have ended, or the budget may have grown: the task that has waited longest looks again. */
  offerToNext(): void {
    const [first] = this.#waiting;
    if (first !== undefined && this.#hasRoom()) this.#parts.reporters.touch(first);
  }

  /** The service's clock is `byMs` later than was thought, so promises end so much earlier. */
  shift(byMs: number): void {
    const { reporters, state } = this.#parts;
    for (const task of state.hubTasks.values()) {
      const { promise } = task;
      if (promise === undefined || isFinalStatus(promise)) continue;
      task.promise = { ...promise, until: after(promise.until, -byMs) };
      state.saveHubTask(task);
      reporters.touch(hubTaskKey(task.name));
    }
  }

  #hasRoom(): boolean {
    const hub = this.#parts.settings.current.migrationHub;
    return hub !== undefined && this.promised < promisesMax(hub, this.rate());
  }
}
