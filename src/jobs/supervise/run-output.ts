/**
 * What a run writes: its progress is read, and its logs are kept within their bounds. A look is two lstat(2). They and the reads are
 * synchronous, as for its records: the files lie beside them, and the thread pool costs ten times as much. A run that has been
 * silent for a while is not looked at until it writes.
 */
import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { defined } from '../../core/lib/defined.ts';
import type { Event } from '../../core/model/event.ts';
import { DEFAULT_LOG } from '../../core/model/job.ts';
import type { LogPolicy } from '../../core/model/job.ts';
import { onNextChange } from '../files/directory-watch.ts';
import { isOverLimit, rotateLog } from '../files/log-rotation.ts';
import type { Launch } from '../process/launch-spec.ts';
import { ProgressReader } from '../progress/reader.ts';
import type { LogSizes } from '../progress/reader.ts';
import type { Progress } from '../lib/progress.ts';
import { pause } from './run-end.ts';
import type { RunFiles } from './run-end.ts';

/** A run that wrote nothing at so many looks is silent. PercentFilter needs no more of them (QUIET_POLLS_IF_NOISY). */
const SILENT_LOOKS_MIN = 20;

/** Rounds from one look at a silent run to the next; if the kernel shows when it writes, half a minute. */
export const ROUNDS_IF_SILENT = 4;
const ROUNDS_IF_WATCHED = 60;

/**
 * A run that has been looked at so often without falling silent goes on for long, as a rule: each second round is enough for
 * it, and waking an idle process costs more than the looks at twenty runs. Not if it writes so much that its log may soon have
 * to be cut.
 */
const STEADY_LOOKS_MIN = 30;
const ROUNDS_IF_STEADY = 2;
const STEADY_BYTES_MAX = 64 * 1024;

/** A log is cut by the thread pool, which a dead file system can fill: the end of a run does not wait longer. */
const LAST_PROGRESS_MS_MAX = 2000;

export interface OutputFiles extends RunFiles {
  readonly launch: () => Promise<Launch>;
  readonly post: (event: Event) => void;
}

export class RunOutput {
  readonly #files: OutputFiles;
  readonly #progress: ProgressReader;
  readonly #policy: LogPolicy;
  /** A log is being cut: nothing is read meanwhile. */
  #rotating: Promise<void> | undefined;
  #problem: string | undefined;
  #sizes: LogSizes = {};
  #silentLooks = 0;
  /** Since the start, or since it was silent. */
  #looks = 0;
  #stopWatching: (() => void) | undefined;
  #wake: (() => void) | undefined;

  constructor(files: OutputFiles) {
    this.#files = files;
    this.#progress = new ProgressReader({ ...files, definition: files.run.definition });
    this.#policy = files.run.definition.log ?? DEFAULT_LOG;
  }

  /** Returns in which of the next rounds to look again. `wake` asks for a look in the next one. */
  look(wake: () => void): number {
    this.#wake = wake;
    if (this.#rotating !== undefined) return 1;
    const sizes = this.#sizesNow();
    const written = [
      grownBy(this.#sizes.stdout, sizes.stdout),
      grownBy(this.#sizes.stderr, sizes.stderr),
    ];
    this.#sizes = sizes;
    this.#looks += 1;
    const change = this.#progress.poll(sizes);
    this.#show(change);
    this.#rotate(sizes);
    const isSilent = change === undefined && written.every((bytes) => bytes === 0);
    this.#silentLooks = isSilent ? this.#silentLooks + 1 : 0;
    if (this.#silentLooks < SILENT_LOOKS_MIN) {
      this.close();
      const isSteady = this.#looks > STEADY_LOOKS_MIN && Math.max(...written) <= STEADY_BYTES_MAX;
      return isSteady ? ROUNDS_IF_STEADY : 1;
    }
    // What is measured beside the output is read at looks only.
    return this.#progress.isMeasured ? ROUNDS_IF_SILENT : this.#roundsUntilWritten();
  }

  /** No more looks are made: nothing has to be watched. */
  close(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  #roundsUntilWritten(): number {
    if (this.#stopWatching !== undefined) return ROUNDS_IF_WATCHED;
    this.#stopWatching = onNextChange(dirname(this.#files.logs.stdout), () => {
      this.#stopWatching = undefined;
      this.#silentLooks = 0;
      this.#looks = 0;
      this.#wake?.();
    });
    // One look more: the run may have written before it was watched.
    return this.#stopWatching === undefined ? ROUNDS_IF_SILENT : 1;
  }

  #sizesNow(): LogSizes {
    const { stdout, stderr } = this.#files.logs;
    return defined({ stdout: sizeOf(stdout), stderr: sizeOf(stderr) });
  }

  /** Resolves when all output was read, or when that takes too long. */
  async lastLook(hasSucceeded: boolean): Promise<void> {
    const inTime = new AbortController();
    const last = this.#lastLook(hasSucceeded);
    const limit = AbortSignal.any([inTime.signal, this.#files.closing]);
    await Promise.race([last, pause(LAST_PROGRESS_MS_MAX, limit)]);
    inTime.abort();
  }

  async #lastLook(hasSucceeded: boolean): Promise<void> {
    await this.#rotating;
    this.#show(await this.#progress.ended(hasSucceeded));
    this.#rotate(this.#sizesNow());
    await this.#rotating;
  }

  #show(change: Progress | undefined): void {
    const { run, post } = this.#files;
    if (change !== undefined) post({ type: 'progress-read', run: run.id, ...change });
    const { problem } = this.#progress;
    if (problem === this.#problem) return;
    this.#problem = problem;
    post({ type: 'watch-problem', run: run.id, ...defined({ reason: problem }) });
  }

  #rotate(sizes: LogSizes): void {
    const over = (['stdout', 'stderr'] as const).filter((stream) =>
      isOverLimit(sizes[stream] ?? 0, this.#policy),
    );
    if (over.length === 0) return;
    this.#rotating = this.#cut(over).finally(() => {
      this.#rotating = undefined;
    });
  }

  /** If the disk refuses, the run goes on, and the next look tries again. */
  async #cut(streams: readonly ('stdout' | 'stderr')[]): Promise<void> {
    for (const stream of streams) {
      try {
        const path = this.#files.logs[stream];
        const bytes = await rotateLog(path, this.#policy, this.#progress.readTo(stream));
        if (bytes > 0) this.#progress.moved(stream, bytes);
      } catch {
        // Full, or out of descriptors: the log stays as it is.
      }
    }
  }
}

/** By so many bytes, shorter or longer. */
function grownBy(before = 0, after = 0): number {
  return Math.abs(after - before);
}

/** Absent: it is not there, or the disk does not answer now. */
function sizeOf(path: string): number | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.size;
  } catch {
    return undefined;
  }
}
