/**
 * The ladder that ends a run (P4): the job's signal to its whole tree, its grace, SIGKILL, and then proof that
 * the tree is empty. A function of when it began and what was done; whoever climbs it looks again at `atMs`.
 *
 *   0            the job's stop signal (SIGTERM)
 *   … grace      look whether the tree is empty, after 100 ms and then each second
 *   grace        SIGKILL to every process of the tree, again each 250 ms while any is left
 *   … + 10 s     give up: what outlives SIGKILL sleeps in the kernel, and no signal reaches it there. Counted from the
 *                first SIGKILL of this agent: one that was away for the whole ladder has sent none
 */
import type { Ending } from '../model/job.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

export type EscalationStep = 'signal' | 'check' | 'kill' | 'give-up';

/** What has been done already; begins anew with the agent, which only repeats a signal. */
export interface Escalation {
  signalledAtMs?: number;
  killedAtMs?: number;
  lastLookAtMs: number;
}

const FIRST_LOOK_MS = 100;
const LOOK_EVERY_MS = SECOND_MS;
const KILL_EVERY_MS = 250;
const GIVE_UP_AFTER_MS = 10 * SECOND_MS;

/** The rung to take now, if any, and when to look again. */
export function nextStep(
  ending: Ending,
  escalation: Escalation,
  now: Now,
): { readonly step?: EscalationStep; readonly atMs: number } {
  const killAtMs = ending.since.bootMs + ending.graceMs;
  const giveUpAtMs = (escalation.killedAtMs ?? Infinity) + GIVE_UP_AFTER_MS;
  if (now.bootMs >= giveUpAtMs) return { step: 'give-up', atMs: giveUpAtMs };
  if (now.bootMs >= killAtMs) {
    const atMs = Math.max(killAtMs, escalation.lastLookAtMs + KILL_EVERY_MS);
    return now.bootMs >= atMs ? { step: 'kill', atMs } : { atMs };
  }
  if (escalation.signalledAtMs === undefined) return { step: 'signal', atMs: now.bootMs };
  const isFirst = escalation.lastLookAtMs <= escalation.signalledAtMs;
  const lookAtMs = escalation.lastLookAtMs + (isFirst ? FIRST_LOOK_MS : LOOK_EVERY_MS);
  const atMs = Math.min(lookAtMs, killAtMs);
  return now.bootMs >= atMs ? { step: 'check', atMs } : { atMs };
}
