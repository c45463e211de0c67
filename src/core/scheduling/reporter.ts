/**
 * Whoever owes AWS words: a migration task, a pipeline task, the poll of a worker group, the runner itself.
 * A speaker says what it owes next; the agenda decides when it is its turn; the call is made from the
 * newest state at that moment. A speaker has at most one call in flight.
 */
import type { PendingCall, Item } from './call-queue.ts';
import type { Call, Outcome } from '../model/call.ts';
import type { Now } from '../lib/time.ts';

/** A speaker's line on the agenda; `undefined`: it has gone. */
export type ReporterEntry = Item<Reporter | undefined>;

export interface Reporter {
  readonly key: string;
  /** What is owed next; `undefined`: nothing, until something changes. */
  next(now: Now): PendingCall | undefined;
  /** The call itself, now that it may be made; `undefined`: it has become needless. */
  call(now: Now): Call | undefined;
  settled(call: Call, outcome: Outcome, now: Now, sentAt: Now): void;
}
