/** P11: whoever looks at a job sees that processes of it live on after its program has ended. */
import type { Run } from '../../../src/core/model/job.ts';
import type { AgentWorld } from '../agent-world.ts';
import { MINUTE_MS } from './durations.ts';
import type { FleetRecord } from './fleet-record.ts';

export class ProcessesLeft {
  readonly #record: FleetRecord;
  /** Runs whose program ended and left processes behind, until the timeline shows it. */
  readonly #left = new Set<string>();

  constructor(record: FleetRecord) {
    this.#record = record;
  }

  left(world: AgentWorld, run: Run): void {
    const record = this.#record;
    const key = record.key(world, run.id);
    this.#left.add(key);
    const check = (): void => {
      const isSettled = !this.#left.has(key) || record.canceled.has(key);
      if (isSettled || !record.live.has(key)) return;
      if (record.isHelpless(world)) record.time.in(MINUTE_MS, check);
      else record.find(`${key} left processes behind, and its timeline does not show it`);
    };
    record.time.in(MINUTE_MS, check);
  }

  logged(world: AgentWorld, event: string, fields: Readonly<Record<string, unknown>>): void {
    if (event === 'job.left_processes') {
      this.#left.delete(this.#record.key(world, String(fields['run'])));
    }
  }
}
