/**
 * Connections to AWS: keep-alive agents with their limits, and the proxy. Both SDK generations use the same Smithy v4
 * handler. Long polls have a connection pool of their own, so that a poll that waits for work never takes a socket from
 * a report.
 */
import { readFileSync } from 'node:fs';
import type { Agent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AgentOptions } from 'node:https';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { defined } from '../../core/lib/defined.ts';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { SILENT_LOGGER } from './silent-logger.ts';
import { proxyEnvironment } from './proxy-environment.ts';
import type { Environment } from './options.ts';

/**
 * Not by `import`, which reads every export of the module: one of them loads the whole of undici, which the agent never uses.
 */
const { Agent: HttpAgent } = process.getBuiltinModule('node:http');

export interface ConnectionPool {
  readonly handler: NodeHttpHandler;
  /** The agents below the handler, for requests that are not SDK calls. */
  readonly agents: { readonly http: Agent; readonly https: HttpsAgent };
  /** Closes idle connections: the next calls open new ones. */
  closeIdle(): void;
  destroy(): void;
}

export interface ConnectionPoolOptions {
  /** How long a call may take. The caller aborts it then; the handler does so a second later if the caller did not. */
  readonly limitMs: number;
  readonly connectMs: number;
  readonly idleMs: number;
  readonly proxy?: string | undefined;
  readonly environment: Environment;
  /** Absent: those that Node.js trusts. */
  readonly authorities: Authorities | undefined;
}

/** No fewer than the planner has calls of one operation in flight (pacing.ts), and some for the others. */
const SOCKETS_MAX = 300;
/** Kept open while nothing is sent: the SDK's own default. */
const FREE_SOCKETS_MAX = 50;
const BACKSTOP_MS = 1_000;

export function createConnectionPool(options: ConnectionPoolOptions): ConnectionPool {
  const agentOptions = {
    keepAlive: true,
    maxSockets: SOCKETS_MAX,
    maxFreeSockets: FREE_SOCKETS_MAX,
    timeout: options.idleMs,
    ...defined({ proxyEnv: proxyEnvironment(options.proxy, options.environment) }),
  };
  const httpAgent = new HttpAgent(agentOptions);
  const httpsAgent =
    options.authorities === undefined
      ? new HttpsAgent(agentOptions)
      : new BundleAgent(agentOptions, options.authorities);
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

/** Made ready at the first use. Throws if they cannot be read. */
export type Authorities = () => SecureContext;

/**
 * The aws command and boto3 read AWS_CA_BUNDLE and a profile's ca_bundle, the SDK for JavaScript does not. The agent adds that
 * bundle to the authorities that Node trusts (NODE_EXTRA_CA_CERTS included), so one setting serves all tools of the host.
 */
export function authoritiesWith(bundle: string): Authorities {
  let made: SecureContext | undefined;
  return () => (made ??= readAuthorities(bundle));
}

function readAuthorities(file: string): SecureContext {
  let bundle: string;
  try {
    bundle = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`AWS_CA_BUNDLE or ca_bundle: ${file} cannot be read`, { cause: error });
  }
  return createSecureContext({ ca: [...getCACertificates('default'), bundle] });
}

/**
 * As the option `ca` the authorities would be a part of the name by which the agent of Node.js finds an idle connection: a text
 * of a megabyte for each request.
 */
class BundleAgent extends HttpsAgent {
  readonly #authorities: Authorities;

  constructor(options: AgentOptions, authorities: Authorities) {
    super(options);
    this.#authorities = authorities;
  }

  override createConnection(
    ...[options, done]: Parameters<HttpsAgent['createConnection']>
  ): ReturnType<HttpsAgent['createConnection']> {
    const secured = { ...options, secureContext: this.#authorities() };
    return super.createConnection(secured, done);
  }
}
