/** P8, P11: whoever looks sees that a run has ended, whatever the disk does. */
import type { Run } from '../../../src/core/model/job.ts';
import type { JobStatus } from '../../../src/core/model/status.ts';
import type { AgentWorld } from '../agent-world.ts';
import { MINUTE_MS } from './durations.ts';
import type { FleetRecord } from './fleet-record.ts';

/** An agent that can see the host has seen the end by then. */
const SEEN_MS_MAX = MINUTE_MS;

export class SeenEnds {
  readonly #record: FleetRecord;
  /** When runs ended by the rules of their jobs, until that is on disk. */
  readonly #endedAtMs = new Map<string, number>();

  constructor(record: FleetRecord) {
    this.#record = record;
  }

  ended(world: AgentWorld, run: Run): void {
    this.#endedAtMs.set(this.#record.key(world, run.id), this.#record.nowMs);
  }

  /** The run's end is on disk, or the run is forgotten. */
  known(key: string): void {
    this.#endedAtMs.delete(key);
  }

  looked(world: AgentWorld, jobs: readonly JobStatus[]): void {
    if (this.#record.isHelpless(world)) return;
    for (const { name, run, state } of jobs) {
      if (state !== 'running') continue;
      const key = this.#record.key(world, `${name}/${run}`);
      const sinceMs = this.#record.nowMs - (this.#endedAtMs.get(key) ?? Infinity);
      if (sinceMs > SEEN_MS_MAX) {
        this.#record.find(
          `${key} is shown as running ${Math.round(sinceMs / 1000)} s after its end`,
        );
      }
    }
  }
}
