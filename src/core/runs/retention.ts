/**
 * Forgets runs that ended long ago, so that the state depends on what is live and not on the past: their rows, timelines,
 * Hub tasks and files go. Runs of jobs that the configuration has stay (RunIndex keeps the last ones of each job), and so
 * does a run of which something is pending.
 *
 * The age of a run counts from when a believed clock first saw it ended: by `endedAt` a run would be decades old if the host's
 * clock was wrong when it ended, or at the next boot.
 */
import { HOUR_MS, SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { Run } from '../model/job.ts';
import { hasDestination } from '../model/settings.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { ServiceClock } from '../scheduling/service-clock.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { RunIndex } from '../state/run-index.ts';

/** One pass looks at every run, which takes some 5 ms with 100,000 of them. */
const PASS_EVERY_MS = 30 * SECOND_MS;
/** Runs of one turn: their rows go with its commit, which must not hold up the loop. */
const RUNS_A_TURN_MAX = 100;

export interface RetentionParts {
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
  readonly clock: ServiceClock;
  readonly index: RunIndex;
  /** Drops the run and all that belongs to it. */
  readonly forget: (run: Run) => void;
}

export class RunRetention {
  readonly #parts: RetentionParts;
  #passAtMs = -Infinity;
  /** Runs that have expired, or whose age begins to count. */
  #due: Run[] = [];

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  /** When runs are left over for another turn, on the boot clock. */
  get nextMs(): number {
    return this.#due.length > 0 ? 0 : Infinity;
  }

  timePassed(now: Now): void {
    if (this.#due.length === 0) {
      if (now.bootMs < this.#passAtMs) return;
      this.#passAtMs = now.bootMs + PASS_EVERY_MS;
      this.#due = this.#findDue(now);
    }
    for (const run of this.#due.splice(0, RUNS_A_TURN_MAX)) this.#take(run, now);
  }

  #take(run: Run, now: Now): void {
    const { clock, forget, index, state } = this.#parts;
    if (!this.#isClockSure(now)) return;
    // It may have changed since the pass: a report that was refused can be pending again.
    if (this.#isExpired(run, now) && index.isForgettable(run)) forget(run);
    else if (this.#isUncounted(run, now)) {
      run.agesFromMs = clock.nowMs(now);
      state.saveRun(run);
    }
  }

  #findDue(now: Now): Run[] {
    if (!this.#isClockSure(now)) return [];
    const { index, settings } = this.#parts;
    const due: Run[] = [];
    for (const [job, runs] of index.all()) {
      if (settings.current.jobs.has(job)) continue;
      for (const run of runs) {
        const isExpired = this.#isExpired(run, now) && index.isForgettable(run);
        if (isExpired || this.#isUncounted(run, now)) due.push(run);
      }
    }
    return due;
  }

  /** A clock that no answer of a service has confirmed to this agent may be decades off. */
  #isClockSure(now: Now): boolean {
    const { clock } = this.#parts;
    return (
      clock.isBelieved(now) && (clock.isConfirmed || !hasDestination(this.#parts.settings.current))
    );
  }

  /** A count that began in the future began by a wrong clock. */
  #isUncounted({ agesFromMs, copiedHost, endedAt }: Run, now: Now): boolean {
    if (endedAt === undefined || copiedHost === true) return false;
    return agesFromMs === undefined || agesFromMs > this.#parts.clock.nowMs(now) + HOUR_MS;
  }

  #isExpired({ agesFromMs, endedAt }: Run, now: Now): boolean {
    if (agesFromMs === undefined || endedAt === undefined) return false;
    const { keepRunsMs } = this.#parts.settings.current;
    const ageMs = this.#parts.clock.nowMs(now) - agesFromMs;
    // Without a service nothing confirms the host's clock: the run is old by the boot clock too.
    const sinceEndMs = hasDestination(this.#parts.settings.current)
      ? Infinity
      : now.bootMs - endedAt.bootMs;
    return Math.min(ageMs, sinceEndMs) >= keepRunsMs;
  }
}
