/**
 * Bytes under a target path against a total, or against the bytes under a source path. A file with several hard links
 * counts as often as it is listed, on both sides alike. If something could not be measured, no percent is reported.
 */
import { defined } from '../../core/lib/defined.ts';
import { errorText } from '../lib/error-code.ts';
import { bytesText, percentOf } from '../lib/progress.ts';
import type { Progress } from '../lib/progress.ts';
import type { Launch } from '../process/launch-spec.ts';
import { measure } from './tree-size.ts';
import type { Measure } from './tree-size.ts';

/** The pause between two walks: at least this, and at least so many times the duration of the last one. */
const PAUSE_MS_MIN = 3000;
const PAUSE_SHARE = 10;

/** A walk that was stuck is tried again after this, however long it took. */
const PAUSE_MS_MAX_STUCK = 60_000;

interface SizeSource {
  readonly target: string;
  readonly source?: string;
  readonly totalBytes?: number;
}

export interface SizeMeterOptions {
  /** As whom to look: the job's user. */
  readonly launch: () => Promise<Launch>;
  readonly closing: AbortSignal;
  readonly silentMsMax?: number;
}

export class SizeMeter {
  readonly #size: SizeSource;
  readonly #options: SizeMeterOptions;
  #walk: Promise<void> | undefined;
  #nextMs = 0;
  #total: Measure | undefined;
  #latest: Progress | undefined;
  #problem: string | undefined;
  #isStuck = false;

  constructor(size: SizeSource, options: SizeMeterOptions) {
    this.#size = size;
    this.#options = options;
  }

  /** The result of the last walk. Starts the next one when it is due, and never waits for it. */
  read(): Progress | undefined {
    if (this.#walk === undefined && performance.now() >= this.#nextMs) {
      this.#walk = this.#measure().finally(() => {
        this.#walk = undefined;
      });
    }
    return this.#latest;
  }

  /** Why nothing, or not everything, can be measured now. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves when no walk is running. */
  async settled(): Promise<void> {
    await this.#walk;
  }

  async #measure(): Promise<void> {
    const begin = performance.now();
    this.#isStuck = false;
    const { target, source, totalBytes } = this.#size;
    const stuck = (path: string, problem: string): void => {
      this.#isStuck = true;
      this.#problem = problemAt(path, problem);
    };
    let done: Measure | undefined;
    let atSource: Measure | undefined;
    try {
      const launch = await this.#options.launch();
      const options = { ...this.#options, launch };
      const at = (path: string): Promise<Measure> =>
        measure(path, { ...options, stuck: (problem) => stuck(path, problem) });
      if (totalBytes === undefined && source !== undefined) atSource = await at(source);
      done = await at(target);
    } catch (error) {
      // The job's user is gone, for example.
      this.#problem = problemAt(target, errorText(error));
    }
    if (this.#options.closing.aborted) return;
    if (totalBytes !== undefined) this.#total = { bytes: totalBytes, isWhole: true };
    else if (atSource !== undefined) this.#total = larger(this.#total, atSource);
    if (done !== undefined) {
      this.#latest = progressOf(done, this.#total);
      this.#problem = firstProblem([target, done], [source, atSource]);
    }
    this.#pauseSince(begin);
  }

  #pauseSince(begin: number): void {
    const now = performance.now();
    const pauseMs = Math.max(PAUSE_MS_MIN, PAUSE_SHARE * (now - begin));
    this.#nextMs = now + (this.#isStuck ? Math.min(pauseMs, PAUSE_MS_MAX_STUCK) : pauseMs);
  }
}

function firstProblem(
  ...measures: readonly (readonly [path: string | undefined, measure: Measure | undefined])[]
): string | undefined {
  for (const [path = '', measured] of measures) {
    if (measured?.problem !== undefined) return problemAt(path, measured.problem);
  }
  return undefined;
}

function problemAt(path: string, problem: string): string {
  return `the size of ${path} cannot be measured: ${problem}`;
}

/** A source may still grow. If it shrinks, files are being moved, and the total stays what it was. */
function larger(before: Measure | undefined, now: Measure): Measure {
  return before?.isWhole === true && (!now.isWhole || before.bytes > now.bytes) ? before : now;
}

function progressOf(done: Measure, total: Measure | undefined): Progress {
  const message = bytesText(done.bytes);
  if (total?.isWhole !== true) return { detail: message };
  const detail = `${message} of ${bytesText(total.bytes)}`;
  const percent = done.isWhole ? percentOf(done.bytes, total.bytes) : undefined;
  return defined({ percent, detail });
}
