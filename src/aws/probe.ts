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
import { withAnswerLimit } from './client/answer-limit.ts';
import { authoritiesWith, createConnectionPool } from './client/connections.ts';
import type { ConnectionPool } from './client/connections.ts';
import { Credentials } from './client/credentials.ts';
import type { CallerIdentity } from './caller-identity.ts';
import { hubRegionNear, LIMITS } from './client/options.ts';
import { madeOnce } from './made-once.ts';
import type { ServiceName, ServicesOptions } from './client/options.ts';
import { createServices } from './services.ts';
import type { ClientSettings } from './client/settings.ts';
import { sharedSettings } from './client/shared-settings.ts';
import type { SharedSettings } from './client/shared-settings.ts';

export interface Probe {
  readonly services: Services;
  /** Rejects if there are none, or none in time. */
  credentials(): Promise<WhoIAm>;
  /**
   * What STS says of the credentials; rejects with the reason if it does not. `undefined`: an endpoint is on this host (a
   * simulator or a tunnel), so the credentials may not be meant for AWS.
   */
  identity(): Promise<CallerIdentity | undefined>;
  /** Where the client of a service sends its calls. Rejects if its settings exclude each other. */
  endpoint(service: ServiceName, region: string): Promise<string>;
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
  const settings = madeOnce(() => sharedSettings(options));
  let opened: ConnectionPool | undefined;
  const pool = madeOnce(async () => {
    const { caBundle } = await settings();
    const authorities = caBundle === undefined ? undefined : authoritiesWith(caBundle);
    const limits = { limitMs, connectMs, idleMs };
    opened = createConnectionPool({ ...limits, proxy, environment, authorities });
    return opened;
  });
  const credentials = new Credentials({
    profile: options.profile,
    region: async () => (await settings()).region,
    handler: async () => (await pool()).handler,
    limitMs: credentialsMs,
  });
  const own = async () => ({
    version: options.version,
    environment,
    handler: (await pool()).handler,
    credentials: credentials.forClient,
  });
  return {
    services,
    credentials: async () => {
      const { accessKeyId, accountId, expiration } = await credentials.provide();
      return defined({
        key: `${accessKeyId.slice(0, 4)}…${accessKeyId.slice(-4)}`,
        account: accountId,
        expiresAtMs: expiration === undefined ? undefined : expiration.getTime(),
      });
    },
    identity: async () => {
      const { endpoints, ...shared } = await settings();
      if (endpoints.sts === undefined && Object.values(endpoints).some(isOnThisHost)) {
        return undefined;
      }
      const { callerIdentity } = await import('./caller-identity.ts');
      const region = shared.region ?? hubRegionNear(undefined);
      const ownSettings = await own();
      return await withAnswerLimit(() =>
        callerIdentity({ ...ownSettings, ...shared }, endpoints.sts, region, limitMs),
      );
    },
    endpoint: async (service, region) =>
      await endpointOf(service, region, await settings(), await own()),
    reach: async (endpoint) => await reach(endpoint, await pool()),
    close: () => {
      services.close();
      opened?.destroy();
    },
  };
}

function isOnThisHost(endpoint: string): boolean {
  return /^(?:localhost|127\.|\[::1\]$)/.test(URL.parse(endpoint)?.hostname ?? '');
}

/** Asked of the client itself, made as the agent's calls make it. Without its connections: it sends nothing. */
async function endpointOf(
  service: ServiceName,
  region: string,
  { endpoints, ...shared }: SharedSettings,
  own: Omit<ClientSettings, keyof SharedSettings>,
): Promise<string> {
  const { createConfigClient, createHubClient } = await import('./migration-hub.ts');
  const { createClient } = await import('./data-pipeline.ts');
  const settings = { ...own, ...shared };
  const endpoint = endpoints[service];
  const client = {
    migrationHub: () => createHubClient(settings, endpoint, region),
    migrationHubConfig: () => createConfigClient(settings, endpoint, region),
    dataPipeline: () => createClient({ ...settings, endpoint, region }),
  }[service]();
  const { hostname, path, port, protocol } = (await client.config.endpoint?.()) ?? {
    hostname: '',
    path: '/',
    port: undefined,
    protocol: 'https:',
  };
  const at = port === undefined ? hostname : `${hostname}:${port}`;
  return `${protocol}//${at}${path.replace(/\/$/, '')}`;
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
