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

/** The offset of the services' clock stays as it was: nobody knows how long the host was off if its clock was set meanwhile. */
export function rebaseMetadata(metadata: AgentMetadata, now: Now): AgentMetadata {
  const { clock } = metadata;
  const moved = rebaseInstants(metadata, now) as AgentMetadata;
  return clock === undefined ? moved : { ...moved, clock: { ...clock, at: rebase(clock.at, now) } };
}

/**
 * Instants are recognised by their shape, so a new field that holds one cannot be forgotten here. All but the end of a promise
 * have passed: one that seems to lie ahead was stamped while the wall clock was wrong. A window that began in the future
 * would never end.
 */
function rebaseInstants(value: unknown, now: Now, key = ''): unknown {
  if (isInstant(value)) {
    const moved = rebase(value, now);
    return key === 'until' ? moved : { ...moved, bootMs: Math.min(moved.bootMs, now.bootMs) };
  }
  if (Array.isArray(value)) return value.map((item) => rebaseInstants(item, now));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, rebaseInstants(item, now, name)]),
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
