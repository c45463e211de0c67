/** A task runner polls only after its first heartbeat is answered, and never after the service asked it to terminate. */
import type { Call, Outcome } from '../../../src/core/model/call.ts';
import type { AgentWorld } from '../agent-world.ts';
import type { FleetRecord } from './fleet-record.ts';

export class TaskRunners {
  readonly #record: FleetRecord;
  /** Agents that live now whose heartbeat was answered, or failed. */
  readonly #withHeartbeat = new Set<AgentWorld>();
  /** Agents that live now which the service asked to terminate. */
  readonly #terminated = new Set<AgentWorld>();

  constructor(record: FleetRecord) {
    this.#record = record;
  }

  born(world: AgentWorld): void {
    this.#withHeartbeat.delete(world);
    this.#terminated.delete(world);
  }

  answered(world: AgentWorld, call: Call, outcome: Outcome): void {
    if (call.operation !== 'ReportTaskRunnerHeartbeat') return;
    this.#withHeartbeat.add(world);
    if (outcome.kind === 'accepted' && outcome.answer.terminate === true) {
      this.#terminated.add(world);
    }
  }

  sent(world: AgentWorld, call: Call): void {
    if (call.operation !== 'PollForTask') return;
    const { name } = world;
    if (!this.#withHeartbeat.has(world)) {
      this.#record.find(`${name} polls before its first heartbeat is answered`);
    }
    if (this.#terminated.has(world)) {
      this.#record.find(`${name} polls after the service asked it to terminate`);
    }
  }
}
