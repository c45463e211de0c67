/**
 * The only door into the loop. Whatever happens outside is posted here and waits for the next turn; nothing
 * is decided in a callback.
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

  /** Ends the loop after the turn that is going on. */
  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  /**
   * What happened since the last turn, and that time passed; waits until something did, until `wakeAtMs` on the
   * boot clock, or for ten seconds at most.
   */
  async next(wakeAtMs: number | undefined): Promise<Event[]> {
    if (this.#events.length === 0 && !this.#isClosed) {
      await this.#wait(wakeAtMs);
      // What comes together makes one turn, and one commit: answers of calls that went out together, mostly.
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
      const takeBack = this.#clock.wakeAt(Math.min(wakeAtMs ?? Infinity, latestMs), () =>
        this.#wake?.(),
      );
      this.#wake = () => {
        this.#wake = undefined;
        takeBack();
        resolve();
      };
    });
  }
}
