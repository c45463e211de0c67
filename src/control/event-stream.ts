/**
 * New timeline entries as server-sent events, one client each. A client that does not read is let go: its
 * backlog would otherwise grow in the agent's memory.
 */
import type { ServerResponse } from 'node:http';

import type { Operator } from '../ports.ts';
import { timelineEntryDocument } from './timeline-entry.ts';

/** A comment line keeps the connection visible to both ends; the usual 15 s of server-sent events. */
const KEEP_ALIVE_MS = 15_000;
const BACKLOG_BYTES_MAX = 1024 * 1024;

interface EventStream {
  readonly operator: Operator;
  /** Only entries of this job. */
  readonly job: string | undefined;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

/** Resolves when the client is gone or the server closes. */
export function streamEvents({ operator, job, response, signal }: EventStream): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    // Nothing follows on this connection, so a stopping agent need not wait for it.
    connection: 'close',
  });
  const send = (text: string): void => {
    response.write(text);
    if (response.writableLength > BACKLOG_BYTES_MAX) response.destroy();
  };
  send(': migration-agent\n\n');
  const unwatch = operator.watch((entry) => {
    if (job !== undefined && entry.job !== job) return;
    const name = entry.event.replaceAll(/[\r\n]/g, ' ');
    send(`event: ${name}\ndata: ${JSON.stringify(timelineEntryDocument(entry))}\n\n`);
  });
  const keepAlive = setInterval(() => send(': still here\n\n'), KEEP_ALIVE_MS);
  return new Promise((resolve) => {
    const end = (): void => {
      clearInterval(keepAlive);
      unwatch();
      response.end();
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
