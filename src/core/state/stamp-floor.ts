/**
 * Keeps the stamps of a task (UpdateDateTime) from going backwards after the agent died. Renewed promises are written some
 * seconds late, and the stamps that were sent with them may be lost. So the disk holds a second that none of them has passed;
 * the next agent stamps later than that, whatever clock it finds.
 */
import { SECOND_MS, isBelievable } from '../lib/time.ts';
import { HELD_MS_MAX } from './persistent-state.ts';
import type { PersistentState } from './persistent-state.ts';

const AHEAD_S = HELD_MS_MAX / SECOND_MS;

export class StampFloor {
  readonly #state: PersistentState;
  /** Tasks that this agent has not reported yet may have been stamped up to here. */
  readonly #foundS: number;

  /** `serviceMs`: the service's time, as far as it is known. */
  constructor(state: PersistentState, serviceMs: number) {
    this.#state = state;
    const foundS = state.metadata.stampFloorS ?? 0;
    // Nearly always the agent starts later than that, and nothing has to be raised.
    const isAhead = foundS * SECOND_MS > serviceMs && isBelievable(foundS * SECOND_MS);
    this.#foundS = isAhead ? foundS : 0;
    if (!isAhead) return;
    for (const task of state.liveHubTasks) task.lastStampS = Math.max(task.lastStampS, foundS);
  }

  /** True: a report with this stamp needs not be on disk yet. */
  covers(stampS: number): boolean {
    return stampS <= (this.#state.metadata.stampFloorS ?? 0);
  }

  /** A report with this stamp is written now, with all others: those of the next seconds may wait. */
  raise(stampS: number): void {
    this.#set(stampS + AHEAD_S);
  }

  /** Everything is written now, and this agent stamps nothing more. */
  lower(serviceMs: number): void {
    const { stampFloorS } = this.#state.metadata;
    const nowS = Math.ceil(serviceMs / SECOND_MS);
    if (stampFloorS !== undefined && nowS < stampFloorS) this.#set(nowS);
  }

  #set(floorS: number): void {
    this.#state.metadata.stampFloorS = Math.max(floorS, this.#foundS);
    this.#state.saveMetadata();
  }
}
