/** Looks again and again while there is something to look at, one round at a time. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A pause is so many times as long as the work of its round: 5 % of one processor at most. */
export const PAUSE_SHARE = 20;
/** What took long was mostly waiting, for a service manager in trouble. */
const PAUSE_MS_MAX = 30_000;

/**
 * A round that takes long (many to look at, a busy host) is followed by a longer pause, so that looking never costs more
 * than its share.
 */
export function pauseByTime(everyMs: number): (tookMs: number) => number {
  return (tookMs) => Math.max(everyMs, Math.min(PAUSE_SHARE * tookMs, PAUSE_MS_MAX));
}

export class Rounds {
  readonly #pauseMs: (tookMs: number) => number;
  readonly #look: (closing: AbortSignal) => Promise<boolean>;
  readonly #closing = new AbortController();
  #hurry = new AbortController();
  #going: Promise<void> | undefined;

  /** `look` tells whether there is anything left to look at. It must not reject. */
  constructor(
    pauseMs: (tookMs: number) => number,
    look: (closing: AbortSignal) => Promise<boolean>,
  ) {
    this.#pauseMs = pauseMs;
    this.#look = look;
  }

  /** There is something (new) to look at: the next round comes now, not after the pause. */
  wake(): void {
    this.#hurry.abort();
    this.#going ??= this.#go().finally(() => {
      this.#going = undefined;
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#going;
  }

  async #go(): Promise<void> {
    const closing = this.#closing.signal;
    while (!closing.aborted) {
      // What is added from here on hurries the round after this one.
      this.#hurry = new AbortController();
      const begin = performance.now();
      const isLeft = await this.#look(closing);
      if (!isLeft && !this.#hurry.signal.aborted) return;
      const tookMs = performance.now() - begin;
      await pause(this.#pauseMs(tookMs), AbortSignal.any([closing, this.#hurry.signal]));
    }
  }
}

/** Waits; whoever aborts ends the wait. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {
    // Aborted: whoever waits looks at why next.
  });
}
