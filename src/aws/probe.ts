/**
 * For `doctor`: which credentials there are, and whether an endpoint accepts connections. Calls use the same code as the
 * agent's (services.ts).
 */
import { defined } from '../core/lib/defined.ts';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { TLSSocket } from 'node:tls';
import { maskSecrets } from '../core/lib/secrets.ts';
import type { Services } from '../ports.ts';
import { withAnswerLimit } from './answer-limit.ts';
import { createConnectionPool } from './connections.ts';
import type { ConnectionPool } from './connections.ts';
import { Credentials } from './credentials.ts';
import { LIMITS } from './services-options.ts';
import type { Environment, ServicesOptions } from './services-options.ts';
import { createServices } from './services.ts';

export interface Probe {
  readonly services: Services;
  /** Rejects if there are none, or none in time. */
  credentials(): Promise<WhoIAm>;
  /** Connects, with TLS if the endpoint is https, and sends nothing. Rejects with the reason if that fails. */
  reach(endpoint: string): Promise<Reached>;
  close(): void;
}

export interface WhoIAm {
  /** The first and last characters of the access key id. */
  readonly key: string;
  /** Twelve digits, if the provider knows it. */
  readonly account?: string;
  /** Absent: they do not expire. */
  readonly expiresAtMs?: number;
}

export interface Reached {
  readonly tookMs: number;
}

export function createProbe(options: ServicesOptions): Probe {
  const services = createServices(options);
  const { callMs: limitMs, connectMs, credentialsMs, idleMs } = LIMITS;
  const { environment, proxy } = options;
  const pool = createConnectionPool({ limitMs, connectMs, idleMs, proxy, environment });
  const credentials = new Credentials({
    profile: options.profile,
    region: options.region ?? options.dataPipelineRegion,
    handler: () => Promise.resolve(pool.handler),
    limitMs: credentialsMs,
  });
  return {
    services,
    credentials: async () => {
      const { accessKeyId, accountId, expiration } = await withAnswerLimit(() =>
        credentials.provide(),
      );
      return defined({
        key: `${accessKeyId.slice(0, 4)}…${accessKeyId.slice(-4)}`,
        account: accountId,
        expiresAtMs: expiration === undefined ? undefined : expiration.getTime(),
      });
    },
    reach: (endpoint) => reach(endpoint, pool),
    close: () => {
      services.close();
      pool.destroy();
    },
  };
}

/** Where each service is called: the configuration, the SDK's own variables, AWS itself. */
export function endpointOf(
  service: 'migrationHub' | 'migrationHubConfig' | 'dataPipeline',
  options: Pick<ServicesOptions, 'endpoints'>,
  region: string,
  environment: Environment,
): string {
  const [variable, host] = {
    migrationHub: ['MIGRATION_HUB', 'mgh'],
    migrationHubConfig: ['MIGRATIONHUB_CONFIG', 'migrationhub-config'],
    dataPipeline: ['DATA_PIPELINE', 'datapipeline'],
  }[service] as [string, string];
  const isIgnored = environment['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']?.toLowerCase() === 'true';
  const ofEnvironment = isIgnored
    ? undefined
    : [`AWS_ENDPOINT_URL_${variable}`, 'AWS_ENDPOINT_URL']
        .map((name) => environment[name])
        .find((url) => url !== undefined && url !== '');
  return options.endpoints[service] ?? ofEnvironment ?? `https://${host}.${region}.amazonaws.com`;
}

/** A request that never sends a byte: its agent connects, through the proxy if there is one. */
async function reach(endpoint: string, { agents }: ConnectionPool): Promise<Reached> {
  const sinceMs = performance.now();
  const isTls = endpoint.startsWith('https:');
  const timeout = LIMITS.connectMs;
  const request = isTls
    ? httpsRequest(endpoint, { agent: agents.https, timeout })
    : httpRequest(endpoint, { agent: agents.http, timeout });
  try {
    await new Promise<void>((resolve, reject) => {
      request.once('socket', (socket) => {
        // Through a proxy the socket arrives after its TLS handshake, otherwise before.
        const isShakingHands = socket instanceof TLSSocket && socket.getFinished() === undefined;
        if (!socket.connecting && !isShakingHands) resolve();
        else socket.once(isTls ? 'secureConnect' : 'connect', resolve);
      });
      request.once('timeout', () => reject(new Error(`no connection within ${timeout / 1000} s`)));
      request.once('error', (error: NodeJS.ErrnoException) => {
        const message = error.message === '' ? (error.code ?? 'no reason given') : error.message;
        reject(new Error(maskSecrets(message), { cause: error }));
      });
    });
  } finally {
    request.on('error', () => undefined);
    request.destroy();
  }
  return { tookMs: Math.round(performance.now() - sinceMs) };
}
