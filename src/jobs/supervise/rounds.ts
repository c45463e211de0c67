/** One timer for all runs that are watched: each round looks at every one of them. Without runs there is no timer. */
export class Rounds {
  readonly #everyMs: number;
  readonly #looks = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

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

  #round(): void {
    for (const look of [...this.#looks]) look();
  }
}
