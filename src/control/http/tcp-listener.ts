/**
 * The read-only TCP listener: metrics, health and the status page. Nothing can be changed through it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Registry } from 'prom-client';

import type { Log, Operator } from '../../ports.ts';
import { boundConnections } from './connection-limit.ts';
import { isHostAllowed } from './host-header.ts';
import { CONNECTION_LIMITS, listenOn, refuseMalformed, stopServer } from './listening.ts';
import { jobPageDocument } from '../page/job-page.ts';
import { readiness } from '../readiness.ts';
import { STATUS_PAGE, STATUS_PAGE_POLICY } from '../page/status-page.ts';

export interface HttpListenerOptions {
  /** `HOST:PORT`; an IPv6 address is written in brackets. */
  readonly listen: string;
  readonly operator: Operator;
  readonly registry: Registry;
  /** Names that it answers to beside IP addresses and localhost (`agent.http.hosts`), as they are at this moment. */
  readonly hosts?: () => readonly string[];
  readonly log?: Log;
}

const UNKNOWN_HOST =
  'this name is not one that the agent answers to; use an IP address, or add the name to agent.http.hosts\n';

export interface HttpListener {
  /** Resolves with the address that is listened on: port 0 becomes a free one. */
  listen(): Promise<{ readonly host: string; readonly port: number }>;
  close(): Promise<void>;
}

export function createHttpListener(options: HttpListenerOptions): HttpListener {
  const server = createServer({ ...CONNECTION_LIMITS.http }, (request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      options.log?.write('error', 'http.failed', 'request could not be served', { err: error });
      if (response.headersSent) response.destroy();
      else
        reply(response, 500, 'text/plain', 'the agent could not serve this request; see its log\n');
    });
  });
  boundConnections(server, CONNECTION_LIMITS.connectionsMax);
  server.on('clientError', refuseMalformed);
  return {
    listen: async () => {
      await listenOn(server, readAddress(options.listen));
      const { address, port } = server.address() as AddressInfo;
      return { host: address, port };
    },
    close: () => stopServer(server),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { operator, registry, hosts }: HttpListenerOptions,
): Promise<void> {
  if (!isHostAllowed(request.headers.host, hosts?.() ?? [])) {
    reply(response, 421, 'text/plain', UNKNOWN_HOST);
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    reply(response, 405, 'text/plain', 'only GET and HEAD\n');
    return;
  }
  const path = (request.url ?? '').split('?', 1)[0];
  if (path === '/metrics') {
    reply(response, 200, registry.contentType, await registry.metrics());
  } else if (path === '/healthz') {
    // The answer itself is the proof: a loop that hangs answers nobody.
    reply(response, 200, 'text/plain', 'ok\n');
  } else if (path === '/readyz') {
    const state = readiness(operator.agent());
    reply(response, state.ready ? 200 : 503, 'application/json', `${JSON.stringify(state)}\n`);
  } else if (path === '/status.json') {
    reply(response, 200, 'application/json', `${JSON.stringify(operator.status())}\n`);
  } else if (path?.startsWith('/jobs/') === true) {
    const document = jobPageDocument(operator, path);
    if (document === undefined) reply(response, 404, 'text/plain', 'there is no such job\n');
    else reply(response, 200, 'application/json', `${JSON.stringify(document)}\n`);
  } else if (path === '/') {
    response.setHeader('content-security-policy', STATUS_PAGE_POLICY);
    reply(response, 200, 'text/html; charset=utf-8', STATUS_PAGE);
  } else {
    reply(response, 404, 'text/plain', 'there are /, /status.json, /metrics, /healthz, /readyz\n');
  }
}

function reply(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
  response.end(text);
}

function readAddress(listen: string): { host: string; port: number } {
  const match = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[^:\s]+)):(?<port>\d{1,5})$/.exec(listen);
  const host = match?.groups?.['six'] ?? match?.groups?.['host'];
  const port = Number(match?.groups?.['port']);
  if (host === undefined || port > 65_535) {
    throw new Error(`${listen} is not an address to listen on: expected HOST:PORT or [IPv6]:PORT`);
  }
  return { host, port };
}
