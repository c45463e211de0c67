/**
 * Watches one run from its start (or its adoption) to its end and posts what it sees: that it started, its progress, and how
 * it ended (run-end.ts). What cannot be seen or read is looked at again, for as long as it takes.
 */
import { existsSync } from 'node:fs';
import type { Event } from '../../core/model/event.ts';
import type { ProcessIdentity } from '../../core/model/job.ts';
import { exitPath, readExit, readStarted } from '../files/run-directory.ts';
import { errorCode, errorText } from '../lib/error-code.ts';
import { lives } from '../process/process-table.ts';
import type { Rounds } from './rounds.ts';
import { endWithoutRecord, errorTail, pause, readEnd } from './run-end.ts';
import { ROUNDS_IF_SILENT, RunOutput } from './run-output.ts';
import type { OutputFiles } from './run-output.ts';

/**
 * How often progress is read, and how late the end of an adopted run may be seen; of a run that goes on for long, twice that, and
 * if it has been silent for long, four times that (run-output.ts).
 */
export const LOOK_EVERY_MS = 500;

/** What cannot be seen is looked at again after this. */
const RETRY_MS = 500;

/**
 * The end of a shim that is the agent's child is an event. Its record is looked for at every fourth look, since a shim may wait
 * for a disk after it has written it. A shim that is not the agent's child is looked for by its record and its pid, which cost
 * microseconds; at every fourth look also by its start time, since another process may have its pid by then.
 */
const LOOKS_A_CHECK = 4;

/** How often a new run is looked at until its shim has recorded that it started. */
const START_POLL_MS = 15;

/** The record is renamed into its place before the shim ends: a short while after that it is there or never. */
const RECORD_MS = 100;

/** Looks in a row that failed, after which this is a problem that an operator sees. */
const FAILURES_MAX = 10;

export interface Watched extends OutputFiles {
  readonly process: ProcessIdentity;
  /** Only for a shim that this agent started. */
  readonly ended?: Promise<number | string>;
  readonly bootId: string;
  readonly rounds: Rounds;
}

/** Resolves when the end was posted, or when the host is closing. Never rejects. */
export async function watchRun(watched: Watched): Promise<void> {
  const { run, closing, post } = watched;
  const shim = new ShimState(watched);
  if (!(await hasStarted(watched, shim))) return;
  post({ type: 'run-started', run: run.id, process: watched.process });
  const output = new RunOutput(watched);
  for (let failures = 0; !closing.aborted;) {
    await untilMayHaveEnded(watched, shim, output);
    try {
      const end = await endOf(watched, shim);
      if (failures >= FAILURES_MAX) post({ type: 'watch-problem', run: run.id });
      failures = 0;
      if (end === undefined) {
        output.look(() => undefined);
        continue;
      }
      await output.lastLook(end.type === 'run-exited' && end.exitCode === 0);
      post(end);
      return;
    } catch (error) {
      failures += 1;
      if (failures === FAILURES_MAX) {
        const reason = `its processes cannot be seen: ${errorText(error)}`;
        post({ type: 'watch-problem', run: run.id, reason });
      }
      await pause(RETRY_MS, closing);
    }
  }
}

/** Looks at the run's output in each round, until its end must be looked for, or the host is closing. */
function untilMayHaveEnded(
  { rounds, closing }: Watched,
  shim: ShimState,
  output: RunOutput,
): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      stopLooking();
      output.close();
      closing.removeEventListener('abort', end);
      resolve();
    };
    const look = (): number => {
      if (!shim.mayHaveEnded()) {
        const wait = output.look(() => rounds.add(look));
        // The end of a shim that is not the agent's child is seen by looks only.
        return shim.ended === undefined ? Math.min(wait, ROUNDS_IF_SILENT) : wait;
      }
      end();
      return 1;
    };
    const stopLooking = rounds.add(look);
    closing.addEventListener('abort', end, { once: true });
    shim.ended?.then(end, end);
    if (closing.aborted) end();
  });
}

class ShimState {
  readonly #watched: Watched;
  readonly #record: string;
  readonly ended: Promise<void> | undefined;
  #looks = 0;
  /** Exit code or signal of a shim that this agent started. */
  how: number | string | undefined;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.#record = exitPath(watched.directory, watched.run.spawn);
    this.ended = watched.ended?.then((how) => {
      this.how = how;
    });
  }

  /** Cheap, and right unless a pid was given away again, which is seen a little later. Never throws. */
  mayHaveEnded(): boolean {
    this.#looks += 1;
    const isCheck = this.#looks % LOOKS_A_CHECK === 0;
    if (this.ended !== undefined) {
      return this.how !== undefined || (isCheck && existsSync(this.#record));
    }
    if (existsSync(this.#record)) return true;
    try {
      return isCheck ? !this.isAlive() : isGone(this.#watched.process.pid);
    } catch {
      // It cannot be seen: who looks for the end finds out more.
      return true;
    }
  }

  /** Throws `CannotSee`. */
  isAlive(): boolean {
    const { process, bootId } = this.#watched;
    return this.ended === undefined ? lives(process, bootId) : this.how === undefined;
  }

  /** Waits so long, or until a shim of this agent ends. */
  async pause(ms: number): Promise<void> {
    const waiting = new AbortController();
    const signal = AbortSignal.any([waiting.signal, this.#watched.closing]);
    await Promise.race([pause(ms, signal), ...(this.ended === undefined ? [] : [this.ended])]);
    waiting.abort();
  }
}

/** No process has this pid. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

/** False: nothing runs (posted as the reason why), or the host is closing. */
async function hasStarted(watched: Watched, shim: ShimState): Promise<boolean> {
  const { run, directory, closing, post } = watched;
  if (watched.ended === undefined) return true;
  while (!closing.aborted) {
    // Looked at before the record: a shim that had ended then writes none any more.
    const wasAlive = shim.isAlive();
    try {
      if (readStarted(directory, run.spawn) !== undefined) return true;
      if (!wasAlive) {
        const why = (await errorTail(watched)) ?? `it ended with ${shim.how ?? '?'}`;
        const reason = `the run could not be set up: ${why}`;
        post({ type: 'run-start-failed', run: run.id, reason });
        return false;
      }
    } catch {
      // No descriptors left, for example: the next look may see it.
    }
    await (wasAlive ? shim.pause(START_POLL_MS) : pause(START_POLL_MS, closing));
  }
  return false;
}

async function endOf(watched: Watched, shim: ShimState): Promise<Event | undefined> {
  const { run, directory, closing } = watched;
  // Looked at before the record: a shim that had ended then writes none any more.
  const wasAlive = shim.isAlive();
  if (readExit(directory, run.spawn) !== undefined) {
    // The shim ends right after its record, and is none of the processes that are left then.
    await shim.pause(RECORD_MS);
    return readEnd(watched);
  }
  if (wasAlive) return undefined;
  await pause(RECORD_MS, closing);
  return (await readEnd(watched)) ?? (await endWithoutRecord(watched, reasonOf(shim)));
}

function reasonOf({ how }: ShimState): string {
  return typeof how === 'string'
    ? `the shim of the run was ended by ${how} and left no exit record`
    : 'the run is gone and left no exit record';
}
