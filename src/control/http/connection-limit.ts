/**
 * Limits the number of connections. Beyond the limit a new connection replaces the one that has been open longest
 * without a complete request: an idle one, or one that sends its request byte by byte. So neither thousands of silent
 * connections nor slow ones keep an operator out. A connection that is being answered is never closed.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

const BUSY =
  'HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\ncontent-type: application/json\r\n\r\n' +
  '{"error":{"code":"busy","message":"too many requests are being answered; try again"}}\n';

export function boundConnections(server: Server, connectionsMax: number): void {
  /** In the order of their last request, or of their arrival. */
  const requests = new Map<Socket, IncomingMessage | undefined>();

  server.on('connection', (socket) => {
    requests.set(socket, undefined);
    socket.once('close', () => requests.delete(socket));
    if (requests.size <= connectionsMax) return;
    const idle = longestSilent(requests);
    if (idle === socket) socket.end(BUSY, () => socket.destroy());
    else idle?.destroy();
  });
  server.on('request', (request, response) => {
    const { socket } = request;
    requests.set(socket, request);
    response.once('close', () => {
      if (!requests.delete(socket) || socket.destroyed) return;
      requests.set(socket, undefined);
    });
  });
}

function longestSilent(
  requests: ReadonlyMap<Socket, IncomingMessage | undefined>,
): Socket | undefined {
  for (const [socket, request] of requests) {
    // `complete`: everything of it has arrived, so it is being answered.
    if (request?.complete !== true) return socket;
  }
  return undefined;
}
