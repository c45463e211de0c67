/**
 * New timeline entries as server-sent events, each with an id. A client that reconnects with the last id it saw
 * (`Last-Event-ID`) gets what it missed, or the event `gap` if that is no longer kept. A client that does not read is
 * disconnected, because its backlog would grow in the agent's memory.
 */
import type { ServerResponse } from 'node:http';

import type { NumberedEntry, RecentEvents } from './recent-events.ts';
import { timelineEntryDocument } from './timeline-entry.ts';

/** A comment line shows both ends that the connection lives; 15 s is usual for server-sent events. */
const KEEP_ALIVE_MS = 15_000;
const BACKLOG_BYTES_MAX = 1024 * 1024;

interface EventStream {
  readonly events: RecentEvents;
  /** Only entries of this job. */
  readonly job: string | undefined;
  /** The id of the last entry that the client has. */
  readonly after: string | undefined;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

/** Resolves when the client is gone or the server closes. */
export function streamEvents(stream: EventStream): Promise<void> {
  const { events, after, response, signal } = stream;
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    // No other request follows on this connection, so a stopping agent need not wait for it.
    connection: 'close',
  });
  const send = (text: string): void => {
    response.write(text);
    if (response.writableLength > BACKLOG_BYTES_MAX) response.destroy();
  };
  const sendEntry = ({ id, entry }: NumberedEntry): void => {
    if (stream.job !== undefined && entry.job !== stream.job) return;
    const name = entry.event.replaceAll(/[\r\n]/g, ' ');
    send(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(timelineEntryDocument(entry))}\n\n`);
  };
  send(': migration-agent\n\n');
  if (after !== undefined) {
    const missed = events.after(after);
    if (missed === undefined) send('event: gap\ndata: {}\n\n');
    else for (const entry of missed) sendEntry(entry);
  }
  const unwatch = events.watch(sendEntry);
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
