/**
 * The difference between the service's clock and the host's, learned from the Date header of answers.
 *
 * Migration Hub counts staleness from an UpdateDateTime that the host stamps, so a wrong host clock makes a healthy task
 * stale. The median of the last samples is used: one wrong answer does not move it. The header has whole seconds and the
 * network takes time, so a difference below two seconds counts as none.
 */
import { HOUR_MS, isBelievable } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

const SAMPLES_MAX = 9;
const NOISE_MS = 2_000;
/** The header's fraction of a second is unknown: on average half of one. */
const HEADER_MEAN_MS = 500;
/** An answer that is further than this from what is expected may be wrong, and so may a first one: three that agree decide. */
const FAR_MS = HOUR_MS;
const FAR_SAMPLES_MIN = 3;

export class ClockOffset {
  readonly #samples: number[] = [];
  /** How many of the samples, the oldest, are what an earlier agent knew. */
  #restored = 0;
  #ms = 0;
  #isDoubtful = false;

  /** Milliseconds to add to the host's wall clock. */
  get ms(): number {
    return this.#ms;
  }

  /** False until the first answer. */
  get isKnown(): boolean {
    return this.#samples.length > 0;
  }

  /** True while the answers differ from the host's clock by more than an hour and too few of them agree. */
  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  /** Takes over the offset of an earlier agent, less the step of the host's clock since. New samples soon outvote it. */
  restore(offsetMs: number, stepMs: number): void {
    const restoredMs = offsetMs - stepMs;
    this.#samples.push(restoredMs, restoredMs);
    this.#restored = 2;
    this.#ms = Math.abs(restoredMs) < NOISE_MS ? 0 : restoredMs;
  }

  /** Takes a sample: the header of an answer to a call sent at `sentAt` that came at `now`. False: it is no sample. */
  learn(serverDateMs: number, sentAt: Now, now: Now): boolean {
    // An impossible date, for example of a proxy, is no sample.
    if (!isBelievable(serverDateMs)) return false;
    const tripMs = now.bootMs - sentAt.bootMs;
    // In a long poll, the moment at which the service read its clock is unknown.
    if (tripMs > 5_000) return false;
    this.#add(serverDateMs + HEADER_MEAN_MS - (now.wallMs - tripMs / 2));
    this.#takeMedian(now);
    return true;
  }

  #takeMedian(now: Now): void {
    // The usual case: the clock is right, and there is nothing to sort.
    if (this.#samples.every((sample) => Math.abs(sample) < NOISE_MS)) {
      this.#ms = 0;
      this.#isDoubtful = false;
      return;
    }
    const sorted = this.#samples.toSorted((a, b) => a - b);
    const median = sorted[sorted.length >> 1] ?? 0;
    const isFar = Math.abs(median - this.#expectedMs(now)) > FAR_MS;
    this.#isDoubtful = isFar && this.#agreeing(median) < FAR_SAMPLES_MIN;
    if (this.#isDoubtful) return;
    this.#ms = Math.abs(median) < NOISE_MS ? 0 : Math.round(median);
  }

  #agreeing(ms: number): number {
    return this.#samples.filter((sample) => Math.abs(sample - ms) <= FAR_MS).length;
  }

  /** What an answer should show. Infinity: neither this host's clock nor what was known of it shows a possible time. */
  #expectedMs({ wallMs }: Now): number {
    if (isBelievable(wallMs + this.#ms)) return this.#ms;
    return isBelievable(wallMs) ? 0 : Infinity;
  }

  /**
   * What an earlier agent knew does not count against an answer that is far from it: the host's clock may have been set while
   * the host was off, and a wrong stamp would go out before new answers outvote the old ones.
   */
  #add(sample: number): void {
    const isFar = Math.abs(sample - this.#ms) > FAR_MS;
    if (this.#restored > 0 && isFar) {
      this.#samples.splice(0, this.#restored);
      this.#restored = 0;
    }
    this.#samples.push(sample);
    if (this.#samples.length <= SAMPLES_MAX) return;
    this.#samples.shift();
    this.#restored = Math.max(0, this.#restored - 1);
  }

  /** The host's wall clock was stepped by `stepMs`: what was learned is off by as much. */
  stepped(stepMs: number): void {
    // Nothing was learned yet: the step may have corrected the clock.
    if (!this.isKnown) return;
    for (let i = 0; i < this.#samples.length; i++) {
      this.#samples[i] = (this.#samples[i] ?? 0) - stepMs;
    }
    const shifted = this.#ms - stepMs;
    this.#ms = Math.abs(shifted) < NOISE_MS ? 0 : shifted;
  }
}
