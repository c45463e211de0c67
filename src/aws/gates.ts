/**
 * The gates: for each operation a bucket of calls that fills with time, so that no window of any length
 * ever holds more than `burst + perSecond * t` calls as the service sees them (P6). bottleneck holds the
 * bucket; time comes from a monotonic clock that is handed in, never from bottleneck or the wall clock.
 * Who makes which call is the planner's business: a gate only says how many.
 */
import type Bottleneck from 'bottleneck';
import { bucketOf, type Bucket } from '../core/bucket.ts';
import type { Operation } from '../core/call.ts';
import type { Rate } from '../core/settings.ts';
import type { Gates, Post } from '../ports.ts';
import { createLimiter, stopLimiter } from './bottleneck-guards.ts';

export type Rates = Readonly<Record<Operation, Rate>>;

export interface GatesOptions {
  readonly rates: Rates;
  readonly post: Post;
  /** Never falls; counts suspended time where the host can tell. */
  readonly monotonicMs: () => number;
  /** What each bucket holds at the start: what was saved, and what has been earned since. */
  readonly levels?: ReadonlyMap<Operation, number>;
  /**
   * True: an earlier agent ran here. Without its levels it crashed, perhaps a moment after it spent the
   * whole burst, so every bucket begins empty.
   */
  readonly persisted?: boolean;
}

export interface AdjustableGates extends Gates {
  /** New rates from now on; what is in a bucket stays, as far as the new bucket holds it. */
  setRates(rates: Rates): void;
}

export function createGates(options: GatesOptions): AdjustableGates {
  const gates = new Map<Operation, Gate>();
  for (const operation of Object.keys(options.rates) as Operation[]) {
    gates.set(operation, new Gate(operation, options));
  }
  const gateOf = (operation: Operation): Gate => {
    const gate = gates.get(operation);
    if (gate === undefined) throw new Error(`no rate is known for ${operation}`);
    return gate;
  };
  return {
    ask: (operation, slots) => gateOf(operation).ask(slots),
    giveBack: (operation, slots) => gateOf(operation).giveBack(slots),
    levels: () => new Map([...gates].map(([operation, gate]) => [operation, gate.level()])),
    setRates: (rates) => {
      for (const [operation, gate] of gates) gate.setRate(rates[operation]);
    },
    close: async () => {
      await Promise.all([...gates.values()].map((gate) => gate.close()));
    },
  };
}

/** Node fires timers of more than 2^31 ms at once; a slow bucket is looked at again after this long. */
const REFILL_MS_MAX = 60_000;

class Gate {
  readonly #operation: Operation;
  readonly #post: Post;
  readonly #monotonicMs: () => number;
  readonly #limiter: Bottleneck;
  #bucket: Bucket;
  /** Whole calls in the limiter's reservoir, what is on its way into it included. */
  #calls: number;
  /** The part of a call that has been earned beyond them. */
  #part: number;
  #earnedAtMs: number;
  #wanted = 0;
  /** Calls that a submitted job is about to take out of the reservoir. */
  #submitted = 0;
  #serving = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(operation: Operation, options: GatesOptions) {
    this.#operation = operation;
    this.#post = options.post;
    this.#monotonicMs = options.monotonicMs;
    this.#bucket = bucketOf(options.rates[operation]);
    const level = Math.min(firstLevel(operation, options), this.#bucket.capacity);
    this.#calls = Math.floor(level);
    this.#part = level - this.#calls;
    this.#earnedAtMs = options.monotonicMs();
    this.#limiter = createLimiter(this.#calls);
  }

  ask(slots: number): void {
    if (this.#closed || slots <= 0) return;
    this.#wanted += slots;
    if (this.#serving) return;
    this.#serving = true;
    this.#serve().catch((error: unknown) => this.#fault(error));
  }

  giveBack(slots: number): void {
    if (this.#closed || slots <= 0) return;
    this.#earn();
    this.#fill(Math.min(this.#part + slots, this.#room()));
  }

  setRate(rate: Rate): void {
    this.#earn();
    this.#bucket = bucketOf(rate);
    // A submitted job waits for its whole weight: what it is about to take must stay, or it waits for ever.
    const calls = Math.max(this.#submitted, Math.floor(this.#bucket.capacity));
    if (this.#calls > calls) this.#move(calls - this.#calls);
    this.#part = Math.min(this.#part, this.#room());
    if (this.#timer !== undefined) this.#armTimer();
  }

  level(): number {
    this.#earn();
    return Math.max(0, this.#calls + this.#part);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#disarmTimer();
    await stopLimiter(this.#limiter);
  }

  /** Answers what was asked, in parts as large as the bucket allows; one part is one bottleneck job. */
  async #serve(): Promise<void> {
    while (this.#wanted > 0) {
      this.#earn();
      this.#fill(this.#part);
      const slots = Math.max(1, Math.min(this.#wanted, this.#calls));
      if (this.#calls < slots) this.#armTimer();
      this.#submitted = slots;
      await this.#limiter.schedule({ weight: slots }, () => {
        this.#submitted = 0;
        this.#calls -= slots;
        return Promise.resolve();
      });
      this.#disarmTimer();
      this.#wanted -= slots;
      if (!this.#closed) {
        this.#post({ type: 'gate-opened', operation: this.#operation, slots });
      }
    }
    this.#serving = false;
  }

  /** Brings the bucket up to the present moment. */
  #earn(): void {
    const nowMs = this.#monotonicMs();
    const earned = Math.max(0, nowMs - this.#earnedAtMs) * this.#bucket.perMs;
    this.#earnedAtMs = nowMs;
    this.#part = Math.min(this.#part + earned, this.#room());
  }

  #room(): number {
    return Math.max(0, this.#bucket.capacity - this.#calls);
  }

  /** Sets the part to `part` and moves what is whole of it into the reservoir. */
  #fill(part: number): void {
    const calls = Math.max(0, Math.floor(part));
    this.#part = part - calls;
    if (calls > 0) this.#move(calls);
  }

  #move(calls: number): void {
    this.#calls += calls;
    this.#limiter.incrementReservoir(calls).catch((error: unknown) => this.#fault(error));
  }

  /** Wakes when the next call has been earned. Only armed while somebody waits for it. */
  #armTimer(): void {
    this.#disarmTimer();
    const missing = Math.max(0, 1 - this.#calls - this.#part);
    const waitMs = Math.min(Math.ceil(missing / this.#bucket.perMs), REFILL_MS_MAX);
    this.#timer = setTimeout(() => {
      this.#earn();
      this.#fill(this.#part);
      if (this.#calls < 1) this.#armTimer();
    }, waitMs);
    // Waiting for budget is no reason to keep a process alive that has nothing else to do.
    this.#timer.unref();
  }

  #disarmTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Closing drops the jobs that wait; everything else is a fault of ours and ends the process. */
  #fault(error: unknown): void {
    if (this.#closed) return;
    queueMicrotask(() => {
      throw error;
    });
  }
}

function firstLevel(operation: Operation, options: GatesOptions): number {
  if (options.levels !== undefined) return Math.max(0, options.levels.get(operation) ?? 0);
  return options.persisted === true ? 0 : Infinity;
}
