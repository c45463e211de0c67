/**
 * The only way into the loop. Everything that happens outside is posted here and waits for the next turn. No callback
 * decides anything.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Event } from '../core/model/event.ts';
import type { Clock } from '../ports.ts';

/** The longest sleep: a stepped clock or a host that was suspended is noticed within this time. */
const SLEEP_MS_MAX = 10_000;

export class Inbox {
  readonly #clock: Clock;
  #events: Event[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  post(event: Event): void {
    this.#events.push(event);
    this.#wake?.();
  }

  /** Ends the loop after the present turn. */
  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  /**
   * The events since the last turn, and `time-passed`. Waits for an event, until `wakeAtMs` on the boot clock, and for
   * ten seconds at most.
   */
  async next(wakeAtMs: number | undefined): Promise<Event[]> {
    if (this.#events.length === 0 && !this.#isClosed) {
      await this.#wait(wakeAtMs);
      // Events that arrive together, such as answers of calls sent together, make one turn and one commit.
      await nextTurn();
    }
    const events = this.#events;
    this.#events = [];
    events.push({ type: 'time-passed' });
    return events;
  }

  #wait(wakeAtMs: number | undefined): Promise<void> {
    const latestMs = this.#clock.now().bootMs + SLEEP_MS_MAX;
    return new Promise((resolve) => {
      const cancel = this.#clock.wakeAt(Math.min(wakeAtMs ?? Infinity, latestMs), () =>
        this.#wake?.(),
      );
      this.#wake = () => {
        this.#wake = undefined;
        cancel();
        resolve();
      };
    });
  }
}
