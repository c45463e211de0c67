/**
 * What comes together until somebody takes it: each thing once, in the order in which it came.
 *
 * Whoever takes gets the set itself and a new one is begun. A set that is cleared and used again keeps its old tables
 * alive until the next full collection, each through the one before: half a kilobyte a turn.
 */
export class PendingSet<T> {
  #items: Set<T> | undefined;

  add(item: T): void {
    this.#items ??= new Set();
    this.#items.add(item);
  }

  delete(item: T): void {
    this.#items?.delete(item);
  }

  get isEmpty(): boolean {
    return this.#items === undefined || this.#items.size === 0;
  }

  take(): Iterable<T> {
    const items = this.#items ?? [];
    this.#items = undefined;
    return items;
  }
}
