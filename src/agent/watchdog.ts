/**
 * Feeds the service manager's watchdog while the loop turns. Never tied to AWS: an outage must not make systemd
 * kill the agent. The loop turns at least every ten seconds, well within any sensible WatchdogSec.
 */
import type { Now } from '../core/time.ts';
import type { ServiceNotifier } from '../ports.ts';

/** systemd wants to hear at least twice in each interval (sd_watchdog_enabled(3)). */
const PARTS = 3;

export class Watchdog {
  readonly #notifier: ServiceNotifier;
  #fedAtMs = -Infinity;
  #line = '';

  constructor(notifier: ServiceNotifier) {
    this.#notifier = notifier;
  }

  /** Call after each turn. `line` is what `systemctl status` shows. */
  turned(now: Now, line: string): void {
    if (line !== this.#line) {
      this.#line = line;
      this.#notifier.status(line);
    }
    const everyMs = (this.#notifier.watchdogMs ?? Infinity) / PARTS;
    if (now.bootMs - this.#fedAtMs < everyMs) return;
    this.#fedAtMs = now.bootMs;
    this.#notifier.alive();
  }
}
