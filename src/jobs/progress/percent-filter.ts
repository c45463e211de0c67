/**
 * Decides which of the percentages that were read is reported. Programs print numbers that are no progress (`df` before
 * a copy), numbers that a cut line has joined, and shares of a total that is still growing. A reported percent never
 * falls, so one wrong number would stay for the rest of the run.
 *
 * Progress only rises: whatever follows a right number is not lower. A number is therefore confirmed by the numbers after
 * it, and contradicted by a lower one. A number close to a confirmed one is reported at once.
 */
import { TotalFilter } from './total-filter.ts';

/** A number at most so many points above a confirmed one is reported at once: it does little harm if it is wrong. */
const STEP_MAX = 4;
/** A number that is lower by more contradicts those before it; by less it was rounded, or the total got a few entries more. */
const FALL_MAX = 1;
/** A number that stands alone counts after so many polls without another one (half a second each, and a second later on). */
const QUIET_POLLS = 4;
/** The same for a program that has printed wrong numbers before. */
const QUIET_POLLS_IF_NOISY = 20;
/** A total that was read once may be the first of a growing one. */
const QUIET_POLLS_OF_TOTAL = 10;
/** So many polls with later numbers confirm a number, and one more for each number that was contradicted. */
const CONFIRMATIONS = 2;
const CONFIRMATIONS_MAX = 8;
/** Until a number was contradicted: one later number confirms those that are so many polls older. */
const SEPARATE_POLLS = 2;
/** The same number again and again says less: a mounted disk that stays full, printed beside the progress. */
const CONFIRMATIONS_IF_REPEATED = 4;

export interface Candidate {
  readonly percent: number;
  /** What the percent is a share of, if the program prints that. */
  readonly total?: number;
  /** The record has other content, so that its number counts only if later ones confirm it. */
  readonly isDoubtful?: boolean;
}

interface Unconfirmed {
  readonly percent: number;
  readonly isDoubtful: boolean;
  readonly poll: number;
  /** So many later polls had a number that is not lower. */
  confirmations: number;
  /** One of them had a higher one. */
  isExceeded: boolean;
}

export class PercentFilter {
  readonly #confirmsSteps: boolean;
  readonly #totals = new TotalFilter();
  #poll = 0;
  #quietPolls = 0;
  /** The last number of the present poll. */
  #offered: Candidate | undefined;
  /** A share of a total that may still grow, and after how many quiet polls it counts. */
  #onNewTotal: { readonly candidate: Candidate; readonly quietPolls: number } | undefined;
  /** In the order of the output, and rising. */
  #unconfirmed: Unconfirmed[] = [];
  #contradictions = 0;
  #confirmed = 0;
  #reported: number | undefined;

  /** `confirmsSteps`: a large step may be another number than the progress. False for exact formats. */
  constructor({ confirmsSteps }: { confirmsSteps: boolean }) {
    this.#confirmsSteps = confirmsSteps;
  }

  get percent(): number | undefined {
    return this.#reported;
  }

  /** The number of a record, in the order of the output. */
  offer(candidate: Candidate): void {
    this.#quietPolls = -1;
    if (candidate.total !== undefined && this.#totals.isNew(candidate.total, this.#poll)) {
      const isGrowing = candidate.isDoubtful === true || this.#totals.hasChanged;
      const quietPolls = isGrowing ? Infinity : QUIET_POLLS_OF_TOTAL;
      this.#onNewTotal = { candidate, quietPolls };
    } else {
      this.#onNewTotal = undefined;
      this.#offered = candidate;
    }
  }

  /** All that was there to read was offered. */
  endPoll(): void {
    this.#takeOffered();
    this.#poll += 1;
    this.#quietPolls += 1;
    const waiting = this.#onNewTotal;
    if (waiting !== undefined && this.#quietPolls >= waiting.quietPolls) {
      this.#onNewTotal = undefined;
      this.#confirm(waiting.candidate.percent);
    }
    const needed = this.#contradictions === 0 ? QUIET_POLLS : QUIET_POLLS_IF_NOISY;
    if (this.#quietPolls >= needed) this.#confirmLast();
  }

  /** The command has ended: nothing contradicts the last number any more. `known`: what its end shows. */
  end(known?: number): void {
    this.#takeOffered();
    this.#confirmLast();
    const waiting = this.#onNewTotal;
    if (waiting !== undefined && waiting.quietPolls < Infinity) {
      this.#confirm(waiting.candidate.percent);
    }
    if (known !== undefined) this.#confirm(known);
  }

  #takeOffered(): void {
    const offered = this.#offered;
    this.#offered = undefined;
    if (offered === undefined) return;
    const { percent, isDoubtful = false } = offered;
    if (!this.#confirmsSteps) {
      this.#confirm(percent);
      return;
    }
    this.#compare(percent);
    if (percent <= this.#confirmed + STEP_MAX) this.#report(percent);
    if (percent <= this.#confirmed) return;
    const found = { percent, isDoubtful, poll: this.#poll, confirmations: 0, isExceeded: false };
    this.#unconfirmed = [...this.#unconfirmed, found].slice(-CONFIRMATIONS_MAX - 1);
  }

  /** What the number of a later poll shows of those before it. */
  #compare(percent: number): void {
    const wrong = this.#unconfirmed.filter((earlier) => earlier.percent > percent + FALL_MAX);
    if (wrong.length > 0) this.#contradictions += 1;
    this.#unconfirmed = this.#unconfirmed
      .filter((earlier) => !wrong.includes(earlier))
      .map((earlier) => ({
        ...earlier,
        percent: Math.min(earlier.percent, percent),
        confirmations: earlier.confirmations + 1,
        isExceeded: earlier.isExceeded || percent > earlier.percent,
      }));
    const highest = this.#unconfirmed.findLast((earlier) => this.#isConfirmed(earlier));
    if (highest !== undefined) this.#confirm(highest.percent);
  }

  #isConfirmed({ confirmations, isExceeded, poll }: Unconfirmed): boolean {
    const needed = Math.min(CONFIRMATIONS_MAX, CONFIRMATIONS + this.#contradictions);
    if (!isExceeded) return confirmations >= Math.max(needed, CONFIRMATIONS_IF_REPEATED);
    const isSeparate = this.#contradictions === 0 && this.#poll - poll >= SEPARATE_POLLS;
    return isSeparate || confirmations >= needed;
  }

  /** Nothing came after the last number. */
  #confirmLast(): void {
    const last = this.#unconfirmed.at(-1);
    if (last?.isDoubtful === false) this.#confirm(last.percent);
  }

  #confirm(percent: number): void {
    this.#confirmed = this.#confirmsSteps ? Math.max(this.#confirmed, percent) : percent;
    this.#unconfirmed = this.#unconfirmed.filter((later) => later.percent > percent);
    this.#report(percent);
  }

  #report(percent: number): void {
    this.#reported = this.#confirmsSteps ? Math.max(this.#reported ?? 0, percent) : percent;
  }
}
