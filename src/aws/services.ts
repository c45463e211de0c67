/**
 * The Services port: one attempt a call, within its time limit, and every failure becomes an outcome. This file holds the
 * time limits, the wait for credentials and the handling of dead connections; the payloads for each service are in
 * migration-hub.ts and data-pipeline.ts.
 */
import type { Answer, Call, HubOperation, Operation, Outcome } from '../core/model/call.ts';
import { HUB_OPERATIONS } from '../core/model/call.ts';
import type { Services } from '../ports.ts';
import { CallEnd } from './call-end.ts';
import type { ConnectionPool } from './client/connections.ts';
import { Credentials } from './client/credentials.ts';
import type { SendToPipeline } from './data-pipeline.ts';
import type { Exchange } from './exchange.ts';
import type { SendToHub } from './migration-hub.ts';
import {
  hasPassedDryRun,
  hasStaleCredentials,
  isConnectionFailure,
  isQuietPoll,
  outcomeOfFailure,
  serverDate,
} from './outcomes.ts';
import type { FailedCall } from './outcomes.ts';
import type { SharedSettings } from './client/shared-settings.ts';
import { madeOnce } from './made-once.ts';
import { hubRegionNear, LIMITS } from './client/options.ts';
import type { ServicesOptions, TimeLimits } from './client/options.ts';

export function createServices(options: ServicesOptions): Services {
  return new AwsServices(options);
}

/** Failures in a row after which the idle connections of a pool count as dead (kubelet has the same rule). */
const BROKEN_IN_A_ROW = 3;
/**
 * Calls that waited this long for credentials would go out together and exceed their rate (gates.ts allows for a second at
 * most), so only one of each operation is sent.
 */
const WAIT_MS_MAX = 1000;

/** The call's time limit has passed. */
class TooLate extends Error {
  override readonly name = 'TooLate';
}

class AwsServices implements Services {
  readonly #options: ServicesOptions;
  readonly #limits: TimeLimits;
  readonly #broken = new Map<ConnectionPool, number>();
  readonly #credentials: Credentials;
  readonly #inFlight = new Set<CallEnd>();
  readonly #waiting = new Set<Operation>();
  readonly #loadSettings = madeOnce(() => loadSharedSettings(this.#options));
  readonly #loadPools = madeOnce(() => this.#createPools());
  readonly #loadHub = madeOnce(() => this.#createHub());
  readonly #loadPipeline = madeOnce(() => this.#createPipeline());
  #open: Pools | undefined;
  #hub: SendToHub | undefined;
  #pipeline: SendToPipeline | undefined;
  #closed = false;

  constructor(options: ServicesOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#credentials = new Credentials({
      profile: options.profile,
      region: async () => (await this.#loadSettings()).region,
      handler: async () => (await this.#loadPools()).calls.handler,
      limitMs: this.#limits.credentialsMs,
    });
  }

  async send(call: Call): Promise<Outcome> {
    const end = new CallEnd();
    const exchange: Exchange = { end, response: undefined };
    if (this.#closed) end.abort(new Error('the agent is closing'));
    this.#inFlight.add(end);
    try {
      const prepared =
        this.#prepared(call, exchange) ?? (await end.race(this.#prepare(call, exchange)));
      return await this.#deliver(call, exchange, prepared);
    } catch (error) {
      return outcomeOfFailure({ error, response: undefined });
    } finally {
      this.#inFlight.delete(end);
    }
  }

  credentialsExpireAtMs(): number | undefined {
    return this.#credentials.held()?.expiration?.getTime();
  }

  close(): void {
    this.#closed = true;
    for (const end of this.#inFlight) end.abort(new Error('the agent is closing'));
    this.#open?.calls.destroy();
    this.#open?.polls.destroy();
  }

  /** What is loaded already is used at once: nearly every call of an agent that has run for a minute. */
  #prepared(call: Call, exchange: Exchange): Prepared | undefined {
    const open = this.#open;
    if (open === undefined || this.#closed || !this.#credentials.isReady()) return undefined;
    const pool = call.operation === 'PollForTask' ? open.polls : open.calls;
    if (isHubCall(call)) {
      const hub = this.#hub;
      return hub && { deliver: () => hub(call, exchange), pool };
    }
    const pipeline = this.#pipeline;
    return pipeline && { deliver: () => pipeline(call, exchange), pool };
  }

  /** Loads what the call needs: the SDK and credentials. Rejects if waiting is useless. */
  async #prepare(call: Call, exchange: Exchange): Promise<Prepared> {
    const { operation } = call;
    const sinceMs = performance.now();
    const isFirst = !this.#waiting.has(operation);
    this.#waiting.add(operation);
    try {
      await this.#credentials.provide();
      const deliver = isHubCall(call)
        ? await this.#loadHub().then((send) => () => send(call, exchange))
        : await this.#loadPipeline().then((send) => () => send(call, exchange));
      const { calls, polls } = await this.#loadPools();
      if (!isFirst && performance.now() - sinceMs > WAIT_MS_MAX) {
        throw new Error(`the credentials came late; another ${operation} goes first`);
      }
      return { deliver, pool: operation === 'PollForTask' ? polls : calls };
    } finally {
      if (isFirst) this.#waiting.delete(operation);
    }
  }

  async #deliver(call: Call, exchange: Exchange, { deliver, pool }: Prepared): Promise<Outcome> {
    const { end } = exchange;
    const isPoll = call.operation === 'PollForTask';
    const limitMs = isPoll ? this.#limits.pollMs : this.#limits.callMs;
    const identity = this.#credentials.held();
    const sentMs = performance.now();
    const timer = setTimeout(() => end.abort(new TooLate()), limitMs);
    try {
      const answer = await end.race(deliver());
      this.#broken.delete(pool);
      return { kind: 'accepted', answer, ...dated(exchange) };
    } catch (error) {
      // Only for a call that asked for a dry run: the answer means that nothing was recorded.
      if ('dryRun' in call && call.dryRun && hasPassedDryRun(error)) {
        this.#broken.delete(pool);
        return { kind: 'accepted', answer: {}, ...dated(exchange) };
      }
      const failed: FailedCall = {
        error,
        response: exchange.response,
        limitMs: end.reason instanceof TooLate ? limitMs : undefined,
      };
      if (isPoll && isQuietPoll(failed, performance.now() - sentMs, this.#limits.quietPollMs)) {
        return { kind: 'accepted', answer: {} };
      }
      if (hasStaleCredentials(error)) this.#credentials.discard(identity);
      if (!this.#closed) this.#judge(pool, failed);
      return outcomeOfFailure(failed);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A pool that failed several times in a row may hold dead connections: the idle ones are closed. */
  #judge(pool: ConnectionPool, failed: FailedCall): void {
    if (!isConnectionFailure(failed)) {
      this.#broken.delete(pool);
      return;
    }
    const inARow = (this.#broken.get(pool) ?? 0) + 1;
    this.#broken.set(pool, inARow % BROKEN_IN_A_ROW);
    if (inARow === BROKEN_IN_A_ROW) pool.closeIdle();
  }

  async #createPools(): Promise<Pools> {
    const { connectMs, idleMs, callMs, pollMs } = this.#limits;
    const { proxy, environment } = this.#options;
    const { authoritiesWith, createConnectionPool } = await import('./client/connections.ts');
    const { caBundle } = await this.#loadSettings();
    const authorities = caBundle === undefined ? undefined : authoritiesWith(caBundle);
    const shared = { connectMs, idleMs, proxy, environment, authorities };
    this.#open = {
      calls: createConnectionPool({ ...shared, limitMs: callMs }),
      polls: createConnectionPool({ ...shared, limitMs: pollMs }),
    };
    return this.#open;
  }

  async #createHub(): Promise<SendToHub> {
    const { environment, hub, version } = this.#options;
    const { calls } = await this.#loadPools();
    const { endpoints, region, ...settings } = await this.#loadSettings();
    const { createHub } = await import('./migration-hub.ts');
    this.#hub = createHub({
      ...settings,
      version,
      environment,
      handler: calls.handler,
      credentials: this.#credentials.forClient,
      endpoint: endpoints.migrationHub,
      configEndpoint: endpoints.migrationHubConfig,
      configRegion: hub?.configRegion ?? hubRegionNear(region),
    });
    return this.#hub;
  }

  async #createPipeline(): Promise<SendToPipeline> {
    const { dataPipelineRegion, environment, version } = this.#options;
    const { calls, polls } = await this.#loadPools();
    const { endpoints, region, ...settings } = await this.#loadSettings();
    const { createPipeline } = await import('./data-pipeline.ts');
    const { createInstanceIdentity } = await import('./instance-identity.ts');
    this.#pipeline = createPipeline({
      ...settings,
      version,
      environment,
      handler: calls.handler,
      pollHandler: polls.handler,
      credentials: this.#credentials.forClient,
      endpoint: endpoints.dataPipeline,
      region: dataPipelineRegion ?? region,
      instanceIdentity: createInstanceIdentity(environment),
    });
    return this.#pipeline;
  }
}

/** Loaded at the first call, as the SDK is. */
async function loadSharedSettings(options: ServicesOptions): Promise<SharedSettings> {
  const { sharedSettings } = await import('./client/shared-settings.ts');
  return await sharedSettings(options);
}

/** Created at the first call, as the SDK clients are: the handler is half of their import time. */
interface Pools {
  readonly calls: ConnectionPool;
  readonly polls: ConnectionPool;
}

interface Prepared {
  readonly deliver: () => Promise<Answer>;
  readonly pool: ConnectionPool;
}

function isHubCall(call: Call): call is Extract<Call, { readonly operation: HubOperation }> {
  return (HUB_OPERATIONS as readonly string[]).includes(call.operation);
}

function dated({ response }: Exchange): { readonly serverDateMs?: number } {
  const serverDateMs = serverDate(response);
  return serverDateMs === undefined ? {} : { serverDateMs };
}
