/**
 * The runs of each job: their numbers, which run holds the job, which run is next, and which old runs may be forgotten.
 * An index of the persistent state by job; the states of runs are changed elsewhere.
 */
import { isFinal, isSettled, isStarted } from '../model/job.ts';
import type { JobDefinition, Run } from '../model/job.ts';
import type { PersistentState } from './persistent-state.ts';

/** Ended runs of one job that are kept for `status` and `events`. Older ones are removed once nothing is pending. */
const RUNS_KEPT_MAX = 20;

export class RunIndex {
  readonly #state: PersistentState;
  readonly #byJob = new Map<string, Run[]>();

  constructor(state: PersistentState) {
    this.#state = state;
    const runs = [...state.runs.values(), ...state.copiedHostRuns.values()];
    for (const run of runs.sort((a, b) => a.number - b.number)) this.add(run);
  }

  /** Every job that ever ran here, with its runs, oldest first. */
  all(): ReadonlyMap<string, readonly Run[]> {
    return this.#byJob;
  }

  of(job: string): readonly Run[] {
    return this.#byJob.get(job) ?? [];
  }

  add(run: Run): void {
    const runs = this.#byJob.get(run.job);
    if (runs === undefined) this.#byJob.set(run.job, [run]);
    else runs.push(run);
  }

  /** A run that has not ended. */
  live(id: string): Run | undefined {
    return this.#state.liveRuns.get(id);
  }

  liveOf(job: string): Run[] {
    return this.of(job).filter((run) => !isFinal(run.state));
  }

  nextNumber(job: string): number {
    return (this.of(job).at(-1)?.number ?? 0) + 1;
  }

  /** The run that may start next: the oldest queued one, unless another run of the job is started. */
  nextInLine(job: string): Run | undefined {
    const runs = this.of(job);
    if (runs.some(isStarted)) return undefined;
    return runs.find(
      (run) =>
        run.state === 'queued' &&
        run.copiedHost !== true &&
        (run.pipeline === undefined || isConfirmed(run.pipeline)),
    );
  }

  /** The definition of a job that was run ad hoc and is not in the configuration. */
  adHocDefinition(job: string): JobDefinition | undefined {
    return this.of(job).findLast((run) => run.origin === 'ad-hoc')?.definition;
  }

  isForgettable(run: Run): boolean {
    return isSettled(run) && run.copiedHost !== true && this.#state.runs.has(run.id);
  }

  remove(run: Run): void {
    const runs = this.#byJob.get(run.job)?.filter((one) => one !== run) ?? [];
    if (runs.length === 0) this.#byJob.delete(run.job);
    else this.#byJob.set(run.job, runs);
  }

  /** Removes and returns the oldest runs beyond those that are kept, if nothing of them is pending. */
  takeOld(job: string): Run[] {
    const runs = this.#byJob.get(job) ?? [];
    const old: Run[] = [];
    while (runs.length >= RUNS_KEPT_MAX) {
      const index = runs.findIndex((run) => this.isForgettable(run));
      const [run] = index === -1 ? [] : runs.splice(index, 1);
      if (run === undefined) break;
      old.push(run);
    }
    return old;
  }
}

/** AWS has accepted a report of the task, and since the last reboot too. */
function isConfirmed({ acknowledgedAt, unconfirmedSince }: NonNullable<Run['pipeline']>): boolean {
  return acknowledgedAt !== undefined && unconfirmedSince === undefined;
}
