/**
 * Forgets runs that ended long ago, so that the state depends on what is live and not on the past: their rows, timelines,
 * Hub tasks and files go. Runs of jobs that the configuration has stay (RunIndex keeps the last ones of each job), and so
 * does a run of which something is pending.
 */
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { Run } from '../model/job.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { ServiceClock } from '../scheduling/service-clock.ts';
import type { RunIndex } from '../state/run-index.ts';

/** One pass looks at every run, which takes some 5 ms with 100,000 of them. */
const PASS_EVERY_MS = 30 * SECOND_MS;
/** Runs of one turn: their rows go with its commit, which must not hold up the loop. */
const RUNS_A_TURN_MAX = 100;

export interface RetentionParts {
  readonly settings: SettingsHolder;
  readonly clock: ServiceClock;
  readonly index: RunIndex;
  /** Drops the run and all that belongs to it. */
  readonly forget: (run: Run) => void;
}

export class RunRetention {
  readonly #parts: RetentionParts;
  #passAtMs = -Infinity;
  #expired: Run[] = [];

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  /** When expired runs are left over for another turn, on the boot clock. */
  get nextMs(): number {
    return this.#expired.length > 0 ? 0 : Infinity;
  }

  timePassed(now: Now): void {
    if (this.#expired.length === 0) {
      if (now.bootMs < this.#passAtMs) return;
      this.#passAtMs = now.bootMs + PASS_EVERY_MS;
      this.#expired = this.#findExpired(now);
    }
    for (const run of this.#expired.splice(0, RUNS_A_TURN_MAX)) {
      // It may have changed since the pass: a report that was refused can be pending again.
      if (this.#parts.index.isForgettable(run)) this.#parts.forget(run);
    }
  }

  #findExpired(now: Now): Run[] {
    const { clock, index, settings } = this.#parts;
    const { jobs, keepRunsMs } = settings.current;
    // A clock that no answer of a service has confirmed to this agent may be decades off.
    const hasDestination =
      settings.current.migrationHub !== undefined || settings.current.dataPipeline !== undefined;
    if (!clock.isBelieved(now) || (hasDestination && !clock.isConfirmed)) return [];
    const isExpired = ({ endedAt }: Run): boolean => {
      if (endedAt === undefined) return false;
      // By both clocks: each may have been wrong when the run ended, or when the host was restarted. A wall time that lies
      // ahead is of this boot, and the boot clock alone is right.
      const byBootMs = now.bootMs - endedAt.bootMs;
      const byWallMs = clock.nowMs(now) - endedAt.wallMs;
      return (byWallMs < 0 ? byBootMs : Math.min(byBootMs, byWallMs)) >= keepRunsMs;
    };
    const expired: Run[] = [];
    for (const [job, runs] of index.all()) {
      if (jobs.has(job)) continue;
      for (const run of runs) if (isExpired(run) && index.isForgettable(run)) expired.push(run);
    }
    return expired;
  }
}
