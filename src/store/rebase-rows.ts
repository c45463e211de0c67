/** After a reboot the boot clock starts again: every stored instant is moved onto the new clock. */
import type { HubTask } from '../core/model/hub-task.ts';
import type { Run } from '../core/model/job.ts';
import type { AgentMetadata } from '../core/state/persistent-state.ts';
import { rebase } from '../core/lib/time.ts';
import type { Instant, Now } from '../core/lib/time.ts';

export function rebaseRun(run: Run, now: Now): Run {
  return rebaseInstants(run, now) as Run;
}

/** The age of a promise is known only from the wall clock, which may be wrong: it is renewed soon. */
export function rebaseHubTask(task: HubTask, now: Now): HubTask {
  const moved = rebaseInstants(task, now) as HubTask;
  if (moved.promise !== undefined) moved.promise = { ...moved.promise, isShutdown: true };
  return moved;
}

export function rebaseMetadata(metadata: AgentMetadata, now: Now): AgentMetadata {
  return rebaseInstants(metadata, now) as AgentMetadata;
}

/** Instants are recognised by their shape, so a new field that holds one cannot be forgotten here. */
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
