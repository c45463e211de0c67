/**
 * How a run ended. The exit record of its shim is the only evidence: success is never inferred. A run without one is lost, but
 * only if nothing of its tree is alive; until then it is orphaned.
 */
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { defined } from '../../core/lib/defined.ts';
import type { Event } from '../../core/model/event.ts';
import type { Run } from '../../core/model/job.ts';
import { readErrorTail } from '../files/error-tail.ts';
import { readExit } from '../files/run-directory.ts';
import { explainStartFailure } from './start-failures.ts';

export interface RunFiles {
  readonly run: Run;
  readonly directory: string;
  readonly logs: { readonly stdout: string; readonly stderr: string };
  /** The processes of the run that are alive, without its shim. Throws `CannotSee`. */
  readonly members: () => Promise<readonly number[]>;
  readonly mask: (text: string) => string;
  readonly closing: AbortSignal;
}

/** Processes that end with the program (the other side of a pipe) are given a moment before they are reported as left. */
const LEAVING_MS = 100;

/** The end of a log is read by the thread pool, which a dead file system can fill: an end is reported without it then. */
const ERROR_TAIL_MS_MAX = 10_000;

/** What the exit record shows, as an event. Absent: there is none. Throws if the disk does not answer, and `CannotSee`. */
export async function readEnd(files: RunFiles): Promise<Event | undefined> {
  const { run, directory } = files;
  const exitCode = readExit(directory, run.spawn);
  if (exitCode === undefined) return undefined;
  const left = await processesLeft(files);
  return defined({
    type: 'run-exited',
    run: run.id,
    exitCode,
    signal: signalOf(exitCode),
    errorTail: explainStartFailure(run, exitCode, await errorTail(files)),
    processesLeft: left.length === 0 ? undefined : left,
  });
}

/** The event of a run whose shim is gone and left no exit record, for this reason. Throws `CannotSee`. */
export async function endWithoutRecord(files: RunFiles, reason: string): Promise<Event> {
  const pids = await processesLeft(files);
  return pids.length === 0
    ? { type: 'run-lost', run: files.run.id, reason }
    : { type: 'run-orphaned', run: files.run.id, pids, reason };
}

export async function errorTail({ logs, mask, closing }: RunFiles): Promise<string | undefined> {
  const inTime = new AbortController();
  const tail = readErrorTail(logs.stderr, mask);
  const limit = pause(ERROR_TAIL_MS_MAX, AbortSignal.any([closing, inTime.signal]));
  const read = await Promise.race([tail, limit.then(() => undefined)]);
  inTime.abort();
  return read;
}

/** Waits; a closing host ends the wait. */
export async function pause(ms: number, closing: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: closing }).catch(() => {
    // Aborted: the caller looks at `closing` next.
  });
}

async function processesLeft({ members, closing }: RunFiles): Promise<readonly number[]> {
  if ((await members()).length === 0) return [];
  await pause(LEAVING_MS, closing);
  return members();
}

/** A shell shows by 128 plus the number of a signal that the signal ended the command. */
function signalOf(exitCode: number): string | undefined {
  const entries = Object.entries(constants.signals);
  return entries.find(([, number]) => number === exitCode - 128)?.[0];
}
