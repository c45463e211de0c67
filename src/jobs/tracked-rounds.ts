/**
 * Looks again and again while there is something to look at, one round at a time. A round that takes long (many to
 * look at, a busy host) is followed by a longer pause, so that looking never costs more than its share.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Pause and round together take so many times what the round took: 5 % of one processor at most. */
const PAUSE_SHARE = 20;

export class Rounds {
  readonly #everyMs: number;
  readonly #look: (closing: AbortSignal) => Promise<boolean>;
  readonly #closing = new AbortController();
  #hurry = new AbortController();
  #going: Promise<void> | undefined;

  /** `look` tells whether there is anything left to look at. It must not reject. */
  constructor(everyMs: number, look: (closing: AbortSignal) => Promise<boolean>) {
    this.#everyMs = everyMs;
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
      await pause(
        Math.max(this.#everyMs, PAUSE_SHARE * tookMs),
        AbortSignal.any([closing, this.#hurry.signal]),
      );
    }
  }
}

/** Waits; whoever aborts ends the wait. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {
    // Aborted: whoever waits looks at why next.
  });
}
