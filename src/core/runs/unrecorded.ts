/**
 * Takes in runs that the store did not have, as they were when they were started: the agent adopts those that live, and reports
 * the ends of the others. Call before a planner is made.
 */
import { legalName } from '../hub/task-name.ts';
import { SECOND_MS, isBelievable } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { Run, UnrecordedRun } from '../model/job.ts';
import { CONFIRM_MS, fenceAtMs } from '../scheduling/deadlines.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import { rebaseRun } from '../state/rebase.ts';
import { newHubTask } from './deliveries.ts';

/** Since the run was made: the end of the one before it, and that this one is in progress. */
const STAMPS_AHEAD_MAX = 2;

/** Runs of a job come in their order. */
export function recoverUnrecorded(
  state: PersistentState,
  found: readonly UnrecordedRun[],
  now: Now,
): void {
  const ids = new Set<string>();
  for (const one of found) {
    const run = one.isOfThisBoot ? one.run : rebaseRun(one.run, now);
    openHubTask(state, run, ids, now);
    leaveTimeToConfirm(run, now);
    state.saveRun(run);
    state.addEvent({ event: 'run.recovered', at: now, job: run.job, run: run.id, fields: {} });
    ids.add(run.id);
  }
}

/**
 * An old copy of the store may have given the task to another run, which keeps it. Of two runs of one job only the later one can
 * live: it has the task, and the end of the earlier one is reported before.
 */
function openHubTask(state: PersistentState, run: Run, found: ReadonlySet<string>, now: Now): void {
  if (run.hub === undefined) return;
  const isFree = (name: string): boolean => {
    const holder = state.runs.get(state.hubTasks.get(name)?.run ?? '');
    return holder === undefined || (holder.job === run.job && found.has(holder.id));
  };
  const names = [run.hub.task, legalName(`${run.hub.task}-${run.number}`)];
  const name = names.find(isFree);
  if (name === undefined) {
    delete run.hub;
    return;
  }
  run.hub = { ...run.hub, task: name };
  const task = state.hubTasks.get(name) ?? newHubTask(name);
  task.run = run.id;
  task.lastStampS = Math.max(task.lastStampS, stampsSentS(run, now));
  state.saveHubTask(task);
}

/**
 * The stamps that were sent are lost. A renewal waits for its second, so it was never ahead of the clock; ends and starts that
 * follow each other within a second are, by a second each.
 */
function stampsSentS({ hub }: Run, { wallMs }: Now): number {
  const nowS = isBelievable(wallMs) ? Math.floor(wallMs / SECOND_MS) : 0;
  return Math.max(nowS, hub?.stampS ?? 0) + STAMPS_AHEAD_MAX;
}

/** When its pipeline task was reported last is not known. A job that has to end then has its grace. */
function leaveTimeToConfirm(run: Run, now: Now): void {
  const { pipeline } = run;
  const atMs = fenceAtMs(run);
  if (pipeline === undefined || atMs === undefined) return;
  pipeline.unconfirmedSince = now;
  const lateMs = now.bootMs + CONFIRM_MS - atMs;
  if (lateMs <= 0 || pipeline.acceptedAt === undefined) return;
  const { bootMs, wallMs } = pipeline.acceptedAt;
  // A report is due from then on, so never later than now.
  const moveMs = Math.min(lateMs, now.bootMs - bootMs);
  pipeline.acceptedAt = { bootMs: bootMs + moveMs, wallMs: wallMs + moveMs };
}
