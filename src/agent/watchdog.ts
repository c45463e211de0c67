/**
 * Notifies the service manager's watchdog while the loop runs. It does not depend on AWS: an outage must not make systemd
 * kill the agent. The loop turns at least every ten seconds, well within any sensible WatchdogSec.
 */
import type { Now } from '../core/lib/time.ts';
import type { ServiceNotifier } from '../ports.ts';

/** systemd recommends a notification at half of the interval (sd_watchdog_enabled(3)); a third leaves a reserve. */
const PARTS = 3;
/**
 * The status line and the look at the health that comes with it cost half a microsecond for each live run. They are made each
 * second, and less often from ten thousand runs on: half a per cent of a core.
 */
const LINE_EVERY_MS = 1_000;
const LINE_EVERY_MS_PER_RUN = 0.1;

export class Watchdog {
  readonly #notifier: ServiceNotifier;
  #notifiedAtMs = -Infinity;
  #lineMadeAtMs = -Infinity;
  #line = '';

  constructor(notifier: ServiceNotifier) {
    this.#notifier = notifier;
  }

  /**
   * Call after each turn. `line` makes the text of `systemctl status`; it is called once a second at most, and less often
   * if there are many live runs. Returns when to call again, on the boot clock, if the line was not made: what this turn
   * changed must not wait for the next event.
   */
  turned(now: Now, liveRuns: number, line: () => string): number | undefined {
    const everyMs = Math.max(LINE_EVERY_MS, liveRuns * LINE_EVERY_MS_PER_RUN);
    const lineAtMs = this.#lineMadeAtMs + everyMs;
    const isLineDue = now.bootMs >= lineAtMs;
    if (isLineDue) {
      this.#lineMadeAtMs = now.bootMs;
      this.#showStatus(line());
    }
    this.#notify(now);
    // A turn that comes anyway makes it for nothing: at a report a second there is always one.
    return isLineDue ? undefined : lineAtMs + everyMs;
  }

  #notify(now: Now): void {
    const everyMs = (this.#notifier.watchdogMs ?? Infinity) / PARTS;
    if (now.bootMs - this.#notifiedAtMs < everyMs) return;
    this.#notifiedAtMs = now.bootMs;
    this.#notifier.alive();
  }

  #showStatus(line: string): void {
    if (line === this.#line) return;
    this.#line = line;
    this.#notifier.status(line);
  }
}
