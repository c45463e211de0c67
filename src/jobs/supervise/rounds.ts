/** One timer for all runs that are watched: each round looks at every one of them. Without runs there is no timer. */

/** Some hundred jobs may write much at a time: the loop turns after this, so that a cancel or a report can come in between. */
const SLICE_MS = 5;

export class Rounds {
  readonly #everyMs: number;
  readonly #looks = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #isRound = false;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** `look` must not throw. Returns a function that ends it. */
  add(look: () => void): () => void {
    this.#looks.add(look);
    this.#timer ??= setInterval(() => this.#round(), this.#everyMs);
    return () => {
      this.#looks.delete(look);
      if (this.#looks.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** A round that takes longer than the time between two has no second one beside it. */
  #round(): void {
    if (this.#isRound) return;
    this.#isRound = true;
    this.#lookAt([...this.#looks]);
  }

  #lookAt(looks: readonly (() => void)[]): void {
    const sliceEndsMs = performance.now() + SLICE_MS;
    for (const [place, look] of looks.entries()) {
      if (performance.now() >= sliceEndsMs) {
        setImmediate(() => this.#lookAt(looks.slice(place)));
        return;
      }
      if (this.#looks.has(look)) look();
    }
    this.#isRound = false;
  }
}
