/** Whether everything that has changed is on disk. The planner writes it after each commit. */
export class Durability {
  #isBehind = false;
  /** Runs that ended in this turn, or since the store began to refuse changes. */
  readonly #newlyEnded = new Set<string>();
  /** Reporters whose report was accepted, or made anew, in this turn, or since the store began to refuse changes. */
  readonly #unrecorded = new Set<string>();

  /** The store refuses changes: what changed since then is only in memory. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** How the last commit went. True: it went otherwise than the one before. */
  committed(isDurable: boolean): boolean {
    // This runs in every turn, and clearing even an empty set allocates a new table.
    if (isDurable && this.#newlyEnded.size > 0) this.#newlyEnded.clear();
    if (isDurable && this.#unrecorded.size > 0) this.#unrecorded.clear();
    if (isDurable !== this.#isBehind) return false;
    this.#isBehind = !isDurable;
    return true;
  }

  runEnded(run: string): void {
    this.#newlyEnded.add(run);
  }

  /** A report was accepted, or a pending one got another stamp. */
  reportChanged(reporter: string): void {
    this.#unrecorded.add(reporter);
  }

  /**
   * A report was accepted or got another stamp, and the store could not record it. After a crash the accepted one is sent again,
   * and the next agent finds the earlier stamp, so nothing new may be sent before it is recorded.
   */
  isUnrecorded(reporter: string): boolean {
    return this.#isBehind && this.#unrecorded.has(reporter);
  }

  /** The end of the run is not on disk yet, so heartbeats repeat what was reported before it (P5). */
  isEndHeld(run: string): boolean {
    return this.#isBehind && this.#newlyEnded.has(run);
  }
}
