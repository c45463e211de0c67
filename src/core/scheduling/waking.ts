/** After a suspend: how long everything but pipeline reports waits. */
import { SECOND_MS } from '../lib/time.ts';
import type { Context } from './context.ts';
import type { Now } from '../lib/time.ts';

/** How long everything else waits for the pipeline's answers: the way may be slow to come back. */
const WAKING_MS_MAX = 10 * SECOND_MS;

/** Until when nothing but reports of pipeline tasks goes out; `undefined`: no reason to wait. */
export function wakingUntilMs(
  { unconfirmed: unheard, wokeAt }: Context,
  now: Now,
): number | undefined {
  if (wokeAt === undefined || unheard.size === 0) return undefined;
  const untilMs = wokeAt.bootMs + WAKING_MS_MAX;
  return now.bootMs < untilMs ? untilMs : undefined;
}
