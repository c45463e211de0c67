/**
 * Bytes under a target path against a total, or against the bytes under a source path. Sizes are added up as
 * they are listed (a hard link counts as often as it is listed, on both sides alike). A walk is bounded and
 * yields at each entry; what could not be seen whole makes no percent.
 */
import { lstat, opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../lib/error-code.ts';
import { bytesText, percentOf } from '../lib/progress.ts';
import type { Progress } from '../lib/progress.ts';

/** More entries than this are not counted: a walk must end long before the job does. */
const ENTRIES_MAX = 1_000_000;

/** Between two walks at least this, and at least so many times the duration of the last one. */
const PAUSE_MS_MIN = 3000;
const PAUSE_SHARE = 10;

export interface SizeSource {
  readonly target: string;
  readonly source?: string;
  readonly totalBytes?: number;
}

interface Measure {
  readonly bytes: number;
  /** False: something was out of reach, or there was too much of it. */
  readonly isWhole: boolean;
}

export class SizeMeter {
  readonly #size: SizeSource;
  readonly #closing: AbortSignal;
  #walk: Promise<void> | undefined;
  #nextMs = 0;
  #total: Measure | undefined;
  #latest: Progress | undefined;

  constructor(size: SizeSource, closing: AbortSignal) {
    this.#size = size;
    this.#closing = closing;
  }

  /** What the last finished walk saw. Starts the next one when it is due; never waits for it. */
  read(): Progress | undefined {
    if (this.#walk === undefined && performance.now() >= this.#nextMs) {
      this.#walk = this.#measure().finally(() => {
        this.#walk = undefined;
      });
    }
    return this.#latest;
  }

  /** Resolves when no walk is under way. */
  async settled(): Promise<void> {
    await this.#walk;
  }

  async #measure(): Promise<void> {
    const begin = performance.now();
    const { target, source, totalBytes } = this.#size;
    if (totalBytes !== undefined) this.#total = { bytes: totalBytes, isWhole: true };
    else if (source !== undefined)
      this.#total = larger(this.#total, await measure(source, this.#closing));
    const done = await measure(target, this.#closing);
    if (this.#closing.aborted) return;
    this.#latest = progressOf(done, this.#total);
    const now = performance.now();
    this.#nextMs = now + Math.max(PAUSE_MS_MIN, PAUSE_SHARE * (now - begin));
  }
}

/** A source may still grow; where it shrinks, files are being moved, and the total is what there was. */
function larger(before: Measure | undefined, now: Measure): Measure {
  return before?.isWhole === true && (!now.isWhole || before.bytes > now.bytes) ? before : now;
}

function progressOf(done: Measure, total: Measure | undefined): Progress {
  const message = bytesText(done.bytes);
  if (total?.isWhole !== true) return { detail: message };
  const detail = `${message} of ${bytesText(total.bytes)}`;
  const percent = done.isWhole ? percentOf(done.bytes, total.bytes) : undefined;
  return { ...(percent === undefined ? {} : { percent }), detail };
}

/** Never rejects: what is out of reach is missing from a measure that says so. */
export async function measure(path: string, closing: AbortSignal): Promise<Measure> {
  try {
    const root = await stat(path);
    if (!root.isDirectory()) return { bytes: root.size, isWhole: true };
  } catch (error) {
    // A target that is not there yet has no bytes.
    return { bytes: 0, isWhole: errorCode(error) === 'ENOENT' };
  }
  let bytes = 0;
  let entries = 0;
  let isWhole = true;
  const open = [path];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    try {
      for await (const entry of await opendir(directory)) {
        entries += 1;
        if (entries > ENTRIES_MAX || closing.aborted) return { bytes, isWhole: false };
        const child = join(directory, entry.name);
        if (entry.isDirectory()) open.push(child);
        else bytes += await sizeOf(child);
      }
    } catch (error) {
      // Gone while we looked (a temporary file of rsync): that is how copies are made.
      if (errorCode(error) !== 'ENOENT') isWhole = false;
    }
  }
  return { bytes, isWhole };
}

async function sizeOf(path: string): Promise<number> {
  try {
    const entry = await lstat(path);
    return entry.isFile() ? entry.size : 0;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}
