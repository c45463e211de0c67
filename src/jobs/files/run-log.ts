/**
 * Reads what a run wrote to one of its streams, by position: how many bytes it had written before. Positions stay,
 * however often files are moved or cut meanwhile (log-files.ts). It reads in pieces: neither a huge log nor a slow reader
 * costs memory.
 */
import { lstat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../lib/error-code.ts';
import { listLogFiles } from './log-files.ts';
import type { LogFiles, Segment } from './log-files.ts';
import { openOwnIfThere } from '../lib/own-file.ts';
import { bytesText } from '../lib/progress.ts';

const PIECE_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/** Moving takes a moment. A move that a dead agent began is not waited for for ever. */
const MOVE_LOOKS_MAX = 100;
const MOVE_LOOK_MS = 10;

export interface LogPiece {
  readonly bytes: Buffer;
  /** Where to read on. */
  readonly next: number;
}

export class RunLog {
  readonly #path: string;
  #inode: number | undefined;
  #looksAtMove = 0;

  /** `path` of the live file. It need not be there yet. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The position after the last byte; absent: there is no log. */
  async end(): Promise<number | undefined> {
    const files = await this.#settled();
    const size = await this.#liveSize();
    return size === undefined ? undefined : files.liveBegin + size;
  }

  /** Where the last `lines` lines begin, or all that is kept, at the beginning of a line. */
  async begin(lines = Infinity): Promise<number> {
    for (;;) {
      const files = await this.#settled();
      const size = (await this.#liveSize()) ?? 0;
      const live = { path: this.#path, begin: files.liveBegin, end: files.liveBegin + size };
      const position = await this.#beginIn([...files.archives, live], lines);
      // Counted while bytes were moved: once more.
      if ((await this.#settled()).liveBegin === files.liveBegin) return position;
    }
  }

  /** Some bytes from there on; none: there are no more (yet). Absent: there is no log. */
  async read(position: number): Promise<LogPiece | undefined> {
    for (;;) {
      const files = await this.#settled();
      const archive = files.archives.find(({ end }) => position < end);
      if (archive !== undefined) {
        if (position < archive.begin) return gap(position, archive.begin);
        const bytes = await readAt(archive.path, position - archive.begin);
        // Gone since we looked: what is left begins later.
        if (bytes === undefined || bytes.length === 0) continue;
        return { bytes, next: position + bytes.length };
      }
      const at = await this.#sameFile(files, position);
      if (at === undefined) return undefined;
      const bytes = await readAt(this.#path, at - files.liveBegin);
      // Only what was read before and after from the same place in the output is what it seems.
      const { liveBegin } = await this.#settled();
      if (liveBegin !== files.liveBegin) continue;
      return bytes && { bytes, next: at + bytes.length };
    }
  }

  /** Somebody else replaced or cut the live file: it is new from its first byte. */
  async #sameFile({ liveBegin }: LogFiles, position: number): Promise<number | undefined> {
    const size = await this.#liveSize();
    if (size === undefined) return undefined;
    const { ino } = await lstat(this.#path);
    const isOther = this.#inode !== undefined && this.#inode !== ino;
    this.#inode = ino;
    return isOther || position > liveBegin + size ? liveBegin : position;
  }

  async #liveSize(): Promise<number | undefined> {
    try {
      return (await lstat(this.#path)).size;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The files while nothing is being moved. */
  async #settled(): Promise<LogFiles> {
    for (;;) {
      const files = await listLogFiles(this.#path);
      if (files.part === undefined) this.#looksAtMove = 0;
      if (files.part === undefined || this.#looksAtMove >= MOVE_LOOKS_MAX) return files;
      this.#looksAtMove += 1;
      await sleep(MOVE_LOOK_MS);
    }
  }

  /** Looks for line breaks from the end backwards. */
  async #beginIn(segments: readonly Segment[], lines: number): Promise<number> {
    const end = segments.at(-1)?.end ?? 0;
    const oldest = segments[0]?.begin ?? 0;
    if (lines === 0) return end;
    let missing = lines;
    for await (const { from, bytes } of lines === Infinity ? [] : backwards(segments)) {
      for (let at = bytes.lastIndexOf(LINE_FEED); at >= 0; at = before(bytes, at)) {
        // The line break that ends the log ends its last line; it does not begin another.
        if (from + at === end - 1) continue;
        missing -= 1;
        if (missing === 0) return from + at + 1;
      }
    }
    return oldest === 0 ? 0 : this.#firstLine(oldest);
  }

  async #firstLine(position: number): Promise<number> {
    const piece = await this.read(position);
    const at = piece?.bytes.indexOf(LINE_FEED) ?? -1;
    return at === -1 ? position : position + at + 1;
  }
}

/** The pieces of a log from its end to its beginning. */
async function* backwards(
  segments: readonly Segment[],
): AsyncGenerator<{ readonly from: number; readonly bytes: Buffer }> {
  for (const { path, begin, end } of segments.toReversed()) {
    for (let to = end; to > begin;) {
      const from = Math.max(begin, to - PIECE_BYTES);
      const piece = await readAt(path, from - begin);
      yield { from, bytes: piece?.subarray(0, to - from) ?? Buffer.alloc(0) };
      to = from;
    }
  }
}

/** The line feed before this one; -1: there is none. */
function before(bytes: Buffer, at: number): number {
  return at === 0 ? -1 : bytes.lastIndexOf(LINE_FEED, at - 1);
}

function gap(from: number, to: number): LogPiece {
  return {
    bytes: Buffer.from(`\n[${bytesText(to - from)} of output are not kept]\n`),
    next: to,
  };
}

async function readAt(path: string, offset: number): Promise<Buffer | undefined> {
  const file = await openOwnIfThere(path);
  if (file === undefined) return undefined;
  try {
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
