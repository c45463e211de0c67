/**
 * HTTP for the operator on the agent's Unix socket. Finds the route, has it served, and answers problems in one
 * form. Connections, streams, headers, bodies and times are all limited, so a client harms only itself.
 */
import { defined } from '../../core/lib/defined.ts';
import { chmod } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Log } from '../../ports.ts';
import { boundConnections } from './connection-limit.ts';
import { CONNECTION_LIMITS, listenOn, refuseMalformed, stopServer } from './listening.ts';
import { controlRefusal } from '../lib/ad-hoc.ts';
import type { AdHocRights } from '../lib/ad-hoc.ts';
import { peerOf } from '../lib/peer.ts';
import type { Peer, ReadPeer } from '../lib/peer.ts';
import { Problem } from '../lib/problem.ts';
import { jsonText } from '../lib/json-text.ts';
import type { Answer, Route, Streamed } from '../lib/route.ts';
import { BodyMemory } from '../lib/read-body.ts';
import { RecentEvents } from '../routes/recent-events.ts';
import { createRoutes } from '../routes/routes.ts';
import type { RoutesOptions } from '../routes/routes.ts';
import { claimSocketFile } from './socket-file.ts';

/**
 * Not by `import`, which reads every export of the module: one of them loads the whole of undici, which the agent never uses.
 */
const { createServer } = process.getBuiltinModule('node:http');

export interface ControlServerOptions extends RoutesOptions {
  readonly socketPath: string;
  /** A listening socket that systemd passed on. It is used, and its file belongs to systemd. */
  readonly inheritedFd?: number;
  /** Gets internal errors and who requested a change; reads are not logged. */
  readonly log?: Log;
  /** Reads who is at the other end of a connection; absent if the host cannot tell. */
  readonly readPeer?: ReadPeer;
  /** How long a client may take to send its request. */
  readonly requestTimeoutMs?: number;
}

export interface ControlServer {
  /** Rejects with a clear error if another agent listens there. */
  listen(): Promise<void>;
  /** Ends the streams, lets other answers go out, removes the socket file. */
  close(): Promise<void>;
}

/** Streams may last for hours; the other connections stay free for short requests. */
const STREAMS_MAX = 32;

export function createControlServer(options: ControlServerOptions): ControlServer {
  const events = new RecentEvents(options.operator);
  const routes = createRoutes(options, events);
  const closing = new AbortController();
  const bodies = new BodyMemory();
  let streams = 0;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    let asked: Requested | undefined;
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
      const needsPeer = route.audited === true || route.needsPeer === true;
      const peer = needsPeer ? peerOf(request, options.readPeer) : undefined;
      asked = { route, name, peer };
      if (route.privileged) checkPrivilege(route, options.adHoc(), peer);
      const audit = (): void => {
        if (route.audited) logRequest(options.log, { route, name, peer });
      };
      await send(
        response,
        await route.serve(request, { name, query, peer, bodies, audit, signal, response }),
      );
    } catch (error) {
      if (asked !== undefined && isRefusal(error)) logRefusal(options.log, asked);
      sendProblem(response, error, options.log);
    }
  };

  const server = createServer(
    {
      ...CONNECTION_LIMITS.http,
      ...timeouts(options.requestTimeoutMs),
    },
    (request, response) => {
      // The client has closed the connection.
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
      // For the owner and the group: who may write to the socket may stop jobs.
      await chmod(options.socketPath, 0o660);
    },
    close: async () => {
      closing.abort();
      events.close();
      await stopServer(server);
    },
  };
}

interface Requested {
  readonly route: Route;
  readonly name: string;
  readonly peer: Peer | undefined;
}

function checkPrivilege(route: Route, rights: AdHocRights, peer: Peer | undefined): void {
  const request = route.path.replace('/v1/', '').replaceAll('/', ' ');
  const refusal = controlRefusal(request, rights, peer);
  if (refusal !== undefined) throw new Problem('forbidden', refusal);
}

function isRefusal(error: unknown): boolean {
  return error instanceof Problem && error.code === 'forbidden';
}

function logRequest(log: Log | undefined, { route, name, peer }: Requested): void {
  log?.write('info', 'control.requested', 'an operator requested a change', {
    request: `${route.method} ${route.path}`,
    ...defined({ job: name === '' ? undefined : name }),
    ...defined({ uid: peer?.uid, pid: peer?.pid, user: peer?.user }),
  });
}

function logRefusal(log: Log | undefined, { route, name, peer }: Requested): void {
  log?.write('info', 'control.refused', 'a request was refused: its caller may not do this', {
    request: `${route.method} ${route.path}`,
    ...defined({ job: name === '' ? undefined : name }),
    ...defined({ uid: peer?.uid, pid: peer?.pid, user: peer?.user }),
  });
}

function timeouts(ms: number | undefined): object {
  if (ms === undefined) return {};
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

async function send(response: ServerResponse, answer: Answer | Streamed): Promise<void> {
  if (answer === 'streamed') return;
  writeJson(response, answer.status, await jsonText(answer.body), {});
}

function sendProblem(response: ServerResponse, error: unknown, log: Log | undefined): void {
  const problem =
    error instanceof Problem
      ? error
      : new Problem('internal', 'the agent could not serve this request; see its log');
  if (problem !== error && !response.destroyed) {
    log?.write('error', 'control.failed', 'request could not be served', { err: error });
  }
  if (response.headersSent) {
    // A partial answer must not look complete.
    response.destroy();
    return;
  }
  const body = { error: { code: problem.code, message: problem.message } };
  writeJson(response, problem.httpStatus, `${JSON.stringify(body)}\n`, problem.headers);
}

function writeJson(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>>,
): void {
  const bytes = Buffer.from(text);
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': bytes.length,
    'cache-control': 'no-store',
  });
  response.end(bytes);
}
