/** Waits for a state, never for a time: looks again and again until it is there, and says what was there if it is not. */
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 20;
const WAIT_MS_MAX = 25_000;

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
