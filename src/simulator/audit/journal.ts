/** The newest calls. The number is limited, because a simulator may run for days. The audit does not read the journal. */

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
  /** The kind of the fault rule that applied. */
  fault?: string;
  /** `pending` while a poll is held; then `ok`, an error's name, or how the connection ended. */
  outcome: string;
  status?: number;
  /** The message of an error. */
  message?: string;
  answeredAt?: number;
  /** False if the client did not get the complete answer. */
  delivered?: boolean;
}

export interface Journal {
  add(entry: Omit<JournalEntry, 'number'>): JournalEntry;
  /** Oldest first. */
  entries(): readonly JournalEntry[];
  /** All calls, those that were dropped included. */
  count(): number;
}

export function createJournal(size: number): Journal {
  // A ring: `next` is where the next entry goes.
  const ring: JournalEntry[] = [];
  let next = 0;
  let count = 0;
  return {
    add(fields) {
      count += 1;
      const entry = { ...fields, number: count };
      ring[next] = entry;
      next = (next + 1) % size;
      return entry;
    },
    entries: () => (count <= size ? ring.slice() : [...ring.slice(next), ...ring.slice(0, next)]),
    count: () => count,
  };
}
