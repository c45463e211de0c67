/**
 * The read-only TCP listener: metrics, health and the status page. Nothing can be changed through it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Registry } from 'prom-client';

import type { Log, Operator } from '../../ports.ts';
import { boundConnections } from './connection-limit.ts';
import { isHostAllowed } from './host-header.ts';
import { CONNECTION_LIMITS, listenOn, refuseMalformed, stopServer } from './listening.ts';
import { jobPageDocument } from '../page/job-page.ts';
import { outputDocument } from '../page/output.ts';
import type { OutputOptions } from '../page/output.ts';
import { Overviews } from '../page/overview.ts';
import { PageAssets, PAGE_POLICY } from '../page/page-assets.ts';
import { wholeStatus } from '../lib/every-job.ts';
import { jsonText } from '../lib/json-text.ts';
import { readiness } from '../readiness.ts';

/** Not by `import`: see server.ts. */
const { createServer } = process.getBuiltinModule('node:http');

export interface HttpListenerOptions {
  /** `HOST:PORT`; an IPv6 address is written in brackets. */
  readonly listen: string;
  readonly operator: Operator;
  readonly registry: Registry;
  /** Names that it answers to beside IP addresses and localhost (`agent.http.hosts`), as they are at this moment. */
  readonly hosts?: () => readonly string[];
  /** For the output of jobs on the page; absent: it is not shown. */
  readonly output?: Omit<OutputOptions, 'operator'>;
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
  const pages = createPages(options);
  const server = createServer({ ...CONNECTION_LIMITS.http }, (request, response) => {
    answer(request, response, pages, options.hosts?.() ?? []).catch((error: unknown) => {
      options.log?.write('error', 'http.failed', 'request could not be served', { err: error });
      if (response.headersSent) response.destroy();
      else send(response, plain(500, 'the agent could not serve this request; see its log\n'));
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

interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Path {
  readonly pattern: RegExp;
  /** `undefined`: there is no such page after all. */
  readonly make: (
    name: string,
    query: URLSearchParams,
  ) => Promise<Page | undefined> | Page | undefined;
}

const NO_PAGE = plain(
  404,
  'there are /, /status.json, /overview.json, /jobs/NAME.json, /jobs/NAME/output.json, /metrics, /healthz, /readyz\n',
);

function createPages({ operator, registry, output }: HttpListenerOptions): readonly Path[] {
  const assets = new PageAssets();
  const overviews = new Overviews(operator);
  return [
    {
      pattern: /^\/metrics$/,
      make: async () => ({
        status: 200,
        type: registry.contentType,
        text: await registry.metrics(),
      }),
    },
    // The answer itself is the proof: a loop that hangs does not answer.
    { pattern: /^\/healthz$/, make: () => plain(200, 'ok\n') },
    {
      pattern: /^\/readyz$/,
      make: () => {
        const state = readiness(operator.agent());
        return json(state, state.ready ? 200 : 503);
      },
    },
    {
      pattern: /^\/status\.json$/,
      make: async () => pageOf(await jsonText(await wholeStatus(operator))),
    },
    {
      pattern: /^\/overview\.json$/,
      make: async (_name, query) => json(await overviews.document(query)),
    },
    { pattern: /^\/jobs\/([^/]+)\.json$/, make: (name) => jsonOf(jobPageDocument(operator, name)) },
    {
      pattern: /^\/jobs\/([^/]+)\/output\.json$/,
      make: async (name, query) =>
        output && jsonOf(await outputDocument({ operator, ...output }, name, query)),
    },
    { pattern: /^\/$/, make: () => withPolicy(assets.get('index.html')) },
    { pattern: /^\/page\/([a-z-]+\.(?:ts|css))$/, make: (name) => withPolicy(assets.get(name)) },
  ];
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pages: readonly Path[],
  hosts: readonly string[],
): Promise<void> {
  if (!isHostAllowed(request.headers.host, hosts)) {
    send(response, plain(421, UNKNOWN_HOST));
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    send(response, plain(405, 'only GET and HEAD\n'));
  } else {
    const [path = '', query] = (request.url ?? '').split('?', 2);
    send(response, (await find(pages, path, new URLSearchParams(query))) ?? NO_PAGE);
  }
}

async function find(
  pages: readonly Path[],
  path: string,
  query: URLSearchParams,
): Promise<Page | undefined> {
  for (const { pattern, make } of pages) {
    const match = pattern.exec(path);
    const name = match === null ? undefined : decoded(match[1] ?? '');
    if (name !== undefined) return make(name, query);
  }
  return undefined;
}

function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

function plain(status: number, text: string): Page {
  return { status, type: 'text/plain', text };
}

function json(document: unknown, status = 200): Page {
  return pageOf(`${JSON.stringify(document)}\n`, status);
}

function pageOf(text: string, status = 200): Page {
  return { status, type: 'application/json', text };
}

function jsonOf(document: object | undefined): Page | undefined {
  return document === undefined ? undefined : json(document);
}

function withPolicy(asset: { type: string; text: string } | undefined): Page | undefined {
  if (asset === undefined) return undefined;
  return { status: 200, ...asset, headers: { 'content-security-policy': PAGE_POLICY } };
}

function send(response: ServerResponse, { status, type, text, headers }: Page): void {
  const body = Buffer.from(text);
  response.writeHead(status, {
    ...headers,
    'content-type': type,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
  response.end(body);
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
