/**
 * Anything that has to call AWS: a Hub task, a pipeline task, the poller of a worker group, the runner's heartbeat. A
 * reporter returns its pending call, the call queue decides when it is its turn, and the reporter then builds the call
 * from the newest state. A reporter has at most one call in flight.
 */
import type { Now } from '../lib/time.ts';
import type { Call, Outcome } from '../model/call.ts';
import type { Fact } from '../model/fact.ts';
import type { HubLink } from '../model/hub-task.ts';
import type { Item, PendingCall } from './call-queue.ts';
import type { Retry } from './retry.ts';

/** A reporter's place in the call queue. Without an owner: the reporter was removed. */
export type ReporterEntry = Item<Reporter | undefined>;

export interface Reporter {
  readonly key: string;
  /** The next call; `undefined`: none until something changes. */
  next(now: Now): PendingCall | undefined;
  /** Builds the call when it is its turn; `undefined`: the call is no longer needed. */
  call(now: Now): Call | undefined;
  /** Handles the call's outcome. Returns what it means beyond this reporter. */
  settled(call: Call, outcome: Outcome, now: Now, sentAt: Now): Fact | undefined;
  /** Tries a failed call again now, because an operator asked for it: only of what is in the outbox. */
  retry?(): void;
  /**
   * What keeps the next report (or this link) from being delivered. Without it: what fails shows as the health of the
   * operation alone.
   */
  blockedBy?(link?: HubLink): Retry | undefined;
}
