/** Waits for a state, not for a time: checks again and again, and fails with the last state if it never comes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';

const LOOK_EVERY_MS = 20;
/** Below the limit of a test (vitest.config.ts), so that a failure says what was waited for. */
const WAIT_MS_MAX = 100_000;

export async function until(
  what: string,
  isThere: () => boolean | Promise<boolean>,
  describe: () => string = () => '',
): Promise<void> {
  const endsAt = performance.now() + WAIT_MS_MAX;
  while (!(await isThere())) {
    if (performance.now() > endsAt) throw new Error(`waited in vain until ${what} ${describe()}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** Waits until the expectations hold; the last failure is the failure of the test. */
export function eventually(check: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: WAIT_MS_MAX, interval: LOOK_EVERY_MS });
}
