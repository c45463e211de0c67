/**
 * Sends the output of a run: all that is kept or its last lines, and on request what is still being written. Reads in
 * pieces and waits for the client, so that neither a huge log nor a slow reader costs memory.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogReader } from '../lib/log-reader.ts';

/** How soon a follower sees a new line. */
const LOOK_AGAIN_MS = 200;

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
    // No other request follows on this connection, so a stopping agent need not wait for it.
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
  // Without `follow`, reading must end even if the log grows as fast as it is read.
  const limit = follow ? Infinity : ((await log.end()) ?? 0);
  while (position < limit) {
    signal.throwIfAborted();
    // Asked before reading: the last output of a run is sent after its end was seen.
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
    // Asked before reading: if the run ends in between, its log is looked for once more.
    const over = isOver();
    if ((await log.end()) !== undefined) return true;
    if (!follow || over) return false;
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
  }
}

async function write(bytes: Buffer, { response, signal }: JobLog): Promise<void> {
  if (!response.write(bytes)) await once(response, 'drain', { signal });
}
