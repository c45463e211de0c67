/**
 * The escalation that ends a run (P4): the job's signal to its whole tree, its grace, SIGKILL, and then proof that the tree
 * is empty. A pure function of when it began and what was done; the next step is due at `atMs`.
 *
 *   0            the job's stop signal (SIGTERM)
 *   … grace      check whether the tree is empty, after 100 ms and then each second
 *   grace        SIGKILL to every process of the tree, again each 250 ms while any is left
 *   … + 10 s     give up: a process that outlives SIGKILL sleeps in the kernel, and no signal reaches it there. Counted from
 *                the first SIGKILL that the host really sent for this agent: an agent that was away during the whole grace
 *                has sent none, and a host without descriptors sends it late
 */
import type { EndCause, Ending } from '../model/job.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

export type EscalationStep = 'signal' | 'check' | 'kill' | 'give-up';

/** The steps that are done. A new agent begins again, which only repeats a signal. */
export interface Escalation {
  signalledAtMs?: number;
  isKillAsked?: boolean;
  /** When the host first sent SIGKILL. */
  killedAtMs?: number;
  lastLookAtMs: number;
}

const FIRST_LOOK_MS = 100;
const LOOK_EVERY_MS = SECOND_MS;
const KILL_EVERY_MS = 250;
const GIVE_UP_AFTER_MS = 10 * SECOND_MS;

/** From the mildest to the strictest: who may have the task after it decides how the run's end is reported. */
const CAUSES: readonly EndCause[] = ['operator', 'timeout', 'service', 'fence', 'gone'];

/** When the run is killed, on the boot clock. */
export function killAtMs(ending: Ending): number {
  return ending.since.bootMs + ending.graceMs;
}

/**
 * The stricter of both: the earlier kill, and the cause that says more of whose the task is. `before` itself: nothing
 * changes. Without an explicit grace an operator who cancels again changes nothing.
 */
export function tightened(before: Ending, later: Ending, isExplicit: boolean): Ending {
  const isStricter = CAUSES.indexOf(later.cause) > CAUSES.indexOf(before.cause);
  const isRepeat = later.cause === 'operator' && !isExplicit;
  const killMs = isRepeat ? killAtMs(before) : Math.min(killAtMs(before), killAtMs(later));
  if (!isStricter && killMs >= killAtMs(before)) return before;
  const { cause, detail } = isStricter ? later : before;
  return { cause, detail, since: before.since, graceMs: Math.max(0, killMs - before.since.bootMs) };
}

/**
 * The step to take now, if any, and when the next one is due. `areSurvivorsSeen`: after SIGKILL, processes were seen alive.
 * While nothing can be seen, the agent goes on: an empty list of survivors is no reason to give up.
 */
export function nextStep(
  ending: Ending,
  escalation: Escalation,
  now: Now,
  areSurvivorsSeen = true,
): { readonly step?: EscalationStep; readonly atMs: number } {
  const killMs = killAtMs(ending);
  const giveUpAtMs = areSurvivorsSeen
    ? (escalation.killedAtMs ?? Infinity) + GIVE_UP_AFTER_MS
    : Infinity;
  if (now.bootMs >= giveUpAtMs) return { step: 'give-up', atMs: giveUpAtMs };
  if (now.bootMs >= killMs) {
    const atMs = Math.max(killMs, escalation.lastLookAtMs + KILL_EVERY_MS);
    return now.bootMs >= atMs ? { step: 'kill', atMs } : { atMs };
  }
  if (escalation.signalledAtMs === undefined) return { step: 'signal', atMs: now.bootMs };
  const isFirst = escalation.lastLookAtMs <= escalation.signalledAtMs;
  const lookAtMs = escalation.lastLookAtMs + (isFirst ? FIRST_LOOK_MS : LOOK_EVERY_MS);
  const atMs = Math.min(lookAtMs, killMs);
  return now.bootMs >= atMs ? { step: 'check', atMs } : { atMs };
}
