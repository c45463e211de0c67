/** P4: after a cancel nothing starts, the tree is dead when the grace is over, and no SetTaskStatus follows. */
import type { Call, Outcome } from '../../../src/core/model/call.ts';
import type { Run } from '../../../src/core/model/job.ts';
import type { AgentWorld } from '../agent-world.ts';
import { MINUTE_MS, SECOND_MS, WINDOW_MS } from './durations.ts';
import type { FleetRecord } from './fleet-record.ts';

/** Signals, looks and the kernel take so long beyond a grace. */
const STOP_MARGIN_MS = 30 * SECOND_MS;

export class Cancels {
  readonly #record: FleetRecord;
  /** By host, the tasks of which its agent learned that nothing may follow, not on disk yet. */
  readonly #learnt = new Map<AgentWorld, string[]>();
  /** Pipeline tasks of which the agent knows that nothing may follow, on disk. */
  readonly #closed = new Set<string>();

  constructor(record: FleetRecord) {
    this.#record = record;
  }

  /** An operator was answered that the run is being canceled, with this grace. */
  promised(world: AgentWorld, id: string, graceMs: number): void {
    this.#record.canceled.add(this.#record.key(world, id));
    this.#mustStop(world, id, graceMs);
  }

  started(world: AgentWorld, run: Run): void {
    const key = this.#record.key(world, run.id);
    if (this.#record.canceled.has(key)) this.#record.find(`${key} started after its cancel`);
  }

  answered(world: AgentWorld, call: Call, outcome: Outcome): void {
    if (call.operation !== 'ReportTaskProgress') return;
    const isCanceled = outcome.kind === 'accepted' && outcome.answer.canceled === true;
    if (!isCanceled && outcome.kind !== 'gone') return;
    this.#learnt.set(world, [...(this.#learnt.get(world) ?? []), call.taskId]);
    for (const { host, run, taskId } of this.#record.live.values()) {
      if (host !== world || taskId !== call.taskId) continue;
      this.#mustStop(world, run.id, Math.min(run.definition.stop.graceMs, WINDOW_MS));
    }
  }

  sent(call: Call): void {
    if (call.operation !== 'SetTaskStatus' || !this.#closed.has(call.taskId)) return;
    this.#record.find(`SetTaskStatus of ${call.taskId} after its cancel`);
  }

  committed(world: AgentWorld): void {
    for (const taskId of this.#learnt.get(world) ?? []) this.#closed.add(taskId);
    this.#learnt.delete(world);
  }

  died(world: AgentWorld): void {
    this.#learnt.delete(world);
  }

  /** A run as it is on disk now. */
  stored(world: AgentWorld, row: Run): void {
    if (row.ending !== undefined) this.#record.canceled.add(this.#record.key(world, row.id));
  }

  /** The tree is dead when the grace is over, if somebody was there to see to it. */
  #mustStop(world: AgentWorld, id: string, graceMs: number, since = this.#record.nowMs): void {
    const record = this.#record;
    const deaths = record.deaths(world);
    record.time.in(graceMs + STOP_MARGIN_MS, () => {
      const live = record.live.get(record.key(world, id));
      if (live === undefined || live.isOver) return;
      // What an agent learned that died on a full disk, nobody knows: the service or the operator must say it again.
      const isForgotten = record.deaths(world) > deaths || record.forgetfulUntilMs(world) > since;
      if (isForgotten) return;
      if (record.isHelpless(world)) this.#mustStop(world, id, MINUTE_MS, since);
      else record.find(`${record.key(world, id)} lives ${graceMs / SECOND_MS} s after its cancel`);
    });
  }
}
