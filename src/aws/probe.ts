/**
 * What can be found out about the way to AWS without the agent: whose credentials there are, and whether an endpoint
 * answers at all. Calls go the way of the agent's own (services.ts).
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { TLSSocket } from 'node:tls';
import { maskSecrets } from '../core/lib/secrets.ts';
import type { Services } from '../ports.ts';
import { createLine } from './connections.ts';
import type { Line } from './connections.ts';
import { Credentials } from './credentials.ts';
import { LIMITS } from './services-options.ts';
import type { Environment, ServicesOptions } from './services-options.ts';
import { createServices } from './services.ts';

export interface Probe {
  readonly services: Services;
  /** Rejects where there are none, or none in time. */
  credentials(): Promise<WhoIAm>;
  /** Connects, with TLS where the endpoint has it, and sends nothing. Rejects with the reason where that fails. */
  reach(endpoint: string): Promise<Reached>;
  close(): void;
}

export interface WhoIAm {
  /** The beginning and the end of the access key's id. */
  readonly key: string;
  /** Twelve digits, where the provider tells. */
  readonly account?: string;
  /** Absent: they have no end. */
  readonly expiresAtMs?: number;
}

export interface Reached {
  readonly tookMs: number;
}

export function createProbe(options: ServicesOptions): Probe {
  const services = createServices(options);
  const { callMs: limitMs, connectMs, credentialsMs, idleMs } = LIMITS;
  const { environment, proxy } = options;
  const line = createLine({ limitMs, connectMs, idleMs, proxy, environment });
  const credentials = new Credentials({
    profile: options.profile,
    region: options.region ?? options.dataPipelineRegion,
    handler: () => Promise.resolve(line.handler),
    limitMs: credentialsMs,
  });
  return {
    services,
    credentials: async () => {
      const { accessKeyId, accountId, expiration } = await credentials.provide();
      return {
        key: `${accessKeyId.slice(0, 4)}…${accessKeyId.slice(-4)}`,
        ...(accountId === undefined ? {} : { account: accountId }),
        ...(expiration === undefined ? {} : { expiresAtMs: expiration.getTime() }),
      };
    },
    reach: (endpoint) => reach(endpoint, line),
    close: () => {
      services.close();
      line.destroy();
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

/** A request that never sends a byte: its agent makes the connection, by the proxy where there is one. */
async function reach(endpoint: string, { agents }: Line): Promise<Reached> {
  const sinceMs = performance.now();
  const isTls = endpoint.startsWith('https:');
  const timeout = LIMITS.connectMs;
  const request = isTls
    ? httpsRequest(endpoint, { agent: agents.https, timeout })
    : httpRequest(endpoint, { agent: agents.http, timeout });
  try {
    await new Promise<void>((resolve, reject) => {
      request.once('socket', (socket) => {
        // By a proxy it comes with its handshake done, else before it.
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
