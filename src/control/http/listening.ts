/** Shared by both listeners: limits, how to listen and stop, the answer to bytes that are not HTTP. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { ListenOptions } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export const CONNECTION_LIMITS = {
  /** Operators, followers and scrapers; far below the limit of open files (connection-limit.ts handles more). */
  connectionsMax: 256,
  http: {
    maxHeaderSize: 16 * 1024,
    /** A client on the same host or network needs far less. */
    headersTimeout: 10_000,
    requestTimeout: 10_000,
    keepAliveTimeout: 5_000,
    /** Who is too slow is cut off within this time more. Each look wakes the agent, whether there is a connection or not. */
    connectionsCheckingInterval: 10_000,
  },
} as const;

/** How long an answer may take to go out when the agent stops. */
const CLOSE_MS_MAX = 1_000;

export async function listenOn(
  server: Server,
  options: ListenOptions | { readonly fd: number },
): Promise<void> {
  server.listen(options);
  await once(server, 'listening');
}

/** Stops accepting, lets running answers end for a moment, then ends what is left. */
export async function stopServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = new AbortController();
  await Promise.race([
    closed,
    sleep(CLOSE_MS_MAX, undefined, { signal: timer.signal }).catch(() => undefined),
  ]);
  timer.abort();
  server.closeAllConnections();
  await closed;
}

/** Answers bytes that are not HTTP, a request that takes too long, and a header that is too large. */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, message] = refusal(error.code);
  const body = `${JSON.stringify({ error: { code, message } })}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function refusal(code: string | undefined): [status: string, code: string, message: string] {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return ['431 Request Header Fields Too Large', 'too-big', 'the header is too large'];
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return ['408 Request Timeout', 'timeout', 'the request took too long to arrive'];
  }
  return ['400 Bad Request', 'invalid', 'this is not an HTTP request'];
}
