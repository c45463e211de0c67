/** Every call that came, newest kept: bounded, because a simulator may run for days. The audit does not read it. */

export interface JournalEntry {
  /** Counted from 1. */
  readonly number: number;
  /** Simulated time of arrival. */
  readonly at: number;
  readonly requestId: string;
  readonly service: string;
  readonly operation: string;
  readonly region?: string;
  /** The client's name and access key. */
  readonly by?: string;
  readonly request: unknown;
  /** The rule that befell the call. */
  fault?: string;
  /** `pending` while a poll is held; then `ok`, an error's name, or how the connection ended. */
  outcome: string;
  status?: number;
  /** What an error said. */
  message?: string;
  answeredAt?: number;
  /** False when the answer did not reach the client as it was meant. */
  delivered?: boolean;
}

export interface Journal {
  add(entry: Omit<JournalEntry, 'number'>): JournalEntry;
  /** Oldest first. */
  entries(): readonly JournalEntry[];
  /** Calls that were ever added. */
  count(): number;
}

export function createJournal(size: number): Journal {
  // A ring: `next` is where the next entry goes.
  const ring: JournalEntry[] = [];
  let next = 0;
  let count = 0;
  return {
    add(told) {
      count += 1;
      const entry = { ...told, number: count };
      ring[next] = entry;
      next = (next + 1) % size;
      return entry;
    },
    entries: () => (count <= size ? ring.slice() : [...ring.slice(next), ...ring.slice(0, next)]),
    count: () => count,
  };
}
