/**
 * Commits the planner's changes, and holds them while the disk refuses writes (P8): the changes of later turns join those
 * of earlier ones, and all of them become one transaction. Nothing that follows from them is reported or done before.
 * The timeline events of a turn go to the log even while the disk refuses.
 */
import { HeldChanges } from '../core/state/held-changes.ts';
import { defined } from '../core/lib/defined.ts';
import { hasRows } from '../core/state/persistent-state.ts';
import type { Changes } from '../core/state/persistent-state.ts';
import type { EventKind } from '../core/model/event-kind.ts';
import { EVENTS } from '../core/model/timeline.ts';
import type { TimelineEvent } from '../core/model/timeline.ts';
import type { Now } from '../core/lib/time.ts';
import type { Log, LogLevel, Store } from '../ports.ts';

const RETRY_MS = 5_000;

export class Journal {
  readonly #store: Store;
  readonly #log: Log;
  readonly #publish: (event: TimelineEvent) => void;
  #held: HeldChanges | undefined;
  #failure: string | undefined;
  #retryAtMs: number | undefined;

  constructor(store: Store, log: Log, publish: (event: TimelineEvent) => void) {
    this.#store = store;
    this.#log = log;
    this.#publish = publish;
  }

  /** Why the disk refuses writes; undefined: it does not. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** When a refused commit is tried again, on the boot clock. */
  get retryAtMs(): number | undefined {
    return this.#retryAtMs;
  }

  /** True when everything is on disk. */
  commit(changes: Changes, now: Now): boolean {
    for (const event of changes.events) this.#write(event);
    this.#held?.add(changes);
    if (this.#retryAtMs !== undefined && now.bootMs < this.#retryAtMs) return false;
    try {
      const pending = this.#held ?? changes;
      if (hasRows(pending)) this.#store.commit(pending, now);
    } catch (error) {
      this.#hold(changes);
      this.#refused(error, now);
      return false;
    }
    this.#held = undefined;
    if (this.#failure !== undefined) {
      this.#log.write('info', 'store.recovered', 'state can be written again', {});
    }
    this.#failure = undefined;
    this.#retryAtMs = undefined;
    return true;
  }

  #hold(changes: Changes): void {
    if (this.#held !== undefined) return;
    this.#held = new HeldChanges();
    this.#held.add(changes);
  }

  #refused(error: unknown, now: Now): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#failure === undefined) {
      this.#log.write('error', 'store.failing', 'state cannot be written; jobs continue', {
        reason,
        retryInMs: RETRY_MS,
      });
    }
    this.#failure = reason;
    this.#retryAtMs = now.bootMs + RETRY_MS;
  }

  #write(event: TimelineEvent): void {
    const { msg } = EVENTS[event.event];
    const { job, run, fields } = event;
    this.#log.write(levelOf(event), event.event, msg, { ...defined({ job, run }), ...fields });
    this.#publish(event);
  }
}

function levelOf({ event, fields }: TimelineEvent): LogLevel {
  const { errorIfState, level }: EventKind = EVENTS[event];
  const state: unknown = Reflect.get(fields, 'state');
  return errorIfState?.some((one) => one === state) === true ? 'error' : level;
}
