/** Checks repeatedly, one round at a time, while there is something to check. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A pause lasts this many times as long as the round before it, so that checks take at most 5 % of one processor. */
export const PAUSE_SHARE = 20;
/** A very long round has mostly waited for a service manager that is slow to answer. */
const PAUSE_MS_MAX = 30_000;

/** A round that takes long (many runs, a busy host) is followed by a longer pause. */
export function pauseByDuration(everyMs: number): (tookMs: number) => number {
  return (tookMs) => Math.max(everyMs, Math.min(PAUSE_SHARE * tookMs, PAUSE_MS_MAX));
}

export class PollLoop {
  readonly #pauseMs: (tookMs: number) => number;
  readonly #checkAll: (closing: AbortSignal) => Promise<boolean>;
  readonly #closing = new AbortController();
  #wakeUp = new AbortController();
  #running: Promise<void> | undefined;

  /** `checkAll` resolves to whether anything is left to check. It must not reject. */
  constructor(
    pauseMs: (tookMs: number) => number,
    checkAll: (closing: AbortSignal) => Promise<boolean>,
  ) {
    this.#pauseMs = pauseMs;
    this.#checkAll = checkAll;
  }

  /** There is something new to check: the next round starts now, not after the pause. */
  wake(): void {
    this.#wakeUp.abort();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const closing = this.#closing.signal;
    while (!closing.aborted) {
      // What is added from here on belongs to the next round.
      this.#wakeUp = new AbortController();
      const begin = performance.now();
      const isLeft = await this.#checkAll(closing);
      if (!isLeft && !this.#wakeUp.signal.aborted) return;
      const tookMs = performance.now() - begin;
      await pause(this.#pauseMs(tookMs), AbortSignal.any([closing, this.#wakeUp.signal]));
    }
  }
}

/** Waits until the time has passed or the signal is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {
    // Aborted: the caller checks its own signals next.
  });
}
