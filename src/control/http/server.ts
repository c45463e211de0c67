/**
 * HTTP for the operator on the agent's Unix socket. Finds the route, has it served, and answers problems in
 * one form. Bounded everywhere: connections, streams, header and body, the time they may take; whatever a
 * client sends harms nobody but itself.
 */
import { chmod } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import type { Log } from '../../ports.ts';
import { boundConnections } from './connection-limit.ts';
import { CONNECTION_LIMITS, listenOn, refuseMalformed, stopServer } from './listening.ts';
import { peerOf } from '../lib/peer.ts';
import type { Peer, ReadPeer } from '../lib/peer.ts';
import { Problem } from '../lib/problem.ts';
import type { Answer, Route, Streamed } from '../lib/route.ts';
import { RecentEvents } from '../routes/recent-events.ts';
import { createRoutes } from '../routes/routes.ts';
import type { RoutesOptions } from '../routes/routes.ts';
import { claimSocketFile } from './socket-file.ts';

export interface ControlServerOptions extends RoutesOptions {
  readonly socketPath: string;
  /** A socket that listens there already, handed over by systemd: it is used, and its file stays systemd's. */
  readonly inheritedFd?: number;
  /** Told of faults of ours and of who changed something; questions are not logged. */
  readonly log?: Log;
  /** Who is at the other end of a connection; absent: nobody can tell. */
  readonly readPeer?: ReadPeer;
  /** How long a client may take to send its request. */
  readonly requestTimeoutMs?: number;
}

export interface ControlServer {
  /** Rejects with a clear error when another agent listens there. */
  listen(): Promise<void>;
  /** Ends the streams, lets other answers go out, removes the socket file. */
  close(): Promise<void>;
}

/** Streams may stay for hours; most connections are kept for questions. */
const STREAMS_MAX = 32;

export function createControlServer(options: ControlServerOptions): ControlServer {
  const events = new RecentEvents(options.operator);
  const routes = createRoutes(options, events);
  const closing = new AbortController();
  let streams = 0;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      const { route, name, query } = findRoute(routes, request);
      if (route.stream && streams >= STREAMS_MAX) {
        throw new Problem('too-many-streams', `${STREAMS_MAX} streams are open; close one first`);
      }
      if (route.stream) {
        streams += 1;
        response.once('close', () => (streams -= 1));
      }
      const signal = AbortSignal.any([closing.signal, gone.signal]);
      const peer = route.audited ? peerOf(request, options.readPeer) : undefined;
      const audit = (): void => {
        if (route.audited) logRequest(options.log, route, name, peer);
      };
      send(response, await route.serve(request, { name, query, peer, audit, signal, response }));
    } catch (error) {
      sendProblem(response, error, options.log);
    }
  };

  const server = createServer(
    {
      ...CONNECTION_LIMITS.http,
      ...(options.requestTimeoutMs === undefined ? {} : timeouts(options.requestTimeoutMs)),
    },
    (request, response) => {
      // A client that went away took its answer with it.
      answer(request, response).catch(() => response.destroy());
    },
  );
  boundConnections(server, CONNECTION_LIMITS.connectionsMax);
  server.on('clientError', refuseMalformed);

  return {
    listen: async () => {
      const { inheritedFd } = options;
      if (inheritedFd !== undefined) {
        await listenOn(server, { fd: inheritedFd });
        return;
      }
      await claimSocketFile(options.socketPath);
      await listenOn(server, { path: options.socketPath });
      // The owner and its group: whoever may write here may stop jobs.
      await chmod(options.socketPath, 0o660);
    },
    close: async () => {
      closing.abort();
      events.close();
      await stopServer(server);
    },
  };
}

function logRequest(log: Log | undefined, route: Route, name: string, peer?: Peer): void {
  log?.write('info', 'control.asked', 'an operator asks for a change', {
    request: `${route.method} ${route.path}`,
    ...(name === '' ? {} : { job: name }),
    ...(peer === undefined ? {} : { uid: peer.uid, pid: peer.pid, user: peer.user }),
  });
}

function timeouts(ms: number): object {
  return { headersTimeout: ms, requestTimeout: ms, connectionsCheckingInterval: ms / 2 };
}

function findRoute(
  routes: readonly Route[],
  request: IncomingMessage,
): { route: Route; name: string; query: URLSearchParams } {
  const [path = '', query] = (request.url ?? '').split('?', 2);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const allowed: string[] = [];
  for (const route of routes) {
    const name = route.match(path);
    if (name === undefined) continue;
    if (route.method === method) {
      return { route, name: decodeName(name), query: new URLSearchParams(query) };
    }
    allowed.push(route.method);
  }
  if (allowed.length > 0) {
    const allow = allowed.join(', ');
    throw new Problem('method-not-allowed', `use ${allow}`, { allow });
  }
  throw new Problem('no-such-page', `there is no ${path}; see /v1/openapi.json`);
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw new Problem('invalid', 'path: the name is badly encoded');
  }
}

function send(response: ServerResponse, answer: Answer | Streamed): void {
  if (answer === 'streamed') return;
  writeJson(response, answer.status, answer.body, {});
}

function sendProblem(response: ServerResponse, error: unknown, log: Log | undefined): void {
  const problem =
    error instanceof Problem
      ? error
      : new Problem('internal', 'the agent could not serve this; its log says why');
  if (problem !== error && !response.destroyed) {
    log?.write('error', 'control.failed', 'request could not be served', { err: error });
  }
  if (response.headersSent) {
    // Half an answer must not look like a whole one.
    response.destroy();
    return;
  }
  const body = { error: { code: problem.code, message: problem.message } };
  writeJson(response, problem.httpStatus, body, problem.headers);
}

function writeJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
