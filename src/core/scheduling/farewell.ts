/**
 * A planned stop. Before the agent ends, every live task is told once more: the Hub with the longest promise there is,
 * the pipeline with a report that begins its window anew. So the time until the next agent shows nobody as stale and
 * costs no task. What is owed and ready (last words) goes out in the same moments, in the same order as ever, within
 * the same budgets; then the agent ends, at the latest after `FAREWELL_MS_MAX`. Whatever was not said is on disk, and
 * the next agent says it: a stop that is cut short is a crash, and loses nothing.
 */
import type { Context } from './context.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Instant, Now } from '../lib/time.ts';

/** A round trip to a far region, a few budgets of one call a second; an operator who waits for a restart is patient. */
export const SHUTDOWN_MS_MAX = 5 * SECOND_MS;

/** True while the agent stops and this task was not told since: what was said earlier does not reach far enough. */
export function needsShutdownReport(context: Context, reportedAt: Instant): boolean {
  return (
    context.stopRequestedAt !== undefined && reportedAt.bootMs < context.stopRequestedAt.bootMs
  );
}

export function shutdownEndsMs(requestedAt: Now): number {
  return requestedAt.bootMs + SHUTDOWN_MS_MAX;
}
