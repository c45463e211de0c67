/** A clock that moves from one timer to the next without waiting, and skips none. */
import { Heap, Ranked } from '../../src/core/lib/heap.ts';
import type { Now } from '../../src/core/lib/time.ts';

const START_WALL_MS = Date.UTC(2026, 0, 1);

export class VirtualTime {
  readonly #appointments = new Heap<Appointment>();
  #bootMs = 0;
  #wallLessBootMs = START_WALL_MS;

  now(): Now {
    return { wallMs: this.#bootMs + this.#wallLessBootMs, bootMs: this.#bootMs };
  }

  /** The true time, which the services use even if the host's wall clock is wrong. */
  trueMs(): number {
    return START_WALL_MS + this.#bootMs;
  }

  /** Steps the host's wall clock. */
  stepWall(ms: number): void {
    this.#wallLessBootMs += ms;
  }

  in(ms: number, what: () => void): void {
    this.#appointments.set(new Appointment(what), this.#bootMs + ms);
  }

  nextMs(): number | undefined {
    return this.#appointments.peek()?.rank;
  }

  /** Moves to `bootMs` and runs every timer that is due. */
  moveTo(bootMs: number): void {
    this.#bootMs = Math.max(this.#bootMs, bootMs);
    for (;;) {
      const next = this.#appointments.peek();
      if (next === undefined || next.rank > this.#bootMs) return;
      this.#appointments.pop()?.what();
    }
  }
}

class Appointment extends Ranked {
  readonly what: () => void;

  constructor(what: () => void) {
    super();
    this.what = what;
  }
}
