/**
 * The newest entries of all timelines, numbered, so that a client whose connection broke can continue where it was. They
 * are in memory: a client that returns to a restarted agent, or too late, learns that entries are missing.
 */
import type { Operator, TimelineEntry } from '../../ports.ts';

/** Some minutes of a busy host; 0.5 MB. */
const ENTRIES_MAX = 1_000;

export interface NumberedEntry {
  /** `AGENT-NUMBER`: a number of an earlier agent means nothing to this one. */
  readonly id: string;
  readonly entry: TimelineEntry & { readonly job?: string };
}

type Listener = (entry: NumberedEntry) => void;

export class RecentEvents {
  readonly #agent: string;
  readonly #entries: NumberedEntry[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #unwatch: () => void;
  #last = 0;

  constructor(operator: Operator) {
    this.#agent = Date.parse(operator.agent().startedAt).toString(36);
    this.#unwatch = operator.watch((entry) => {
      this.#last += 1;
      const numbered = { id: `${this.#agent}-${this.#last}`, entry };
      this.#entries.push(numbered);
      if (this.#entries.length > ENTRIES_MAX) this.#entries.shift();
      for (const listener of this.#listeners) listener(numbered);
    });
  }

  /** Calls `listener` for each new entry. Returns a function that ends it. */
  watch(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What came after the entry with this id; `undefined` if some of it is no longer kept. */
  after(id: string): readonly NumberedEntry[] | undefined {
    const [, agent, number] = /^([0-9a-z]+)-(\d{1,15})$/.exec(id) ?? [];
    const missed = this.#last - Number(number);
    if (agent !== this.#agent || missed < 0 || missed > this.#entries.length) return undefined;
    return this.#entries.slice(this.#entries.length - missed);
  }

  close(): void {
    this.#unwatch();
    this.#listeners.clear();
  }
}
