/**
 * Finds out what became of a run whose start an earlier agent had decided. Taking its start lock settles whether it
 * ever began: the start lock is free, then it never will. Otherwise the exit record tells, or the living process; what
 * has neither is lost. Never is an end inferred.
 */
import type { Event } from '../../core/model/event.ts';
import type { ProcessIdentity, Run } from '../../core/model/job.ts';
import { runMark } from '../process/environment.ts';
import type { RunMark } from '../process/environment.ts';
import { hasEnvironment, isAlive, lives, readProcesses } from '../process/process-table.ts';
import { readStarted, takeStartLock } from '../files/run-directory.ts';
import type { StartedRecord } from '../files/run-directory.ts';
import { lost, pause, readEnd } from './run-watch.ts';

export interface Adoption {
  readonly run: Run;
  readonly directory: string;
  readonly stderrLog: string;
  readonly socketPath: string;
  readonly bootId: string;
  readonly mask: (text: string) => string;
  readonly closing: AbortSignal;
}

/** A shim that has its start lock and is not to be seen by then has died before it could say that it started. */
const STARTED_MS_MAX = 5000;
const STARTED_POLL_MS = 50;

/** The record is renamed into its place before the shim ends: a short while after that it is there or never. */
const RECORD_MS = 200;

/** The living shim to watch, or the event that tells the rest. Throws where the disk does not say. */
export async function findRun(adoption: Adoption): Promise<{ process: ProcessIdentity } | Event> {
  const { run, directory, stderrLog, socketPath, bootId, mask, closing } = adoption;
  if (takeStartLock(directory, run.spawn)) return { type: 'run-never-started', run: run.id };
  const end = (): Promise<Event | undefined> => readEnd(run, directory, stderrLog, mask);
  const started = await awaitStarted(adoption);
  const told = await end();
  if (told !== undefined) return told;
  const process =
    run.process ?? identifyShim(started, runMark(run, started?.socketPath ?? socketPath), bootId);
  if (process !== undefined && lives(process, bootId)) return { process };
  if ((run.process ?? started?.process ?? { bootId }).bootId !== bootId) {
    return lost(run, 'the host was restarted while the run was under way');
  }
  if (run.process === undefined && started === undefined) {
    return lost(run, 'the run was locked and never said that it started');
  }
  await pause(RECORD_MS, closing);
  return (await end()) ?? lost(run, 'the run is gone and left no exit record');
}

/**
 * The shim that a record names. The job's user may write there, so a living process must carry the run's mark:
 * nobody gets a stranger killed by naming it.
 */
export function identifyShim(
  started: StartedRecord | undefined,
  mark: RunMark,
  bootId: string,
): ProcessIdentity | undefined {
  if (started === undefined) return undefined;
  const isBelievable = !lives(started.process, bootId) || hasEnvironment(started.process.pid, mark);
  return isBelievable ? started.process : undefined;
}

async function awaitStarted(adoption: Adoption): Promise<StartedRecord | undefined> {
  const { run, directory, closing } = adoption;
  const until = performance.now() + (run.process === undefined ? STARTED_MS_MAX : 0);
  for (;;) {
    const started = readStarted(directory, run.spawn);
    if (started !== undefined || closing.aborted) return started;
    if (performance.now() >= until) {
      // On a loaded host a living shim may take its time: what it will start must not be called lost.
      if (run.process !== undefined || !(await isUnderWay(adoption))) return undefined;
    }
    await pause(STARTED_POLL_MS, closing);
  }
}

/** True while some process carries the run's mark. */
async function isUnderWay({ run, socketPath }: Adoption): Promise<boolean> {
  const mark = runMark(run, socketPath);
  let isFound = false;
  await readProcesses((entry) => {
    isFound ||= isAlive(entry) && hasEnvironment(entry.pid, mark);
  });
  return isFound;
}
