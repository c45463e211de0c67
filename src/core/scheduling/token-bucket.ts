/**
 * The token bucket of a gate. It is smaller than the configured rate and burst, since the network delivers calls with
 * jitter and the service must not see more than the rate (P6). The planner makes no promise that needs more than this.
 */
import type { Rate } from '../model/settings.ts';
import { SECOND_MS } from '../lib/time.ts';

export interface Bucket {
  /** The most calls that may be made at once; not always whole, never less than one. */
  readonly capacity: number;
  readonly perMs: number;
}

/**
 * Calls that leave evenly spaced may arrive together: all calls of `JITTER_MS`. The bucket is smaller than the burst by
 * the calls of that time. If the calls of one second are at most a tenth of the burst, it is smaller by those, since
 * opening a connection takes up to a second.
 */
export const JITTER_MS = 200;
const JITTER_MS_MAX = 1000;
const JITTER_SHARE_OF_BURST = 0.1;
/** Covers the difference between the host's quartz and the service's (at most 500 ppm), and the service's rounding. */
const RATE_SHARE = 0.99;

/**
 * A small burst cannot be made much smaller, so its calls are spaced wider instead: call `burst + 1` must not arrive
 * before the service has refilled its bucket, even if the first call was late and this one is early. A burst of one at
 * 50 calls a second therefore allows one call in 220 ms. To use the whole rate, configure a larger burst.
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

/** Calls a second that a gate allows in the long run. */
export function steadyPerSecond(rate: Rate): number {
  return bucketOf(rate).perMs * SECOND_MS;
}
