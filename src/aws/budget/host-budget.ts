/**
 * One host's own budget of one operation: a bucket that fills with time, so that no window of any length holds more calls
 * than the rate allows (P6). bottleneck holds the whole calls; time comes from a monotonic clock that is passed in, never
 * from bottleneck or the wall clock.
 */
import type Bottleneck from 'bottleneck';
import { bucketOf } from '../../core/scheduling/token-bucket.ts';
import type { Bucket } from '../../core/scheduling/token-bucket.ts';
import type { Rate } from '../../core/model/settings.ts';
import { createLimiter, stopLimiter } from './bottleneck-guards.ts';

export interface HostBudgetOptions {
  readonly rate: Rate;
  /** What the bucket holds at the start, up to its capacity. */
  readonly level: number;
  readonly monotonicMs: () => number;
  readonly fault: (error: unknown) => void;
}

/** A report has half of its promise, minutes, to wait in; for a change of status, nobody sees so much. */
const GATHER_MS_MAX = 250;
const GATHER_CALLS = 10;

export class HostBudget {
  readonly #options: HostBudgetOptions;
  readonly #limiter: Bottleneck;
  #bucket: Bucket;
  /** Whole calls in the limiter's reservoir, including pending increments. */
  #calls: number;
  /** The fraction of a call that was earned beyond them. */
  #part: number;
  #earnedAtMs: number;
  /** Calls that a submitted job is about to take from the reservoir. */
  #submitted = 0;

  constructor(options: HostBudgetOptions) {
    this.#options = options;
    this.#bucket = bucketOf(options.rate);
    const level = Math.min(options.level, this.#bucket.capacity);
    this.#calls = Math.floor(level);
    this.#part = level - this.#calls;
    this.#earnedAtMs = options.monotonicMs();
    this.#limiter = createLimiter(this.#calls);
  }

  /** Takes available calls, at most `slots`, as one job of bottleneck. Resolves to how many. */
  async take(slots: number): Promise<number> {
    this.#earn();
    this.#fill(this.#part);
    const calls = Math.min(slots, this.#calls);
    if (calls < 1) return 0;
    this.#submitted = calls;
    await this.#limiter.schedule({ weight: calls }, () => {
      this.#submitted = 0;
      this.#calls -= calls;
      return Promise.resolve();
    });
    return calls;
  }

  /** Returns calls that were not made, up to the capacity of the bucket. */
  giveBack(slots: number): void {
    this.#earn();
    this.#fill(Math.min(this.#part + slots, this.#room()));
  }

  /** Deducts calls that were made with the pool's budget, as far as there are any. */
  spend(slots: number): void {
    this.#earn();
    this.#fill(this.#part);
    this.#move(-Math.min(slots, this.#calls - this.#submitted));
  }

  /** Empties the bucket. */
  empty(): void {
    this.#earn();
    this.#part = 0;
    this.#move(this.#submitted - this.#calls);
  }

  setRate(rate: Rate): void {
    this.#earn();
    this.#bucket = bucketOf(rate);
    // A submitted job waits for its whole weight. If its calls were removed, it would wait for ever.
    const calls = Math.max(this.#submitted, Math.floor(this.#bucket.capacity));
    if (this.#calls > calls) this.#move(calls - this.#calls);
    this.#part = Math.min(this.#part, this.#room());
  }

  /** Calls that could be made at once, including the fraction beyond them. */
  level(): number {
    this.#earn();
    return Math.max(0, this.#calls + this.#part);
  }

  /** When the next call will have been earned; 0 if there is one now. */
  readyInMs(): number {
    return Math.max(0, Math.ceil((1 - this.level()) / this.#bucket.perMs));
  }

  /**
   * When it is worth asking again: calls that were earned meanwhile are granted together, which costs little more than one
   * call. A bucket that is small for its rate is asked before it is half full, so that nothing of the rate is lost.
   */
  worthwhileInMs(): number {
    const { capacity, perMs } = this.#bucket;
    const gatherMs = Math.min(GATHER_MS_MAX, GATHER_CALLS / perMs, capacity / 2 / perMs);
    return Math.max(this.readyInMs(), Math.floor(gatherMs));
  }

  async close(): Promise<void> {
    await stopLimiter(this.#limiter);
  }

  /** Brings the bucket up to the present moment. */
  #earn(): void {
    const nowMs = this.#options.monotonicMs();
    const earned = Math.max(0, nowMs - this.#earnedAtMs) * this.#bucket.perMs;
    this.#earnedAtMs = nowMs;
    this.#part = Math.min(this.#part + earned, this.#room());
  }

  #room(): number {
    return Math.max(0, this.#bucket.capacity - this.#calls);
  }

  /** Moves the whole calls of `part` into the reservoir and keeps the fraction. */
  #fill(part: number): void {
    const calls = Math.max(0, Math.floor(part));
    this.#part = part - calls;
    this.#move(calls);
  }

  #move(calls: number): void {
    if (calls === 0) return;
    this.#calls += calls;
    this.#limiter.incrementReservoir(calls).catch(this.#options.fault);
  }
}
