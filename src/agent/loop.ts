/**
 * The one loop. Start reading here.
 *
 * A turn: facts in, changes onto the disk, decisions out. Everything that happens takes this path, a cancel, a
 * restart and a tick alike. A crash at any line is the same as a restart: what was committed is known to the next
 * agent, and what was not has had no consequence yet.
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
  turned: () => void,
): Promise<void> {
  while (!inbox.isClosed) {
    const events = await inbox.next(earliest(planner.wakeAtMs(), journal.retryAtMs));
    const now = clock.now();
    for (const event of events) planner.observe(event, now);
    // On disk before anything follows from it. A disk that refuses stops what needs memory, never jobs or heartbeats.
    const isDurable = journal.commit(planner.takeChanges(), now);
    for (const action of planner.decide(now, isDurable)) act(action);
    turned();
  }
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}
