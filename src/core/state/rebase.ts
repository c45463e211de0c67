/** After a reboot the boot clock starts again: every stored instant is moved onto the new clock. */
import { isBelievable, rebase } from '../lib/time.ts';
import type { Instant, Now } from '../lib/time.ts';
import type { HubTask } from '../model/hub-task.ts';
import { isFinal } from '../model/job.ts';
import type { Run } from '../model/job.ts';
import type { AgentMetadata } from './persistent-state.ts';

/**
 * How much of a task's window has passed is known from wall clocks alone, and either may have been wrong: the service has to
 * confirm that the task is still this host's before a run of it starts, or is fenced by the clock. No process of it lives.
 */
export function rebaseRun(run: Run, now: Now): Run {
  const moved = rebaseInstants(run, now) as Run;
  const { pipeline, state } = moved;
  if (pipeline !== undefined && !isFinal(state)) pipeline.unconfirmedSince = now;
  return moved;
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

/** A window or a promise of unknown age has ended: then somebody else may have the task. */
const ENDED_IF_UNKNOWN = ['acceptedAt', 'receivedAt', 'madeAt', 'until'];

/** Instants are recognised by their shape, so a new field that holds one cannot be forgotten here. */
function rebaseInstants(value: unknown, now: Now, key = ''): unknown {
  if (isInstant(value)) return rebaseInstant(value, now, key);
  if (Array.isArray(value)) return value.map((item) => rebaseInstants(item, now));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, rebaseInstants(item, now, name)]),
  );
}

/**
 * All but the end of a promise have passed: one that seems to lie ahead was stamped while the wall clock was wrong. A window
 * that began in the future would never end. An instant that was stamped by an impossible clock has an unknown age: it counts
 * from now, since a run that ended in "1970" is not decades old.
 */
function rebaseInstant(instant: Instant, now: Now, key: string): Instant {
  const moved = rebase(instant, now);
  if (key === 'until') return moved;
  if (!isBelievable(instant.wallMs) && !ENDED_IF_UNKNOWN.includes(key)) return now;
  if (moved.bootMs <= now.bootMs) return moved;
  return { wallMs: isBelievable(now.wallMs) ? now.wallMs : instant.wallMs, bootMs: now.bootMs };
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
