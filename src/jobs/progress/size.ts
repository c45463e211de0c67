/**
 * Bytes under a target path against a total, or against the bytes under a source path. A file with several hard links
 * counts as often as it is listed, on both sides alike. A walk is bounded and yields at each entry. If something could
 * not be measured, no percent is reported.
 */
import { lstat, opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { defined } from '../../core/lib/defined.ts';
import { errorCode } from '../lib/error-code.ts';
import { bytesText, percentOf } from '../lib/progress.ts';
import type { Progress } from '../lib/progress.ts';

/** More entries than this are not measured: a walk must end long before the job does. */
const ENTRIES_MAX = 1_000_000;

/** The pause between two walks: at least this, and at least so many times the duration of the last one. */
const PAUSE_MS_MIN = 3000;
const PAUSE_SHARE = 10;

interface SizeSource {
  readonly target: string;
  readonly source?: string;
  readonly totalBytes?: number;
}

interface Measure {
  readonly bytes: number;
  /** False: something could not be read, or there were too many entries. */
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

  /** The result of the last walk. Starts the next one when it is due, and never waits for it. */
  read(): Progress | undefined {
    if (this.#walk === undefined && performance.now() >= this.#nextMs) {
      this.#walk = this.#measure().finally(() => {
        this.#walk = undefined;
      });
    }
    return this.#latest;
  }

  /** Resolves when no walk is running. */
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

/** Size of a file, as the counted bytes of one entry; `name` is its path below the measured one. */
export type EntryBytes = (size: number, name: string) => number;

/** Never rejects: the measure says if it is not whole. `entryBytes` is asked for directories, too, with size 0. */
export async function measure(
  path: string,
  closing: AbortSignal,
  entryBytes: EntryBytes = (size) => size,
): Promise<Measure> {
  try {
    const root = await stat(path);
    if (!root.isDirectory()) return { bytes: entryBytes(root.size, path), isWhole: true };
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
        bytes += entryBytes(entry.isDirectory() ? 0 : await sizeOf(child), child);
      }
    } catch (error) {
      // A temporary file, such as those of rsync, may be gone by now.
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
