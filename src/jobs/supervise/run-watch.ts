/**
 * Watches one run from its start (or its adoption) to its end and posts what it sees: that it started, its progress, and how
 * it ended (run-end.ts). What cannot be seen or read is looked at again, for as long as it takes.
 */
import { defined } from '../../core/lib/defined.ts';
import type { Event } from '../../core/model/event.ts';
import { DEFAULT_LOG } from '../../core/model/job.ts';
import type { ProcessIdentity } from '../../core/model/job.ts';
import { rotateLog } from '../files/log-rotation.ts';
import { readExit, readStarted } from '../files/run-directory.ts';
import { errorText } from '../lib/error-code.ts';
import type { Launch } from '../process/launch-spec.ts';
import { lives } from '../process/process-table.ts';
import { ProgressReader } from '../progress/reader.ts';
import { endWithoutRecord, errorTail, pause, readEnd } from './run-end.ts';
import type { RunFiles } from './run-end.ts';

/** How often progress is read, and how late the end of an adopted run may be seen. */
const POLL_MS = 500;

/** How often a new run is looked at until its shim has recorded that it started. */
const START_POLL_MS = 15;

/** The record is renamed into its place before the shim ends: a short while after that it is there or never. */
const RECORD_MS = 100;

/** Looks in a row that failed, after which this is a problem that an operator sees. */
const FAILURES_MAX = 10;

/** The logs are read by the thread pool, which a dead file system can fill: the end of a run does not wait longer. */
const LAST_PROGRESS_MS_MAX = 2000;

export interface Watched extends RunFiles {
  readonly process: ProcessIdentity;
  /** Only for a shim that this agent started. */
  readonly ended?: Promise<number | string>;
  readonly bootId: string;
  readonly launch: () => Promise<Launch>;
  readonly post: (event: Event) => void;
}

/** Resolves when the end was posted, or when the host is closing. Never rejects. */
export async function watchRun(watched: Watched): Promise<void> {
  const { run, closing, post } = watched;
  const shim = new ShimState(watched);
  if (!(await hasStarted(watched, shim))) return;
  post({ type: 'run-started', run: run.id, process: watched.process });
  const output = new Output(watched);
  for (let failures = 0; !closing.aborted;) {
    await shim.pause(POLL_MS);
    try {
      const end = await endOf(watched, shim);
      if (failures >= FAILURES_MAX) post({ type: 'watch-problem', run: run.id });
      failures = 0;
      if (end === undefined) {
        output.look();
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
      await pause(POLL_MS, closing);
    }
  }
}

/** Reads progress and keeps the logs within their bounds: one look at a time, and nothing waits for it. */
class Output {
  readonly #watched: Watched;
  readonly #progress: ProgressReader;
  #looking: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.#progress = new ProgressReader({ ...watched, definition: watched.run.definition });
  }

  look(): void {
    this.#looking ??= this.#look(() => this.#progress.poll()).finally(() => {
      this.#looking = undefined;
    });
  }

  /** Resolves when all output was read, or when that takes too long. */
  async lastLook(hasSucceeded: boolean): Promise<void> {
    const inTime = new AbortController();
    const last = (this.#looking ?? Promise.resolve()).then(() =>
      this.#look(() => this.#progress.ended(hasSucceeded)),
    );
    const limit = AbortSignal.any([inTime.signal, this.#watched.closing]);
    await Promise.race([last, pause(LAST_PROGRESS_MS_MAX, limit)]);
    inTime.abort();
  }

  async #look(read: () => ReturnType<ProgressReader['poll']>): Promise<void> {
    const { run, post } = this.#watched;
    const change = await read();
    if (change !== undefined) post({ type: 'progress-read', run: run.id, ...change });
    const { problem } = this.#progress;
    if (problem !== this.#problem) {
      this.#problem = problem;
      post({ type: 'watch-problem', run: run.id, ...defined({ reason: problem }) });
    }
    await this.#rotate();
  }

  /** If the disk refuses, the run goes on, and the next look tries again. */
  async #rotate(): Promise<void> {
    const { run, logs } = this.#watched;
    const policy = run.definition.log ?? DEFAULT_LOG;
    for (const stream of ['stdout', 'stderr'] as const) {
      try {
        const bytes = await rotateLog(logs[stream], policy, this.#progress.readTo(stream));
        if (bytes > 0) this.#progress.moved(stream, bytes);
      } catch {
        // Full, or out of descriptors: the log stays as it is.
      }
    }
  }
}

class ShimState {
  readonly #watched: Watched;
  readonly #ended: Promise<void> | undefined;
  /** Exit code or signal of a shim that this agent started. */
  how: number | string | undefined;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.#ended = watched.ended?.then((how) => {
      this.how = how;
    });
  }

  /** Throws `CannotSee`. */
  isAlive(): boolean {
    const { process, bootId } = this.#watched;
    return this.#ended === undefined ? lives(process, bootId) : this.how === undefined;
  }

  /** Waits so long, or until a shim of this agent ends. */
  async pause(ms: number): Promise<void> {
    const waiting = new AbortController();
    const signal = AbortSignal.any([waiting.signal, this.#watched.closing]);
    await Promise.race([pause(ms, signal), ...(this.#ended === undefined ? [] : [this.#ended])]);
    waiting.abort();
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
