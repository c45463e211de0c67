/**
 * Finds a run whose start an earlier agent had decided. Taking its start lock settles whether it ever began: if the lock is
 * free, the run never will. Otherwise the exit record shows its end, or its living shim that it goes on. Without either
 * its end is unknown, and it is lost once nothing of its tree is alive.
 */
import type { Event } from '../../core/model/event.ts';
import type { ProcessIdentity } from '../../core/model/job.ts';
import { readStarted, takeStartLock } from '../files/run-directory.ts';
import type { StartedRecord } from '../files/run-directory.ts';
import { runMark } from '../process/environment.ts';
import type { RunMark } from '../process/environment.ts';
import { hasEnvironment, lives, userOf } from '../process/process-table.ts';
import { endWithoutRecord, pause, readEnd } from './run-end.ts';
import type { RunFiles } from './run-end.ts';

export interface Adoption extends RunFiles {
  readonly socketPath: string;
  readonly bootId: string;
}

/** A shim that has its start lock and has recorded nothing by then has died before it could. */
const STARTED_MS_MAX = 5000;
const STARTED_POLL_MS = 50;

/** The record is renamed into its place before the shim ends: a short while after that it is there or never. */
const RECORD_MS = 200;

/** The living shim to watch, or the event that shows the rest. Throws if the disk does not answer, and `CannotSee`. */
export async function findRun(adoption: Adoption): Promise<{ process: ProcessIdentity } | Event> {
  const { run, directory, socketPath, bootId, closing } = adoption;
  if (takeStartLock(directory, run.spawn)) return { type: 'run-never-started', run: run.id };
  const started = await awaitStarted(adoption);
  const shim =
    run.process ?? identifyShim(started, runMark(run, started?.socketPath ?? socketPath), bootId);
  const wasAlive = shim !== undefined && lives(shim, bootId);
  const ended = await readEnd(adoption);
  if (ended !== undefined) return ended;
  if (shim !== undefined && wasAlive) return { process: shim };
  await pause(RECORD_MS, closing);
  return (
    (await readEnd(adoption)) ?? (await endWithoutRecord(adoption, reasonOf(adoption, started)))
  );
}

function reasonOf({ run, bootId }: Adoption, started: StartedRecord | undefined): string {
  const shim = run.process ?? started?.process;
  if (shim === undefined) return 'the shim took its start lock and never recorded that it started';
  return shim.bootId === bootId
    ? 'the run is gone and left no exit record'
    : 'the host was restarted while the run was under way';
}

/**
 * The shim that a record names. A job of the agent's own user may have written the record, so a living process must be of
 * the agent's user and carry the run's mark: nobody gets a stranger killed by naming it.
 */
export function identifyShim(
  started: StartedRecord | undefined,
  mark: RunMark,
  bootId: string,
): ProcessIdentity | undefined {
  if (started === undefined) return undefined;
  const { process: named } = started;
  if (!lives(named, bootId)) return named;
  const isShim = userOf(named.pid) === process.geteuid?.() && hasEnvironment(named.pid, mark);
  return isShim ? named : undefined;
}

async function awaitStarted(adoption: Adoption): Promise<StartedRecord | undefined> {
  const { run, directory, members, closing } = adoption;
  const until = performance.now() + (run.process === undefined ? STARTED_MS_MAX : 0);
  for (;;) {
    const started = readStarted(directory, run.spawn);
    if (started !== undefined || closing.aborted) return started;
    if (performance.now() >= until) {
      // On a loaded host a living shim may take its time: what it will start must not be called lost.
      if (run.process !== undefined || (await members()).length === 0) return undefined;
    }
    await pause(STARTED_POLL_MS, closing);
  }
}
