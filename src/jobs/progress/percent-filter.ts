/**
 * Decides which of the percentages that were read is reported. Programs print numbers that are no progress (`df` before
 * a copy), and totals that are still growing. A reported percent never falls, so that one wrong number would stay for
 * the rest of the run. A number that does not fit the ones before it therefore waits until a later one confirms it.
 */

/** A step up to this many points needs no confirmation, and does little harm if it is wrong. */
const STEP_MAX = 5;
/** A number that stands alone counts after so many polls without another one (a poll takes half a second). */
const QUIET_POLLS = 3;
/** A total that was read once may be the first of a growing one. */
const QUIET_POLLS_OF_TOTAL = 20;
/** The same number again and again, in so many polls: a copy that goes on slowly where it was interrupted. */
const REPEATED_POLLS = 4;
/** A total that grows by less than this has been rounded, or has got a few entries more. */
const GROWTH_MIN = 1.002;

export interface Candidate {
  readonly percent: number;
  /** What the percent is a share of, if the program prints that. */
  readonly total?: number;
  /** The record has other content, so that its number counts only if a later one confirms it. */
  readonly isDoubtful?: boolean;
}

interface Pending extends Candidate {
  readonly poll: number;
  readonly needsQuietPolls: number;
  repeatedPolls: number;
}

export class PercentFilter {
  readonly #confirmsSteps: boolean;
  #poll = 0;
  #quietPolls = 0;
  #total: { readonly value: number; readonly poll: number; readonly hasGrown: boolean } | undefined;
  #pending: Pending | undefined;
  #accepted: number | undefined;

  /** `confirmsSteps`: a large step may be another number than the progress. False for exact formats. */
  constructor({ confirmsSteps }: { confirmsSteps: boolean }) {
    this.#confirmsSteps = confirmsSteps;
  }

  get percent(): number | undefined {
    return this.#accepted;
  }

  /** The number of a record, in the order of the output. */
  offer(candidate: Candidate): void {
    this.#quietPolls = -1;
    if (candidate.total !== undefined && this.#isGrowing(candidate.total)) {
      this.#wait(candidate, this.#total?.hasGrown === true ? Infinity : QUIET_POLLS_OF_TOTAL);
    } else if (!this.#confirmsSteps || this.#isNear(candidate.percent)) {
      this.#accept(candidate.percent);
    } else {
      this.#confirm(candidate);
    }
  }

  /** All that was there to read was offered. */
  endPoll(): void {
    this.#poll += 1;
    this.#quietPolls += 1;
    const pending = this.#pending;
    if (pending !== undefined && this.#quietPolls >= pending.needsQuietPolls) {
      this.#accept(pending.percent);
    }
  }

  /** The command has ended: nothing contradicts the last number any more. */
  end(): void {
    const pending = this.#pending;
    if (pending !== undefined && pending.needsQuietPolls < Infinity) this.#accept(pending.percent);
  }

  /** A total counts from the first later poll in which it is the same. */
  #isGrowing(total: number): boolean {
    const before = this.#total;
    if (before === undefined || total > before.value * GROWTH_MIN) {
      this.#total = { value: total, poll: this.#poll, hasGrown: before !== undefined };
      return true;
    }
    return before.poll === this.#poll;
  }

  #isNear(percent: number): boolean {
    return Math.abs(percent - (this.#accepted ?? 0)) <= STEP_MAX;
  }

  #confirm(candidate: Candidate): void {
    const pending = this.#pending;
    const { percent } = candidate;
    if (pending === undefined || percent < pending.percent || pending.poll === this.#poll) {
      this.#wait(candidate);
    } else if (percent === pending.percent) {
      this.#repeat(pending, candidate);
    } else if (percent - pending.percent <= STEP_MAX) {
      this.#accept(percent);
    } else {
      this.#accept(pending.percent);
      this.#wait(candidate);
    }
  }

  #repeat(pending: Pending, candidate: Candidate): void {
    const repeatedPolls = pending.repeatedPolls + 1;
    if (repeatedPolls >= REPEATED_POLLS) this.#accept(pending.percent);
    else this.#pending = { ...pending, ...candidate, poll: this.#poll, repeatedPolls };
  }

  #wait(candidate: Candidate, needsQuietPolls = QUIET_POLLS): void {
    this.#pending = {
      ...candidate,
      poll: this.#poll,
      needsQuietPolls: candidate.isDoubtful === true ? Infinity : needsQuietPolls,
      repeatedPolls: 0,
    };
  }

  #accept(percent: number): void {
    this.#accepted = percent;
    this.#pending = undefined;
  }
}
