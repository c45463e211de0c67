/**
 * Watches one run from its start (or its adoption) to its end and tells what it sees: that it started, its
 * progress, and how it ended. The exit record is the only witness of an end; success is never inferred.
 */
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Event } from '../../core/model/event.ts';
import { DEFAULT_LOG } from '../../core/model/job.ts';
import type { ProcessIdentity, Run } from '../../core/model/job.ts';
import { readErrorTail } from '../files/error-tail.ts';
import { errorText } from '../lib/error-code.ts';
import type { Launch } from '../process/launch-spec.ts';
import { rotateLog } from '../files/log-rotation.ts';
import { lives } from '../process/process-table.ts';
import { ProgressReader } from '../progress/reader.ts';
import { readExit, readStarted } from '../files/run-directory.ts';
import { explainStartFailure } from './start-failures.ts';

/** How often progress is read, and how late the end of an adopted run may be seen. */
const POLL_MS = 500;

/** How often a new run is looked at until its shim has said that it started. */
const START_POLL_MS = 15;

/** The record is renamed into its place before the shim ends: a short while after that it is there or never. */
const RECORD_MS = 100;

/** Looks at a record that the disk refuses to show, before the run of an ended shim is given up. */
const READ_TRIES_MAX = 20;

export interface Watched {
  readonly run: Run;
  readonly directory: string;
  readonly logs: { readonly stdout: string; readonly stderr: string };
  readonly process: ProcessIdentity;
  /** Only for a shim that this agent started. */
  readonly ended?: Promise<number | string>;
  readonly bootId: string;
  readonly launch: () => Promise<Launch>;
  /** Processes of the run that are still alive. */
  readonly members: () => Promise<readonly number[]>;
  readonly mask: (text: string) => string;
  readonly post: (event: Event) => void;
  readonly closing: AbortSignal;
}

/** Resolves when the end has been told, or when the host is closing. */
export async function watchRun(watched: Watched): Promise<void> {
  const { run, closing, post } = watched;
  const shim = new ShimState(watched);
  if (!(await hasStarted(watched, shim))) return;
  post({ type: 'run-started', run: run.id, process: watched.process });
  const progress = new ProgressReader({ ...watched, definition: run.definition });
  for (let failures = 0; !closing.aborted;) {
    await shim.pause(POLL_MS);
    try {
      const end = await endOf(watched, shim);
      const hasSucceeded = end?.type === 'run-exited' && end.exitCode === 0;
      const change = await (end === undefined ? progress.poll() : progress.ended(hasSucceeded));
      if (change !== undefined) post({ type: 'progress-read', run: run.id, ...change });
      await rotateLogs(watched, progress);
      failures = 0;
      if (end === undefined) continue;
      post(end);
      return;
    } catch (error) {
      failures += 1;
      if (!shim.isAlive() && failures >= READ_TRIES_MAX) {
        post(lost(run, `its exit record cannot be read: ${errorText(error)}`));
        return;
      }
      await pause(POLL_MS, closing);
    }
  }
}

/** Keeps the output within its bounds. Where the disk refuses, the run goes on, and the next look tries again. */
async function rotateLogs({ run, logs }: Watched, progress: ProgressReader): Promise<void> {
  const policy = run.definition.log ?? DEFAULT_LOG;
  for (const stream of ['stdout', 'stderr'] as const) {
    try {
      const bytes = await rotateLog(logs[stream], policy, progress.readTo(stream));
      if (bytes > 0) progress.moved(stream, bytes);
    } catch {
      // Full, or out of descriptors: what is there stays there.
    }
  }
}

/** What the exit record says, as an event. Absent: there is none. Throws where the disk does not say. */
export async function readEnd(
  run: Run,
  directory: string,
  stderrLog: string,
  mask: (text: string) => string,
): Promise<Event | undefined> {
  const exitCode = readExit(directory, run.spawn);
  if (exitCode === undefined) return undefined;
  const signal = signalOf(exitCode);
  const errorTail = explainStartFailure(run, exitCode, await readErrorTail(stderrLog, mask));
  return {
    type: 'run-exited',
    run: run.id,
    exitCode,
    ...(signal === undefined ? {} : { signal }),
    ...(errorTail === undefined ? {} : { errorTail }),
  };
}

export function lost(run: Run, reason: string): Event {
  return { type: 'run-lost', run: run.id, reason };
}

/** Waits; a closing host ends the wait. */
export async function pause(ms: number, closing: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: closing }).catch(() => {
    // Aborted: whoever waits looks at `closing` next.
  });
}

class ShimState {
  readonly #watched: Watched;
  readonly #ended: Promise<void> | undefined;
  /** Exit code or signal of a shim of our own. */
  how: number | string | undefined;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.#ended = watched.ended?.then((how) => {
      this.how = how;
    });
  }

  isAlive(): boolean {
    const { process, bootId } = this.#watched;
    return this.#ended === undefined ? lives(process, bootId) : this.how === undefined;
  }

  /** Waits so long, or until a shim of our own ends. */
  async pause(ms: number): Promise<void> {
    const waiting = new AbortController();
    const signal = AbortSignal.any([waiting.signal, this.#watched.closing]);
    await Promise.race([pause(ms, signal), ...(this.#ended === undefined ? [] : [this.#ended])]);
    waiting.abort();
  }
}

/** False: nothing runs (told as the reason why), or the host is closing. */
async function hasStarted(watched: Watched, shim: ShimState): Promise<boolean> {
  const { run, directory, logs, closing, mask, post } = watched;
  if (watched.ended === undefined) return true;
  while (!closing.aborted) {
    // Looked at before the record: a shim that had ended then writes none any more.
    const wasAlive = shim.isAlive();
    try {
      if (readStarted(directory, run.spawn) !== undefined) return true;
    } catch {
      // No descriptors left, for example: the next look may see it.
    }
    if (!wasAlive) {
      const message =
        (await readErrorTail(logs.stderr, mask)) ?? `it ended with ${shim.how ?? '?'}`;
      const reason = `the run could not be set up: ${message}`;
      post({ type: 'run-start-failed', run: run.id, reason });
      return false;
    }
    await shim.pause(START_POLL_MS);
  }
  return false;
}

async function endOf(watched: Watched, shim: ShimState): Promise<Event | undefined> {
  const { run, directory, logs, mask, closing } = watched;
  const wasAlive = shim.isAlive();
  const end = await readEnd(run, directory, logs.stderr, mask);
  // The shim ends right after its record: an end is told when the shim is out of the tree as well.
  if (end !== undefined) await shim.pause(RECORD_MS);
  if (end !== undefined || wasAlive) return end;
  await pause(RECORD_MS, closing);
  const late = await readEnd(run, directory, logs.stderr, mask);
  return late ?? lost(run, await reasonOf(watched, shim));
}

async function reasonOf({ members }: Watched, { how }: ShimState): Promise<string> {
  const gone =
    typeof how === 'string'
      ? `the shim of the run was ended by ${how} and left no exit record`
      : 'the run is gone and left no exit record';
  const living = await members();
  if (living.length === 0) return gone;
  return `${gone}; processes of it are still alive: ${living.join(', ')}`;
}

/** 128 and the number of a signal is how a shell tells that a signal ended the command. */
function signalOf(exitCode: number): string | undefined {
  const entries = Object.entries(constants.signals);
  return entries.find(([, number]) => number === exitCode - 128)?.[0];
}
