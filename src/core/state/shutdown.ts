/**
 * How far the agent is on its way out: it takes no more pipeline tasks (drain), or it ends (shutdown).
 *
 * Before a planned end every live task gets a shutdown report: in Migration Hub with the longest promise
 * (`nextUpdateMax`), in Data Pipeline one that begins the window anew. So no task is stale or lost until the next agent
 * starts. Final reports that are ready go out in the same time, in the usual order, within the same budgets. The agent
 * ends when nothing is left to send, and after `SHUTDOWN_MS_MAX` at the latest. What was not sent is on disk, and the
 * next agent sends it: a shutdown that is cut short is a crash, and loses nothing.
 */
import { SECOND_MS } from '../lib/time.ts';
import type { Instant, Now } from '../lib/time.ts';

/** A round trip to a far region and a few calls at one a second; an operator waits that long for a restart. */
export const SHUTDOWN_MS_MAX = 5 * SECOND_MS;

export class Shutdown {
  #requestedAt: Now | undefined;
  #isDraining = false;
  #isTerminated = false;

  /** True if no more pipeline tasks are accepted; those that run continue. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Data Pipeline asked the task runner to terminate. This cannot be undone. */
  get isTerminated(): boolean {
    return this.#isTerminated;
  }

  get requestedAt(): Now | undefined {
    return this.#requestedAt;
  }

  /** When the agent ends at the latest, on the boot clock; `undefined`: it is not about to end. */
  get endsAtMs(): number | undefined {
    return this.#requestedAt && this.#requestedAt.bootMs + SHUTDOWN_MS_MAX;
  }

  /** True: that is new. */
  drain(): boolean {
    const isNew = !this.#isDraining;
    this.#isDraining = true;
    return isNew;
  }

  resume(): void {
    this.#isDraining = false;
  }

  /** True: that is new. */
  terminate(): boolean {
    const isNew = !this.#isTerminated;
    this.#isTerminated = true;
    return isNew;
  }

  /** True: that is new. */
  request(now: Now): boolean {
    if (this.#requestedAt !== undefined) return false;
    this.#requestedAt = now;
    return true;
  }

  /** True while the agent is ending and the task's last report, of `reportedAt`, is no shutdown report. */
  needsReport(reportedAt: Instant): boolean {
    return this.#requestedAt !== undefined && reportedAt.bootMs < this.#requestedAt.bootMs;
  }
}
