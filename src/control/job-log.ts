/**
 * Sends what a run wrote: the whole file or its last lines, and on wish what is still being written. Reads in
 * pieces and waits for the client, so neither a huge log nor a slow reader costs memory.
 */
import { open, stat, type FileHandle } from 'node:fs/promises';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const PIECE_BYTES = 64 * 1024;
/** How soon a follower sees a new line. */
const LOOK_AGAIN_MS = 200;

interface JobLog {
  readonly path: string;
  readonly tailLines: number | undefined;
  readonly follow: boolean;
  /** The run has ended: the file will not grow. */
  readonly isOver: () => boolean;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

/** Resolves when everything was sent, or the client is gone, or the server closes. */
export async function streamLog(log: JobLog): Promise<void> {
  log.response.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // Nothing follows on this connection, so a stopping agent need not wait for it.
    connection: 'close',
  });
  log.response.flushHeaders();
  try {
    await send(log);
  } catch (error) {
    if (!log.signal.aborted) throw error;
  } finally {
    log.response.end();
  }
}

async function send(log: JobLog): Promise<void> {
  let tailLines = log.tailLines;
  for (;;) {
    const file = await openWhenThere(log);
    if (file === undefined) return;
    try {
      const start = tailLines === undefined ? 0 : await startOfTail(file, tailLines);
      const end = await sendFrom(file, start, log);
      if (end !== 'replaced') return;
    } finally {
      await file.close();
    }
    // A new file under the old name is new from its first line.
    tailLines = undefined;
  }
}

async function openWhenThere(log: JobLog): Promise<FileHandle | undefined> {
  for (;;) {
    // Asked before the look: a run that ends in between has its file looked for once more.
    const over = log.isOver();
    try {
      return await open(log.path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    if (!log.follow || over) return undefined;
    await sleep(LOOK_AGAIN_MS, undefined, { signal: log.signal });
  }
}

async function sendFrom(file: FileHandle, start: number, log: JobLog): Promise<'end' | 'replaced'> {
  const opened = await file.stat();
  // Without `follow` a log that grows as fast as it is read must still come to an end.
  const limit = log.follow ? Number.POSITIVE_INFINITY : opened.size;
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  let position = start;
  while (position < limit) {
    log.signal.throwIfAborted();
    const over = log.isOver();
    const length = Math.min(PIECE_BYTES, limit - position);
    const { bytesRead } = await file.read(piece, 0, length, position);
    if (bytesRead > 0) {
      position += bytesRead;
      // A copy: the buffer is filled again while the socket still holds what it was given.
      await write(Buffer.from(piece.subarray(0, bytesRead)), log);
      continue;
    }
    if (!log.follow || over) return 'end';
    const there = await stat(log.path).catch(() => undefined);
    if (there === undefined) return 'end';
    if (there.ino !== opened.ino || there.size < position) return 'replaced';
    await sleep(LOOK_AGAIN_MS, undefined, { signal: log.signal });
  }
  return 'end';
}

async function write(bytes: Buffer, log: JobLog): Promise<void> {
  if (!log.response.write(bytes)) await once(log.response, 'drain', { signal: log.signal });
}

/** Where the last `lines` lines begin, found from the end backwards. */
async function startOfTail(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines === 0) return size;
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  let missing = lines;
  let end = size;
  while (end > 0) {
    const start = Math.max(0, end - PIECE_BYTES);
    const { bytesRead } = await file.read(piece, 0, end - start, start);
    for (let index = bytesRead - 1; index >= 0; index -= 1) {
      // The line break that ends the file ends its last line; it does not begin another.
      if (piece[index] !== 0x0a || start + index === size - 1) continue;
      missing -= 1;
      if (missing === 0) return start + index + 1;
    }
    end = start;
  }
  return 0;
}
