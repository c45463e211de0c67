/**
 * Anything that has to call AWS: a Hub task, a pipeline task, the poller of a worker group, the runner's heartbeat. A
 * reporter says which call it has to make next; the call queue decides when it is its turn; the call is then made from
 * the newest state. A reporter has at most one call in flight.
 */
import type { Now } from '../lib/time.ts';
import type { Call, Outcome } from '../model/call.ts';
import type { Fact } from '../model/fact.ts';
import type { HubLink } from '../model/hub-task.ts';
import type { Item, PendingCall } from './call-queue.ts';
import type { Retry } from './retry.ts';

/** A reporter's place in the call queue; without an owner: the reporter was removed. */
export type ReporterEntry = Item<Reporter | undefined>;

export interface Reporter {
  readonly key: string;
  /** The next call; `undefined`: none until something changes. */
  next(now: Now): PendingCall | undefined;
  /** Makes the call, now that it is its turn; `undefined`: it is no longer needed. */
  call(now: Now): Call | undefined;
  /** Takes in how the call ended. Returns what that means beyond this reporter. */
  settled(call: Call, outcome: Outcome, now: Now, sentAt: Now): Fact | undefined;
  /** An operator wants what failed tried again now. */
  retry(): void;
  /** What keeps the next report (or this link) from being delivered. */
  blockedBy(link?: HubLink): Retry | undefined;
}
