/**
 * Follows a growing file and cuts it into records at line feeds and carriage returns. Every read is bounded,
 * however much the program prints: a tail that falls behind skips ahead, since only the newest record counts for progress.
 * What a record means is decided by the parsers.
 */
import { lstat } from 'node:fs/promises';
import { openOwn } from '../lib/own-file.ts';

/** The most that one poll reads. */
const READ_BYTES_MAX = 256 * 1024;

/** A longer record is no progress line: it is dropped up to its end. */
const RECORD_BYTES_MAX = 64 * 1024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export class LogTail {
  readonly #path: string;
  readonly #skips: boolean;
  #offset = 0;
  /** The record that has begun and not ended. */
  #half: Buffer[] = [];
  #halfBytes = 0;
  /** In the middle of a record that is not wanted (too long, or its beginning was skipped). */
  #dropping = false;
  #isUnfinishedGiven = false;

  /** With `everyRecord` nothing is skipped: for parsers that count. */
  constructor(path: string, { everyRecord = false }: { everyRecord?: boolean } = {}) {
    this.#path = path;
    this.#skips = !everyRecord;
  }

  /**
   * The records that have become whole since the last call; when nothing new has come, also the one that stands
   * there unfinished (rsync writes the \r before a record, so its latest has no end). Throws where the file cannot
   * be read.
   */
  async read(): Promise<string[]> {
    const { size } = await lstat(this.#path);
    // Somebody truncated the file (copytruncate): it begins anew.
    if (size < this.#offset) this.#jump(0, false);
    if (size === this.#offset) return this.#unfinished();
    if (this.#skips && size - this.#offset > READ_BYTES_MAX) {
      this.#jump(size - READ_BYTES_MAX, true);
    }
    const chunk = await this.#readChunk();
    this.#offset += chunk.length;
    this.#isUnfinishedGiven = false;
    return this.#split(chunk);
  }

  /** This many bytes were cut off the front of the file (log-rotation.ts): the rest has moved up. */
  moved(bytes: number): void {
    if (this.#offset >= bytes) this.#offset -= bytes;
    else this.#jump(0, true);
  }

  /** Up to here everything was read; absent: only the newest records count. */
  get readTo(): number | undefined {
    return this.#skips ? undefined : this.#offset;
  }

  #unfinished(): string[] {
    if (!this.#skips || this.#isUnfinishedGiven || this.#halfBytes === 0) return [];
    this.#isUnfinishedGiven = true;
    return [Buffer.concat(this.#half).toString('utf8')];
  }

  #jump(offset: number, dropping: boolean): void {
    this.#offset = offset;
    this.#dropping = dropping;
    this.#half = [];
    this.#halfBytes = 0;
  }

  async #readChunk(): Promise<Buffer> {
    const file = await openOwn(this.#path);
    try {
      const buffer = Buffer.allocUnsafe(READ_BYTES_MAX);
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES_MAX, this.#offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  #split(chunk: Buffer): string[] {
    const records: string[] = [];
    let begin = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (chunk[at] !== LINE_FEED && chunk[at] !== CARRIAGE_RETURN) continue;
      const record = this.#finish(chunk.subarray(begin, at));
      if (record !== undefined && record !== '') records.push(record);
      begin = at + 1;
    }
    this.#keep(chunk.subarray(begin));
    return records;
  }

  #finish(end: Buffer): string | undefined {
    const isWanted = !this.#dropping && this.#halfBytes + end.length <= RECORD_BYTES_MAX;
    const record = isWanted ? Buffer.concat([...this.#half, end]).toString('utf8') : undefined;
    this.#jump(this.#offset, false);
    return record;
  }

  #keep(half: Buffer): void {
    if (this.#dropping || half.length === 0) return;
    if (this.#halfBytes + half.length > RECORD_BYTES_MAX) {
      this.#jump(this.#offset, true);
      return;
    }
    // A copy: the chunk that it is cut from is much larger.
    this.#half.push(Buffer.from(half));
    this.#halfBytes += half.length;
  }
}
