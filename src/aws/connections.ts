/**
 * The connections to AWS: keep-alive agents with their limits, and the proxy. Both SDK generations use the
 * same Smithy v4 handler. Long polls have a line of their own, so that a worker group that waits for work
 * never takes a socket from a report.
 */
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { getCACertificates } from 'node:tls';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { SILENT_LOGGER } from './quiet.ts';
import type { Environment } from './services-options.ts';

export interface Line {
  readonly handler: NodeHttpHandler;
  /** What the handler sends over, for requests that are no calls. */
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  /** Closes the connections that no call uses: the next calls open fresh ones. */
  closeIdle(): void;
  destroy(): void;
}

export interface LineOptions {
  /** How long a call may take; the caller ends it then, this line a second later if it did not. */
  readonly limitMs: number;
  readonly connectMs: number;
  readonly idleMs: number;
  readonly proxy?: string | undefined;
  readonly environment: Environment;
}

/** The SDK's own default; a host has far fewer calls under way. */
const SOCKETS_MAX = 50;
const BACKSTOP_MS = 1_000;

export function createLine(options: LineOptions): Line {
  const agentOptions = {
    keepAlive: true,
    maxSockets: SOCKETS_MAX,
    maxFreeSockets: SOCKETS_MAX,
    timeout: options.idleMs,
    ...proxyOptions(options.proxy, options.environment),
  };
  const httpAgent = new HttpAgent(agentOptions);
  const httpsAgent = new HttpsAgent({ ...agentOptions, ...authorities(options.environment) });
  const backstopMs = options.limitMs + BACKSTOP_MS;
  const handler = new NodeHttpHandler({
    connectionTimeout: options.connectMs,
    requestTimeout: backstopMs,
    throwOnRequestTimeout: true,
    socketTimeout: backstopMs,
    socketAcquisitionWarningTimeout: backstopMs,
    httpAgent,
    httpsAgent,
    logger: SILENT_LOGGER,
  });
  return {
    handler,
    agents: { http: httpAgent, https: httpsAgent },
    closeIdle: () => {
      for (const agent of [httpAgent, httpsAgent]) {
        for (const sockets of Object.values(agent.freeSockets)) {
          // A copy: a socket that closes leaves the list.
          for (const socket of [...(sockets ?? [])]) socket.destroy();
        }
      }
    },
    destroy: () => handler.destroy(),
  };
}

/**
 * The aws command and boto3 read AWS_CA_BUNDLE, the SDK does not: an operator who has named the authority of an
 * inspecting proxy there has named it for us. Beside the authorities that Node trusts (NODE_EXTRA_CA_CERTS included).
 */
function authorities(environment: Environment): { ca?: string[] } {
  const file = environment['AWS_CA_BUNDLE'];
  if (file === undefined || file === '') return {};
  try {
    return { ca: [...getCACertificates('default'), readFileSync(file, 'utf8')] };
  } catch (error) {
    throw new Error(`AWS_CA_BUNDLE: ${file} cannot be read`, { cause: error });
  }
}

/**
 * Node's own proxy support: HTTPS by CONNECT, HTTP by absolute form. A configured proxy takes the place of
 * HTTPS_PROXY and HTTP_PROXY; NO_PROXY holds for both.
 */
function proxyOptions(
  proxy: string | undefined,
  environment: Environment,
): { proxyEnv?: Environment } {
  const read = (name: string): string | undefined =>
    environment[name.toLowerCase()] ?? environment[name];
  const https = withScheme(proxy ?? read('HTTPS_PROXY'));
  const http = withScheme(proxy ?? read('HTTP_PROXY'));
  if (https === undefined && http === undefined) return {};
  return { proxyEnv: { HTTPS_PROXY: https, HTTP_PROXY: http, NO_PROXY: read('NO_PROXY') } };
}

/**
 * `proxy:3128` is common and works with curl; Node wants a URL. Node goes past a proxy of another kind
 * (SOCKS) without a word: that is refused, since an operator who names a proxy wants nothing to go past it.
 */
function withScheme(proxy: string | undefined): string | undefined {
  if (proxy === undefined || proxy === '') return undefined;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//iu.exec(proxy)?.[1]?.toLowerCase();
  if (scheme === undefined) return `http://${proxy}`;
  if (scheme === 'http' || scheme === 'https') return proxy;
  throw new Error(`a proxy must be http or https, not ${scheme}`);
}
