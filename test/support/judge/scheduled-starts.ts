/** A schedule starts each job once an hour at most, and by no clock that is decades off. */
import type { Run } from '../../../src/core/model/job.ts';
import type { AgentWorld } from '../agent-world.ts';
import { HOUR_MS } from './durations.ts';
import type { FleetRecord } from './fleet-record.ts';

/** No clock of a host that runs this program can show less or more. */
const CLOCK_MS_MIN = Date.UTC(2000, 0, 1);
const CLOCK_MS_MAX = Date.UTC(2100, 0, 1);

export class ScheduledStarts {
  readonly #record: FleetRecord;
  readonly #runs = new Map<string, string>();

  constructor(record: FleetRecord) {
    this.#record = record;
  }

  started(world: AgentWorld, run: Run): void {
    if (run.origin !== 'schedule') return;
    const hour = Math.floor(this.#record.time.trueMs() / HOUR_MS);
    const slot = `${this.#record.key(world, run.job)} ${hour}`;
    const before = this.#runs.get(slot);
    if (before !== undefined) {
      this.#record.find(`${run.id} is a second start in one hour, after ${before}`);
    }
    this.#runs.set(slot, run.id);
    const { wallMs } = run.requestedAt;
    if (wallMs < CLOCK_MS_MIN || wallMs > CLOCK_MS_MAX) {
      const shown = new Date(wallMs).toISOString();
      this.#record.find(`${run.id} was started by a clock that shows ${shown}`);
    }
  }
}
