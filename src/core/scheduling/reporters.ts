/** The registry of reporters, and which of them may have a new pending call that the queue does not have yet. */
import { PendingSet } from '../lib/pending-set.ts';
import { Item } from './call-queue.ts';
import type { Reporter, ReporterEntry } from './reporter.ts';

export class Reporters {
  readonly #entries = new Map<string, ReporterEntry>();
  readonly #touched = new PendingSet<ReporterEntry>();

  get(key: string): Reporter | undefined {
    return this.#entries.get(key)?.owner;
  }

  *all(): Iterable<Reporter> {
    for (const { owner } of this.#entries.values()) if (owner !== undefined) yield owner;
  }

  /** Replaces the reporter of the same key. A call that the old one has in flight is waited for. */
  add(reporter: Reporter): void {
    const entry = this.#entries.get(reporter.key) ?? new Item<Reporter | undefined>(reporter);
    entry.owner = reporter;
    this.#entries.set(reporter.key, entry);
    this.#touched.add(entry);
  }

  remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.owner = undefined;
    this.#touched.add(entry);
    this.#entries.delete(key);
  }

  /** The pending call of this reporter may have changed. */
  touch(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#touched.add(entry);
  }

  touchEntry(entry: ReporterEntry): void {
    this.#touched.add(entry);
  }

  touchAll(): void {
    for (const entry of this.#entries.values()) this.#touched.add(entry);
  }

  /** The reporters that were touched since the last call. */
  takeTouched(): Iterable<ReporterEntry> {
    return this.#touched.take();
  }
}
