/**
 * Commits the planner's changes, and holds them while the disk refuses (P8): those of later turns join those of earlier
 * ones, all of them become one transaction, and nothing that follows from them is reported or done before.
 * The timeline events of a turn go to the log whatever the disk does.
 */
import { HeldChanges } from '../core/state/held-changes.ts';
import { isEmpty } from '../core/state/persistent-state.ts';
import type { Changes } from '../core/state/persistent-state.ts';
import { EVENTS } from '../core/model/timeline.ts';
import type { TimelineEvent } from '../core/model/timeline.ts';
import type { Now } from '../core/lib/time.ts';
import type { Log, LogLevel, Store } from '../ports.ts';

const RETRY_MS = 5_000;

export class Journal {
  readonly #store: Store;
  readonly #log: Log;
  readonly #tell: (note: TimelineEvent) => void;
  #held: HeldChanges | undefined;
  #failure: string | undefined;
  #retryAtMs: number | undefined;

  constructor(store: Store, log: Log, tell: (note: TimelineEvent) => void) {
    this.#store = store;
    this.#log = log;
    this.#tell = tell;
  }

  /** Why the disk refuses, while it does. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** When a refused commit is tried again, on the boot clock. */
  get retryAtMs(): number | undefined {
    return this.#retryAtMs;
  }

  /** True when everything is on disk. */
  commit(changes: Changes, now: Now): boolean {
    for (const note of changes.events) this.#write(note);
    this.#held?.add(changes);
    if (this.#retryAtMs !== undefined && now.bootMs < this.#retryAtMs) return false;
    try {
      const pending = this.#held ?? changes;
      if (!isEmpty(pending)) this.#store.commit(pending, now);
    } catch (error) {
      this.#hold(changes);
      this.#refused(error, now);
      return false;
    }
    this.#held = undefined;
    if (this.#failure !== undefined) {
      this.#log.write('info', 'store.recovered', 'the store takes changes again', {});
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
      this.#log.write('error', 'store.failing', 'the store refuses changes; jobs go on', {
        reason,
        retryInMs: RETRY_MS,
      });
    }
    this.#failure = reason;
    this.#retryAtMs = now.bootMs + RETRY_MS;
  }

  #write(note: TimelineEvent): void {
    const { msg } = EVENTS[note.event];
    this.#log.write(levelOf(note), note.event, msg, {
      ...(note.job === undefined ? {} : { job: note.job, run: note.run }),
      ...note.fields,
    });
    this.#tell(note);
  }
}

/** A run that ended in one of these states needs an operator. */
const FAILED_STATES: readonly unknown[] = ['failed', 'lost', 'fenced'];

function levelOf({ event, fields }: TimelineEvent): LogLevel {
  return event === 'run.ended' && FAILED_STATES.includes(Reflect.get(fields, 'state'))
    ? 'error'
    : EVENTS[event].level;
}
