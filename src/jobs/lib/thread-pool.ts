/**
 * Watches whether the thread pool of Node, which does all asynchronous work on files, still answers. A dead network file
 * system keeps a thread for ever, and there are four.
 */
import { access } from 'node:fs/promises';

const PROBE_EVERY_MS = 5000;

/** A healthy disk answers within milliseconds, a loaded one within seconds. */
const STUCK_MS_MIN = 10_000;

export class ThreadPoolWatch {
  readonly #isNeeded: () => boolean;
  readonly #timer: NodeJS.Timeout;
  #askedAtMs: number | undefined;

  /** Probes only while it `isNeeded`. */
  constructor(isNeeded: () => boolean) {
    this.#isNeeded = isNeeded;
    this.#timer = setInterval(() => this.#probe(), PROBE_EVERY_MS).unref();
  }

  /** For how long nothing was answered; absent: it answers. */
  stuckMs(): number | undefined {
    const ms = this.#askedAtMs === undefined ? 0 : performance.now() - this.#askedAtMs;
    return ms < STUCK_MS_MIN ? undefined : ms;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #probe(): void {
    if (this.#askedAtMs !== undefined || !this.#isNeeded()) return;
    this.#askedAtMs = performance.now();
    access('/').then(
      () => {
        this.#askedAtMs = undefined;
      },
      () => {
        this.#askedAtMs = undefined;
      },
    );
  }
}
