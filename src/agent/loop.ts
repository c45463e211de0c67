/**
 * The one loop. Start reading here.
 *
 * A turn: events in, changes to disk, actions out. A cancel, a restart and a tick all take this path. A crash at any line
 * is the same as a restart: the next agent knows what was committed, and what was not committed has had no effect yet.
 */
import type { Action } from '../core/model/action.ts';
import type { Planner } from '../core/planner.ts';
import type { Clock } from '../ports.ts';
import type { Inbox } from './inbox.ts';
import type { Journal } from './journal.ts';

export async function runLoop(
  inbox: Inbox,
  planner: Planner,
  journal: Journal,
  clock: Clock,
  act: (action: Action) => void,
  /** Called after each turn. Returns when the next one is needed at the latest, on the boot clock. */
  turned: () => number | undefined,
): Promise<void> {
  let wakeAtMs: number | undefined;
  while (!inbox.isClosed) {
    const events = await inbox.next(earliest(planner.wakeAtMs(), journal.retryAtMs, wakeAtMs));
    const now = clock.now();
    for (const event of events) planner.observe(event, now);
    // On disk before it takes effect. While the disk refuses writes, jobs and heartbeats go on.
    const isDurable = journal.commit(planner.takeChanges(now), now);
    for (const action of planner.decide(now, isDurable)) act(action);
    wakeAtMs = turned();
  }
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const earliestMs = Math.min(...times.map((ms) => ms ?? Infinity));
  return earliestMs === Infinity ? undefined : earliestMs;
}
