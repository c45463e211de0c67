/** Waits for a state, not for a time: checks again and again, and fails with the last state if it never comes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';

/** The first looks come soon, later ones seldom: each may be a request to a daemon. */
const LOOK_MS_MIN = 10;
const LOOK_MS_MAX = 100;
/** What a look that comes late may cost, of the time that was waited. */
const LATE_PART = 1 / 20;
/** Below the limit of a test (vitest.config.ts), so that a failure says what was waited for. */
const WAIT_MS_MAX = 100_000;

export async function until(
  what: string,
  isThere: () => boolean | Promise<boolean>,
  describe: () => string = () => '',
): Promise<void> {
  const begin = performance.now();
  while (!(await isThere())) {
    const waitedMs = performance.now() - begin;
    if (waitedMs > WAIT_MS_MAX) throw new Error(`waited in vain until ${what} ${describe()}`);
    await sleep(pauseMs(waitedMs));
  }
}

function pauseMs(waitedMs: number): number {
  return Math.min(Math.max(waitedMs * LATE_PART, LOOK_MS_MIN), LOOK_MS_MAX);
}

/** Waits until the expectations hold; the last failure is the failure of the test. */
export function eventually(check: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: WAIT_MS_MAX, interval: 2 * LOOK_MS_MIN });
}
