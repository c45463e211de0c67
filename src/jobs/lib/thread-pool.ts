/**
 * Watches whether the thread pool of Node, which does all asynchronous work on files, still answers. A dead network file
 * system keeps a thread for ever, and there are four.
 */
import { access } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const PROBE_EVERY_MS = 5000;

/** A healthy disk answers within milliseconds, a loaded one within seconds. */
const STUCK_MS_MIN = 10_000;

/** False: it does not answer in time. The process cannot end by itself then, since its end waits for all threads. */
export async function threadPoolAnswers(msMax: number): Promise<boolean> {
  const limit = new AbortController();
  const inTime = await Promise.race([
    access('/').then(() => true),
    sleep(msMax, false, { signal: limit.signal }).catch(() => false),
  ]);
  limit.abort();
  return inTime;
}

export class ThreadPoolWatch {
  readonly #isNeeded: () => boolean;
  readonly #stuckMsMin: number;
  readonly #timer: NodeJS.Timeout;
  #askedAtMs: number | undefined;

  /** Probes only while it `isNeeded`. */
  constructor(
    isNeeded: () => boolean,
    { probeEveryMs = PROBE_EVERY_MS, stuckMsMin = STUCK_MS_MIN } = {},
  ) {
    this.#isNeeded = isNeeded;
    this.#stuckMsMin = stuckMsMin;
    this.#timer = setInterval(() => this.#probe(), probeEveryMs).unref();
  }

  /** For how long nothing was answered; absent: it answers. */
  stuckMs(): number | undefined {
    const ms = this.#askedAtMs === undefined ? 0 : performance.now() - this.#askedAtMs;
    return ms < this.#stuckMsMin ? undefined : ms;
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
