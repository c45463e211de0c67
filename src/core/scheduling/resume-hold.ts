/**
 * After the host slept or its clock was stepped: reports of pipeline tasks go first, and every other call waits until each
 * of those tasks has been answered, or for `HOLD_MS_MAX`.
 */
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

/** The network may take a while to come back. */
const HOLD_MS_MAX = 10 * SECOND_MS;

export class ResumeHold {
  #begunAt: Now | undefined;
  /** Reporters of pipeline tasks that have had no answer since. */
  readonly #unconfirmed = new Set<string>();

  begin(keys: Iterable<string>, now: Now): void {
    this.#begunAt = now;
    this.#unconfirmed.clear();
    for (const key of keys) this.#unconfirmed.add(key);
  }

  /** A call that the reporter sent at `sentAt` was settled, whatever its outcome. */
  answered(key: string, sentAt: Now): void {
    if (this.#unconfirmed.size > 0 && sentAt.bootMs >= (this.#begunAt?.bootMs ?? 0)) {
      this.#unconfirmed.delete(key);
    }
  }

  /** Nothing more is reported under this key. */
  forget(key: string): void {
    this.#unconfirmed.delete(key);
  }

  isAwaited(key: string): boolean {
    return this.#unconfirmed.has(key);
  }

  /** Until when only pipeline tasks are reported, on the boot clock; `undefined`: nothing is held. */
  untilMs(now: Now): number | undefined {
    if (this.#begunAt === undefined || this.#unconfirmed.size === 0) return undefined;
    const untilMs = this.#begunAt.bootMs + HOLD_MS_MAX;
    return now.bootMs < untilMs ? untilMs : undefined;
  }
}
