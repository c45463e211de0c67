/**
 * Sends what a run wrote: all that is kept or its last lines, and on action what is still being written. Reads in
 * pieces and waits for the client, so neither a huge log nor a slow reader costs memory.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** How soon a follower sees a new line. */
const LOOK_AGAIN_MS = 200;

/** One stream of a run's output, by position: bytes since its beginning, however it is kept. */
export interface LogReader {
  /** Where the last `lines` lines begin; without a number: all that is kept. */
  begin(lines?: number): Promise<number>;
  /** The position after the last byte; absent: there is no log. */
  end(): Promise<number | undefined>;
  /** Some bytes from there on, none where there are none yet; absent: there is no log. */
  read(position: number): Promise<{ readonly bytes: Buffer; readonly next: number } | undefined>;
}

interface JobLog {
  readonly log: LogReader;
  readonly tailLines: number | undefined;
  readonly follow: boolean;
  /** The run has ended: nothing more will be written. */
  readonly isOver: () => boolean;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

/** Resolves when everything was sent, or the client is gone, or the server closes. */
export async function streamLog(job: JobLog): Promise<void> {
  job.response.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // Nothing follows on this connection, so a stopping agent need not wait for it.
    connection: 'close',
  });
  job.response.flushHeaders();
  try {
    await send(job);
  } catch (error) {
    if (!job.signal.aborted) throw error;
  } finally {
    job.response.end();
  }
}

async function send(job: JobLog): Promise<void> {
  const { log, tailLines, follow, isOver, signal } = job;
  if (!(await isThere(job))) return;
  let position = await log.begin(tailLines);
  // Without `follow` a log that grows as fast as it is read must still come to an end.
  const limit = follow ? Infinity : ((await log.end()) ?? 0);
  while (position < limit) {
    signal.throwIfAborted();
    // Asked before the look: what a run wrote last is sent after its end was seen.
    const over = isOver();
    const piece = await log.read(position);
    if (piece !== undefined && piece.bytes.length > 0) {
      const length = Math.min(piece.bytes.length, limit - position);
      await write(piece.bytes.subarray(0, length), job);
      position = piece.next;
      continue;
    }
    if (!follow || over || piece === undefined) return;
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
  }
}

async function isThere({ log, follow, isOver, signal }: JobLog): Promise<boolean> {
  for (;;) {
    // Asked before the look: a run that ends in between has its log looked for once more.
    const over = isOver();
    if ((await log.end()) !== undefined) return true;
    if (!follow || over) return false;
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
  }
}

async function write(bytes: Buffer, { response, signal }: JobLog): Promise<void> {
  if (!response.write(bytes)) await once(response, 'drain', { signal });
}
