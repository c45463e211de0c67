/**
 * What a gate lets through so that the service, which sees it with jitter, never sees more than the rate (P6). The gates
 * spend by this, and the planner makes no promise beyond it.
 */
import type { Rate } from '../model/settings.ts';
import { SECOND_MS } from '../lib/time.ts';

export interface Bucket {
  /** The most calls that may be made at once; not always whole, never less than one. */
  readonly capacity: number;
  readonly perMs: number;
}

/**
 * Calls that are spaced exactly may arrive bunched: those of `JITTER_MS` and a window more. The bucket is
 * smaller than the burst by what arrives in that time. Where a second's worth costs no more than a tenth
 * of the burst, it is that, since connections are opened in that time.
 */
export const JITTER_MS = 200;
const JITTER_MS_MAX = 1000;
const JITTER_SHARE_OF_BURST = 0.1;
/** The host's quartz against the service's: 500 ppm at the worst; and the service's rounding. */
const RATE_SHARE = 0.99;

/**
 * A small burst leaves too little to take away, so its calls are spaced wider: call `burst + 1` after the first may not
 * come sooner than the service has earned it, also when it is early and the first one late. With a burst of one at 50 a
 * second that is one call in 220 ms: whoever wants the rate gives it a burst.
 */
export function bucketOf({ perSecond, burst }: Rate, jitterMs = JITTER_MS): Bucket {
  const perMs = perSecond / SECOND_MS;
  const margin = Math.min(
    Math.max(JITTER_SHARE_OF_BURST * burst, perMs * jitterMs),
    perMs * JITTER_MS_MAX,
  );
  const capacity = Math.max(1, burst - margin);
  const spacedPerMs = (burst + 1 - capacity) / (1 / perMs + jitterMs);
  return { capacity, perMs: Math.min(perMs, spacedPerMs) * RATE_SHARE };
}

/** Calls a second that a gate gives in the long run. */
export function steadyPerSecond(rate: Rate): number {
  return bucketOf(rate).perMs * SECOND_MS;
}
