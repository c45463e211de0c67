/**
 * P5: each run ends once, as it really ended, in the order of the ends, in the Hub and in Data Pipeline; a run that was
 * promised to an operator begins; no run ends before its processes do.
 */
import type { NotifyCall } from '../../../src/core/model/call.ts';
import type { Run } from '../../../src/core/model/job.ts';
import type { AgentWorld } from '../agent-world.ts';
import type { FleetRecord } from './fleet-record.ts';

const ENDED: readonly string[] = ['succeeded', 'failed', 'lost', 'canceled', 'fenced'];

type End = 'COMPLETED' | 'FAILED';

/** A final report that the Hub must have. */
interface Ended {
  readonly end: End;
  readonly run: string;
  /** The run was canceled, and is not kept any more. */
  wasCanceled?: boolean;
}

export class FinalReports {
  readonly #record: FleetRecord;
  /** By Hub task, how runs really ended, in order. */
  readonly #ends = new Map<string, Ended[]>();
  readonly #counted = new Set<string>();
  readonly #hubTaskOf = new Map<string, string>();
  /** How tracked work ended, by host and job. */
  readonly #endOf = new Map<string, End>();
  readonly #attempts = new Map<string, number | undefined>();
  readonly #promised = new Map<string, AgentWorld>();
  readonly #tracking = new Map<string, string>();

  constructor(record: FleetRecord) {
    this.#record = record;
  }

  offered(attemptId: string): void {
    this.#attempts.set(attemptId, undefined);
  }

  /** An operator was answered that the run will be. */
  startPromised(world: AgentWorld, run: string): void {
    this.#promised.set(this.#record.key(world, run), world);
  }

  /** The agent has a run of tracked work by this name that has not ended. */
  isTracking(world: AgentWorld, job: string): boolean {
    return this.#tracking.has(this.#record.key(world, job));
  }

  started(world: AgentWorld, run: Run): void {
    if (run.hub !== undefined) {
      this.#hubTaskOf.set(this.#record.key(world, run.id), run.hub.task);
    }
  }

  ended(world: AgentWorld, run: Run, code: number): void {
    const live = this.#record.live.get(this.#record.key(world, run.id));
    this.#count(world, run.id, code === 0 ? 'COMPLETED' : 'FAILED');
    const attempt = run.pipeline?.task.attemptId;
    if (attempt !== undefined && live?.taskId !== undefined) this.#attempts.set(attempt, code);
  }

  trackedEnded(world: AgentWorld, job: string, end: string): void {
    const key = this.#record.key(world, job);
    this.#endOf.set(key, end === 'completed' ? 'COMPLETED' : 'FAILED');
  }

  /** A run as it is on disk now. */
  stored(world: AgentWorld, row: Run): void {
    const { kept, live: lives, nowMs } = this.#record;
    const key = this.#record.key(world, row.id);
    if (row.hub !== undefined) this.#hubTaskOf.set(key, row.hub.task);
    const isOver = ENDED.includes(row.state);
    if (row.definition.tracked !== undefined) this.#isTracked(world, row, isOver);
    if (!isOver) return;
    kept.set(key, {
      ...{ id: row.id, job: row.job, endedMs: kept.get(key)?.endedMs ?? nowMs },
      ...{ hubTask: row.hub?.task, taskId: row.pipeline?.task.taskId },
      isPending: row.hub?.delivery.state === 'pending',
    });
    const live = lives.get(key);
    if (live !== undefined && !live.isOver && (row.survivors ?? []).length === 0) {
      this.#record.find(`${key} is ${row.state} while its processes live`);
    }
    if (row.definition.tracked !== undefined) this.#trackedStored(world, row);
    else if (!world.host.hasStarted(row.id)) this.#count(world, row.id, 'FAILED');
  }

  /** The run is forgotten: its number may be given again. */
  dropped(key: string): void {
    this.#checkPromised(key);
    for (const ended of [...this.#ends.values()].flat()) {
      if (ended.run === key) ended.wasCanceled ??= this.#record.canceled.has(key);
    }
    for (const one of [this.#promised, this.#counted, this.#hubTaskOf]) one.delete(key);
  }

  /** Its row is damaged: nobody knows of it any more. */
  damaged(key: string): void {
    this.#checkPromised(key);
    this.#promised.delete(key);
  }

  /** The Hub has accepted a report. */
  reported({ status, task }: NotifyCall): void {
    if (status !== 'COMPLETED' && status !== 'FAILED') return;
    const finals = this.#record.service.books.finals.get(task)?.length ?? 0;
    const ends = this.#ends.get(task)?.length ?? 0;
    if (finals >= ends) this.#record.find(`${task}: ${status} before its end`);
  }

  close(): void {
    for (const key of this.#promised.keys()) this.#checkPromised(key);
    const { service } = this.#record;
    for (const task of new Set([...this.#ends.keys(), ...service.books.finals.keys()])) {
      const finals = service.books.finals.get(task) ?? [];
      const ends = this.#ends.get(task) ?? [];
      const isRight =
        finals.length === ends.length && ends.every((ended, i) => this.#mayBe(ended, finals[i]));
      if (isRight) continue;
      const really = ends.map(({ end, run }) => `${run} ${end}`).join();
      this.#record.find(`${task}: runs ended ${really}; the Hub has ${finals.join()}`);
    }
    for (const [attemptId, code] of this.#attempts) {
      const state = service.taskState(attemptId);
      const isSettled = state === 'canceled' || state === 'FAILED' || state === 'ended';
      if (!isSettled && !(state === 'FINISHED' && code === 0)) {
        this.#record.find(`${attemptId} ended with ${code}; Data Pipeline has it ${state}`);
      }
    }
  }

  #checkPromised(key: string): void {
    const world = this.#promised.get(key);
    if (world === undefined || this.#record.canceled.has(key)) return;
    if (!world.host.hasStarted(key.split(' ')[1] ?? '')) this.#record.find(`${key} never began`);
    else if (!this.#counted.has(key) && this.#hubTaskOf.has(key)) {
      this.#record.find(`${key} never ended`);
    }
  }

  #isTracked(world: AgentWorld, row: Run, isOver: boolean): void {
    const key = this.#record.key(world, row.job);
    if (!isOver) this.#tracking.set(key, row.id);
    else if (this.#tracking.get(key) === row.id) this.#tracking.delete(key);
  }

  #trackedStored(world: AgentWorld, row: Run): void {
    const key = this.#record.key(world, row.id);
    if (this.#counted.has(key)) return;
    const isWatched = row.definition.tracked?.by !== 'report';
    if (isWatched && row.ending === undefined && world.tracked.isRunning(row.job)) {
      this.#record.find(`${key} is ${row.state} while the work goes on`);
    }
    const end = this.#endOf.get(this.#record.key(world, row.job)) ?? 'FAILED';
    this.#count(world, row.id, row.ending === undefined && isWatched ? end : endOf(row));
  }

  /** Once for each run, in the order in which they ended. */
  #count(world: AgentWorld, run: string, end: End): void {
    const key = this.#record.key(world, run);
    const task = this.#hubTaskOf.get(key);
    if (this.#counted.has(key) || task === undefined) return;
    this.#counted.add(key);
    const ends = this.#ends.get(task) ?? [];
    ends.push({ end, run: key });
    this.#ends.set(task, ends);
  }

  #mayBe({ end, run, wasCanceled }: Ended, final: string | undefined): boolean {
    const isCanceled = wasCanceled ?? this.#record.canceled.has(run);
    return end === final || (final === 'FAILED' && isCanceled);
  }
}

function endOf({ state }: Run): End {
  return state === 'succeeded' ? 'COMPLETED' : 'FAILED';
}
