/**
 * Follows a growing log file. Every read is bounded: a tail that falls behind skips ahead, because only the newest
 * progress matters. record-splitter.ts cuts the text into records.
 */
import { closeSync, constants, lstatSync, readSync } from 'node:fs';
import { openOwnSync } from '../lib/own-file.ts';
import { RecordSplitter } from './record-splitter.ts';

/** The most that one poll reads. */
const READ_BYTES_MAX = 256 * 1024;

export class LogTail {
  readonly #path: string;
  readonly #skips: boolean;
  readonly #splitter = new RecordSplitter();
  #offset = 0;

  /** With `everyRecord` nothing is skipped: for parsers that count. */
  constructor(path: string, { everyRecord = false }: { everyRecord?: boolean } = {}) {
    this.#path = path;
    this.#skips = !everyRecord;
  }

  /** The records that have become complete since the last call. `size`: of the file. Throws if it cannot be read. */
  read(size = lstatSync(this.#path).size): string[] {
    // Somebody truncated the file (copytruncate): it begins anew.
    if (size < this.#offset) this.#jump(0, false);
    if (size === this.#offset) return [];
    if (this.#skips && size - this.#offset > READ_BYTES_MAX) {
      this.#jump(size - READ_BYTES_MAX, true);
    }
    const chunk = this.#readChunk(Math.min(READ_BYTES_MAX, size - this.#offset));
    this.#offset += chunk.length;
    return this.#splitter.push(chunk);
  }

  /** The newest text of the record that has begun (rsync ends a record only when it prints the next one). */
  get unfinished(): string {
    return this.#splitter.unfinished;
  }

  /** This many bytes were cut off the front of the file (log-rotation.ts): the rest has moved up. */
  moved(bytes: number): void {
    if (this.#offset >= bytes) this.#offset -= bytes;
    else this.#jump(0, true);
  }

  /** Up to here everything was read; absent: whatever is newest is enough. */
  get readTo(): number | undefined {
    return this.#skips ? undefined : this.#offset;
  }

  #jump(offset: number, isSkipped: boolean): void {
    this.#offset = offset;
    this.#splitter.reset(isSkipped);
  }

  /** Of a job that writes a line now and then that is a small piece of Node's own buffer. */
  #readChunk(bytes: number): Buffer {
    const file = openOwnSync(this.#path, constants.O_RDONLY);
    try {
      const buffer = Buffer.allocUnsafe(bytes);
      return buffer.subarray(0, readSync(file, buffer, 0, bytes, this.#offset));
    } finally {
      closeSync(file);
    }
  }
}
