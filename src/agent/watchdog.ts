/**
 * Feeds the service manager's watchdog while the loop turns. Never tied to AWS: an outage must not make systemd
 * kill the agent. The loop turns at least every ten seconds, well within any sensible WatchdogSec.
 */
import type { Now } from '../core/lib/time.ts';
import type { ServiceNotifier } from '../ports.ts';

/** systemd wants to hear at least twice in each interval (sd_watchdog_enabled(3)). */
const PARTS = 3;
/** Making the line looks at every live run. */
const LINE_EVERY_MS = 1_000;

export class Watchdog {
  readonly #notifier: ServiceNotifier;
  #fedAtMs = -Infinity;
  #toldAtMs = -Infinity;
  #line = '';

  constructor(notifier: ServiceNotifier) {
    this.#notifier = notifier;
  }

  /** Call after each turn. `line` makes what `systemctl status` shows; it is asked for once a second at most. */
  turned(now: Now, line: () => string): void {
    if (now.bootMs - this.#toldAtMs >= LINE_EVERY_MS) {
      this.#toldAtMs = now.bootMs;
      this.#tell(line());
    }
    const everyMs = (this.#notifier.watchdogMs ?? Infinity) / PARTS;
    if (now.bootMs - this.#fedAtMs < everyMs) return;
    this.#fedAtMs = now.bootMs;
    this.#notifier.alive();
  }

  #tell(line: string): void {
    if (line === this.#line) return;
    this.#line = line;
    this.#notifier.status(line);
  }
}
