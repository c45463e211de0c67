/** HTTP on 127.0.0.1 only: reads requests, sends answers, and breaks connections as the fault rules require. */
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { browserRefusal } from './browser-guard.ts';
import type { RequestHead } from './browser-guard.ts';
import { controlAnswer } from './control.ts';
import type { ControlledSimulator } from './control.ts';
import { callerName, signedRegion } from '../gateway/json-protocol.ts';
import type { Delivery } from '../gateway/json-protocol.ts';

interface SimulatorServer {
  listen(port: number): Promise<{ readonly port: number; readonly url: string }>;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
/** The largest request is EvaluateExpression with 20,971,520 characters of up to four bytes. */
const BODY_BYTES_MAX = 81 * 1024 * 1024;
/** Longer than clients keep idle connections, so that the client closes them and not the server. */
const KEEP_ALIVE_MS = 120_000;

export function createServer(simulator: ControlledSimulator): SimulatorServer {
  const sockets = new Set<Socket>();
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BODY_BYTES_MAX) chunks.push(chunk);
    });
    request.on('end', () => {
      if (size > BODY_BYTES_MAX) {
        response.writeHead(413, { 'Content-Type': 'application/x-amz-json-1.1' });
        response.end('{"__type":"RequestEntityTooLargeException"}');
        return;
      }
      const body = Buffer.concat(chunks).toString('utf8');
      const url = urlOf(request);
      const isControl = url?.pathname.startsWith('/_simulator') === true;
      const refusal = browserRefusal(headOf(request), isControl);
      if (refusal !== undefined) {
        const { status, message } = refusal;
        response.writeHead(status, { 'Content-Type': 'application/json' });
        response.end(`${JSON.stringify({ message })}\n`);
      } else if (isControl) {
        const { status, type, text } = controlAnswer(simulator, request.method ?? 'GET', url, body);
        response.writeHead(status, { 'Content-Type': type }).end(text);
      } else {
        serve(simulator, request, response, body);
      }
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  // A held poll may last longer than any default timeout: the simulator decides when to answer.
  server.requestTimeout = 0;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  return {
    listen: (port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, HOST, () => {
          server.off('error', reject);
          const { port: taken } = server.address() as AddressInfo;
          resolve({ port: taken, url: `http://${HOST}:${taken}` });
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function headOf({ method = 'GET', headers }: http.IncomingMessage): RequestHead {
  const site = headers['sec-fetch-site'];
  return {
    method,
    host: headers.host,
    origin: headers.origin,
    fetchSite: typeof site === 'string' ? site : undefined,
    contentType: headers['content-type'],
  };
}

/** Undefined for a request line that names no path, such as `OPTIONS *` or `//`. */
function urlOf(request: http.IncomingMessage): URL | undefined {
  return URL.parse(request.url ?? '/', `http://${HOST}`) ?? undefined;
}

function serve(
  simulator: ControlledSimulator,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  body: string,
): void {
  const isGone = (): boolean => response.destroyed || request.socket.destroyed;
  const target = request.headers['x-amz-target'];
  const hangUp = simulator.gateway.call(
    {
      target: typeof target === 'string' ? target : undefined,
      body,
      region: signedRegion(request.headers.authorization),
      by: callerName(request.headers['user-agent'], request.headers.authorization),
      isGone,
    },
    (delivery) => {
      const wasGone = isGone();
      deliver(response, delivery);
      return !wasGone;
    },
  );
  response.on('close', () => {
    if (!response.writableFinished) hangUp();
  });
}

function deliver(response: http.ServerResponse, delivery: Delivery): void {
  switch (delivery.kind) {
    case 'answer':
      response.writeHead(delivery.status, delivery.headers).end(delivery.body);
      return;
    case 'cut':
      response.writeHead(delivery.status, delivery.headers);
      response.write(delivery.body.slice(0, Math.ceil(delivery.body.length / 2)), () => {
        response.socket?.destroy();
      });
      return;
    case 'stall':
      response.writeHead(delivery.status, delivery.headers);
      response.write(delivery.body.slice(0, Math.ceil(delivery.body.length / 2)));
      return;
    case 'close':
      response.socket?.destroy();
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'silence':
      // The connection stays open until the client gives up or the simulator ends.
      return;
  }
}
