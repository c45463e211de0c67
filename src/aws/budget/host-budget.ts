/**
 * What one host may spend of one operation on its own: a bucket that fills with time, so that no window of any length holds
 * more than the rate allows (P6). bottleneck holds what is whole of it; time comes from a monotonic clock that is handed
 * in, never from bottleneck or the wall clock.
 */
import type Bottleneck from 'bottleneck';
import { bucketOf } from '../../core/scheduling/token-bucket.ts';
import type { Bucket } from '../../core/scheduling/token-bucket.ts';
import type { Rate } from '../../core/model/settings.ts';
import { createLimiter, stopLimiter } from './bottleneck-guards.ts';

export interface HostBudgetOptions {
  readonly rate: Rate;
  /** What the bucket holds at the start, as far as it can. */
  readonly level: number;
  readonly monotonicMs: () => number;
  readonly fault: (error: unknown) => void;
}

export class HostBudget {
  readonly #options: HostBudgetOptions;
  readonly #limiter: Bottleneck;
  #bucket: Bucket;
  /** Whole calls in the limiter's reservoir, what is on its way into it included. */
  #calls: number;
  /** The part of a call that has been earned beyond them. */
  #part: number;
  #earnedAtMs: number;
  /** Calls that a submitted job is about to take out of the reservoir. */
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

  /** Takes calls that are there, `slots` at most, as one job of bottleneck. Resolves to how many. */
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

  /** Takes back calls that were not made, as far as the bucket holds them. */
  giveBack(slots: number): void {
    this.#earn();
    this.#fill(Math.min(this.#part + slots, this.#room()));
  }

  /** Takes calls off that were made by other budget than this, as far as there are any. */
  spend(slots: number): void {
    this.#earn();
    this.#fill(this.#part);
    this.#move(-Math.min(slots, this.#calls - this.#submitted));
  }

  /** Begins anew with nothing. */
  empty(): void {
    this.#earn();
    this.#part = 0;
    this.#move(this.#submitted - this.#calls);
  }

  setRate(rate: Rate): void {
    this.#earn();
    this.#bucket = bucketOf(rate);
    // A submitted job waits for its whole weight: what it is about to take must stay, or it waits for ever.
    const calls = Math.max(this.#submitted, Math.floor(this.#bucket.capacity));
    if (this.#calls > calls) this.#move(calls - this.#calls);
    this.#part = Math.min(this.#part, this.#room());
  }

  /** Calls that could be made at once, and the part of a call beyond them. */
  level(): number {
    this.#earn();
    return Math.max(0, this.#calls + this.#part);
  }

  /** When the next call will have been earned; 0: it is there. */
  readyInMs(): number {
    return Math.max(0, Math.ceil((1 - this.level()) / this.#bucket.perMs));
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

  /** Sets the part to `part` and moves what is whole of it into the reservoir. */
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
