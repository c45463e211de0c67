/**
 * One timer for all runs that are watched: a round looks at each of them. A silent run lets some rounds pass, all silent ones the
 * same, and a round that would look at nothing is left out. Without runs there is no timer.
 */

/** Some hundred jobs may write much at a time: the loop turns after this, so that a cancel or a report can come in between. */
const SLICE_MS = 5;

/** Must not throw. Returns in which of the next rounds to look again: 1 is the next one. */
type Look = () => number;

export class Rounds {
  readonly #everyMs: number;
  readonly #beganAtMs = performance.now();
  /** The number of the round in which each run is looked at next. */
  readonly #dueRounds = new Map<Look, number>();
  #timer: NodeJS.Timeout | undefined;
  /** The round that the timer is set for. */
  #nextRound = Infinity;
  #isRound = false;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Looks in the next round, also if the next look is further away. Returns a function that ends it. */
  add(look: Look): () => void {
    this.#dueRounds.set(look, this.#presentRound() + 1);
    this.#wait();
    return () => {
      this.#dueRounds.delete(look);
      if (this.#dueRounds.size === 0) this.#stopWaiting();
    };
  }

  #presentRound(): number {
    return Math.floor((performance.now() - this.#beganAtMs) / this.#everyMs);
  }

  /** A round that takes longer than the time between two has no second one beside it. */
  #wait(): void {
    if (this.#isRound || this.#dueRounds.size === 0) return;
    let round = Infinity;
    for (const due of this.#dueRounds.values()) round = Math.min(round, due);
    if (round >= this.#nextRound) return;
    this.#stopWaiting();
    this.#nextRound = round;
    const waitMs = this.#beganAtMs + round * this.#everyMs - performance.now();
    this.#timer = setTimeout(() => this.#begin(round), Math.max(0, Math.ceil(waitMs)));
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#nextRound = Infinity;
  }

  #begin(planned: number): void {
    this.#stopWaiting();
    this.#isRound = true;
    const round = Math.max(planned, this.#presentRound());
    const due = [...this.#dueRounds].filter(([, dueRound]) => dueRound <= round);
    this.#lookAt(
      due.map(([look]) => look),
      round,
    );
  }

  #lookAt(looks: readonly Look[], round: number): void {
    const sliceEndsMs = performance.now() + SLICE_MS;
    for (const [place, look] of looks.entries()) {
      if (performance.now() >= sliceEndsMs) {
        setImmediate(() => this.#lookAt(looks.slice(place), round));
        return;
      }
      if (!this.#dueRounds.has(look)) continue;
      const due = roundAfter(round, look());
      // The look may have ended itself.
      if (this.#dueRounds.has(look)) this.#dueRounds.set(look, due);
    }
    this.#isRound = false;
    this.#wait();
  }
}

/** Those that wait as long as each other share a round: waking an idle process costs more than a look. */
function roundAfter(round: number, wait: number): number {
  return round + wait - (round % wait);
}
