/** P12: runs of names that nobody uses are forgotten, and none too early. */
import type { AgentWorld } from '../agent-world.ts';
import { HOUR_MS, MINUTE_MS } from './durations.ts';
import type { FleetRecord } from './fleet-record.ts';

/** A run may have ended that long before its end is on disk: while the disk is full. */
const LATE_ON_DISK_MS = 20 * MINUTE_MS;

export class RunsKept {
  readonly #record: FleetRecord;
  readonly #keepRunsMs: number;

  constructor(record: FleetRecord, keepRunsMs: number) {
    this.#record = record;
    this.#keepRunsMs = keepRunsMs;
  }

  dropped(world: AgentWorld, key: string): void {
    const kept = this.#record.kept.get(key);
    if (kept === undefined || world.settings.jobs.has(kept.job)) return;
    if (this.#record.nowMs - kept.endedMs < this.#keepRunsMs - LATE_ON_DISK_MS) {
      this.#record.find(`${key} is forgotten too early`);
    }
  }

  /** An ended run of which nothing is pending. */
  settledRun(world: AgentWorld): string | undefined {
    for (const [key, { id, isPending, job }] of this.#record.kept) {
      const isOwn = key === this.#record.key(world, id) && job.startsWith('once-');
      if (isOwn && !isPending && !this.#record.live.has(key)) return id;
    }
    return undefined;
  }

  close(): void {
    for (const [key, { endedMs, isPending, job }] of this.#record.kept) {
      const keptMs = this.#record.nowMs - endedMs;
      const isOnce = job.startsWith('once-') && !isPending;
      if (isOnce && keptMs > this.#keepRunsMs + HOUR_MS) {
        this.#record.find(`${key} is kept for ever`);
      }
    }
  }
}
