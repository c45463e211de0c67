/** After a reboot the boot clock began anew: every instant that was kept is moved onto the new one. */
import type { HubTask } from '../core/model/hub-task.ts';
import type { Run } from '../core/model/job.ts';
import type { AgentMetadata } from '../core/state/persistent-state.ts';
import { rebase } from '../core/lib/time.ts';
import type { Instant, Now } from '../core/lib/time.ts';

export function rebaseRun(run: Run, now: Now): Run {
  return rebaseInstants(run, now) as Run;
}

/** How long ago the promise was made is told by a wall clock that may have been wrong, or is: it is renewed soon. */
export function rebaseHubTask(task: HubTask, now: Now): HubTask {
  const moved = rebaseInstants(task, now) as HubTask;
  if (moved.promise !== undefined) moved.promise = { ...moved.promise, isShutdown: true };
  return moved;
}

export function rebaseMetadata(facts: AgentMetadata, now: Now): AgentMetadata {
  return rebaseInstants(facts, now) as AgentMetadata;
}

/** An instant is told by its shape, so that a new field of one cannot be forgotten here. */
function rebaseInstants(value: unknown, now: Now): unknown {
  if (isInstant(value)) return rebase(value, now);
  if (Array.isArray(value)) return value.map((item) => rebaseInstants(item, now));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, rebaseInstants(item, now)]),
  );
}

function isInstant(value: unknown): value is Instant {
  return (
    typeof value === 'object' &&
    value !== null &&
    'wallMs' in value &&
    'bootMs' in value &&
    typeof value.wallMs === 'number' &&
    typeof value.bootMs === 'number'
  );
}
