/**
 * What a run writes: its progress is read, and its logs are kept within their bounds. A look at a silent run is two lstat(2). They
 * and the reads are synchronous, as for its records: the files lie beside them, and the thread pool costs ten times as much.
 */
import { lstatSync } from 'node:fs';
import { defined } from '../../core/lib/defined.ts';
import type { Event } from '../../core/model/event.ts';
import { DEFAULT_LOG } from '../../core/model/job.ts';
import type { LogPolicy } from '../../core/model/job.ts';
import { isOverLimit, rotateLog } from '../files/log-rotation.ts';
import type { Launch } from '../process/launch-spec.ts';
import { ProgressReader } from '../progress/reader.ts';
import type { Progress } from '../lib/progress.ts';
import { pause } from './run-end.ts';
import type { RunFiles } from './run-end.ts';

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

  constructor(files: OutputFiles) {
    this.#files = files;
    this.#progress = new ProgressReader({ ...files, definition: files.run.definition });
    this.#policy = files.run.definition.log ?? DEFAULT_LOG;
  }

  look(): void {
    if (this.#rotating !== undefined) return;
    this.#show(this.#progress.poll());
    this.#rotate();
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
    this.#rotate();
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

  #rotate(): void {
    const { logs } = this.#files;
    const over = (['stdout', 'stderr'] as const).filter((stream) =>
      isOverLimit(sizeOf(logs[stream]), this.#policy),
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

/** 0: it is not there, or the disk does not answer now. */
function sizeOf(path: string): number {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0;
  }
}
