/** P1: no task is stale without a reason, no stamp is far off, percent and status of a run never go back, and no kept promise is called broken. */
import type { Call, NotifyCall, Outcome } from '../../../src/core/model/call.ts';
import type { AgentWorld } from '../agent-world.ts';
import { DAY_MS, SECOND_MS } from './durations.ts';
import type { FleetRecord } from './fleet-record.ts';

const ENDS: readonly string[] = ['COMPLETED', 'FAILED'];

export class HubReports {
  readonly #record: FleetRecord;
  readonly #percents = new Map<string, number>();
  /** By region and Hub task, the status that the Hub shows. */
  readonly #shown = new Map<string, string>();
  /** Hub tasks with an end in the Hub that no run on disk belongs to any more. */
  readonly #forgottenTasks = new Set<string>();
  /** By host and Hub task: until when the last two reports promised the next, whose answers an agent has seen. */
  readonly #promises = new Map<string, { readonly beforeMs: number; readonly untilMs: number }>();

  constructor(record: FleetRecord) {
    this.#record = record;
  }

  stale(task: string, lateMs: number): void {
    const { nowMs } = this.#record;
    if (this.#record.isExcused(nowMs - lateMs, nowMs)) return;
    this.#record.find(`${task} was stale for ${(lateMs / SECOND_MS).toFixed(1)} s`);
  }

  answered(world: AgentWorld, call: Call, outcome: Outcome): void {
    if (call.operation !== 'NotifyMigrationTaskState' || outcome.kind !== 'accepted') return;
    const key = this.#record.key(world, call.task);
    const beforeMs = this.#promises.get(key)?.untilMs ?? 0;
    const untilMs = (call.stampS + call.nextUpdateS) * SECOND_MS;
    this.#promises.set(key, { beforeMs, untilMs });
  }

  logged(world: AgentWorld, event: string, fields: Readonly<Record<string, unknown>>): void {
    if (event !== 'promise.broken') return;
    const task = String(fields['task']);
    const { beforeMs } = this.#promises.get(this.#record.key(world, task)) ?? { beforeMs: 0 };
    if (beforeMs > this.#record.time.trueMs() + SECOND_MS) {
      this.#record.find(`${task}: a promise that was kept is reported as broken`);
    }
  }

  /** No run on disk belongs to this Hub task's end any more. */
  forgotten(task: string): void {
    this.#forgottenTasks.add(task);
  }

  /** The Hub has accepted a report. */
  reported({ percent, region, stampS, status, task }: NotifyCall): void {
    // Another region's Hub shows nothing of what was reported before.
    const record = `${region} ${task}`;
    const shown = this.#shown.get(record) ?? '';
    // A task whose end is forgotten is a new one to the host.
    const isOpened = status === 'IN_PROGRESS' || this.#forgottenTasks.delete(task);
    if (ENDS.includes(shown) && !isOpened) {
      this.#record.find(`${task}: ${status} after ${shown}`);
    }
    this.#shown.set(record, status);
    const before = this.#percents.get(record) ?? 0;
    if ((percent ?? 0) < before) this.#record.find(`${task} fell from ${before} to ${percent} %`);
    if (ENDS.includes(status)) this.#percents.delete(record);
    else if (percent !== undefined) this.#percents.set(record, percent);
    const aheadMs = stampS * SECOND_MS - this.#record.time.trueMs();
    if (aheadMs > DAY_MS || aheadMs < -2 * DAY_MS) {
      this.#record.find(`${task} was stamped ${Math.round(aheadMs / SECOND_MS)} s off`);
    }
  }
}
