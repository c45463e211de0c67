/**
 * A connection to the fleet's Redis. At the first failure it is closed and replaced as a whole (fleet.ts); every answer has
 * a limit in time and in size.
 */
import type Bottleneck from 'bottleneck';
import type { Redis, RedisOptions } from 'ioredis';
import {
  createCluster,
  createClusteredLimiter,
  endCluster,
  catchAllErrors,
  settingsKey,
} from './bottleneck-guards.ts';
import type { Cluster } from './bottleneck-guards.ts';
import type { Bucket } from '../../core/scheduling/token-bucket.ts';
import { LATE, NO_RESERVOIR, SYNC_SCRIPT } from './fleet-script.ts';
import type { SyncTimes } from './fleet-times.ts';

export interface FleetConnectionOptions {
  /** `redis://` or `rediss://`, with what it needs of user, password and database. */
  readonly url: string;
  /** The prefix of all keys: hosts that share budgets have the same one. */
  readonly prefix: string;
  /** This host's name in the fleet: unique, and the same after a restart. */
  readonly host: string;
  readonly times: SyncTimes;
  readonly answerMs: number;
  readonly monotonicMs: () => number;
}

/** A request to the pool of one operation. */
export interface Demand {
  /** Names the operation's budget below the prefix. */
  readonly id: string;
  readonly bucket: Bucket;
  readonly burst: number;
  readonly wanted: number;
  /** How many of them this host is guaranteed by its share. */
  readonly guaranteed: number;
}

export interface Sync {
  readonly hosts: number;
  /** The sum of their shares. */
  readonly shares: number;
  /** Calls that may be taken now. */
  readonly give: number;
  /** If none may be taken: when to ask again. */
  readonly waitMs: number;
}

/**
 * What Redis may send within the time of one answer. The answers of a fleet have some hundred bytes; whoever sends more is no
 * Redis of a fleet, and would fill the memory of the agent.
 */
const BYTES_MAX = 1024 * 1024;

type FleetClient = Redis & { syncFleet(...args: (string | number)[]): Promise<unknown> };
type Answer = readonly [string, number, number, number, number, number];

export class FleetConnection {
  /** When the last sync was sent, on the monotonic clock: it takes effect within `answerMs`, or never. */
  syncedMs = -Infinity;
  readonly #options: FleetConnectionOptions;
  readonly #cluster: Cluster;
  readonly #client: FleetClient;
  readonly #limiters = new Map<string, Promise<Bottleneck>>();
  /** The clock of Redis minus ours; may be too small, never too large. */
  #aheadMs = 0;

  private constructor(options: FleetConnectionOptions, client: Redis, subscriber: Redis) {
    this.#options = options;
    this.#cluster = createCluster(client, subscriber);
    this.#client = client as FleetClient;
    client.defineCommand('syncFleet', { numberOfKeys: 2, lua: SYNC_SCRIPT });
  }

  /** Rejects if Redis does not answer in time, or refuses this host. */
  static async open(options: FleetConnectionOptions): Promise<FleetConnection> {
    const { Redis } = await import('./redis-client.ts');
    const client = new Redis(options.url, redisOptions(options.answerMs));
    const subscriber = client.duplicate();
    const failures: Error[] = [];
    for (const one of [client, subscriber]) {
      catchAllErrors(one);
      one.on('error', (error: Error) => failures.push(error));
      one.on('connect', () => limitBytes(one, options));
    }
    try {
      const connected = Promise.all([client.connect(), subscriber.connect()]);
      await answered(connected, options.answerMs);
      const connection = new FleetConnection(options, client, subscriber);
      await connection.#learnClock();
      return connection;
    } catch (error) {
      client.disconnect();
      subscriber.disconnect();
      // The first error is the cause; later ones only report that the connection is closed.
      throw failures[0] ?? error;
    }
  }

  /** Renews this host's membership; with a demand, also returns what the pool has for it. */
  async sync(share: number, demand?: Demand): Promise<Sync> {
    if (demand !== undefined) await this.#limiter(demand.id);
    let answer = await this.#run('sync', share, demand);
    if (answer[0] === NO_RESERVOIR && demand !== undefined) {
      // Redis was emptied while we were connected: bottleneck creates its keys again when it counts.
      const limiter = await this.#limiter(demand.id);
      await this.#answered(limiter.incrementReservoir(0));
      answer = await this.#run('sync', share, demand);
    }
    const [, , hosts, thousandths, give, waitMs] = answer;
    return { hosts, shares: thousandths / 1000, give, waitMs };
  }

  /** Ends the membership: the pool may give this host's share to the others. */
  async leave(): Promise<void> {
    await this.#run('leave', 0);
  }

  /** Adds calls to the pool, or removes them (negative). Resolves to the new level; a negative level is a debt. */
  async count(id: string, calls: number): Promise<number> {
    const limiter = await this.#limiter(id);
    return await this.#answered(limiter.incrementReservoir(calls));
  }

  close(): void {
    endCluster(this.#cluster);
  }

  #limiter(id: string): Promise<Bottleneck> {
    let limiter = this.#limiters.get(id);
    if (limiter === undefined) {
      limiter = this.#answered(createClusteredLimiter(this.#cluster, this.#key(id)));
      this.#limiters.set(id, limiter);
    }
    return limiter;
  }

  async #run(verb: 'sync' | 'leave', share: number, demand?: Demand): Promise<Answer> {
    const first = await this.#runOnce(verb, share, demand);
    // The clock of Redis was stepped, or its previous answer was very slow. This answer carries its time, so try once more.
    const answer = first[0] === LATE ? await this.#runOnce(verb, share, demand) : first;
    if (answer[0] === LATE) throw new Error('Redis answers too late');
    return answer;
  }

  async #runOnce(verb: string, share: number, demand: Demand | undefined): Promise<Answer> {
    const { host, times, answerMs, monotonicMs } = this.#options;
    const { membershipTtlMs, gatherMs, earnMsMax, forgetMs } = times;
    this.syncedMs = monotonicMs();
    const notAfterMs = Math.floor(this.syncedMs + this.#aheadMs + answerMs);
    const keys = [this.#key('fleet'), settingsKey(this.#key(demand?.id ?? 'none'))];
    const asked =
      demand === undefined
        ? []
        : [
            demand.id,
            demand.bucket.perMs,
            demand.bucket.capacity,
            demand.burst,
            demand.wanted,
            demand.guaranteed,
          ];
    const args = [
      verb,
      host,
      share,
      notAfterMs,
      membershipTtlMs,
      gatherMs,
      earnMsMax,
      forgetMs,
      ...asked,
    ];
    const answer = (await this.#answered(this.#client.syncFleet(...keys, ...args))) as Answer;
    this.#learn(answer[1]);
    return answer;
  }

  async #learnClock(): Promise<void> {
    const [seconds, micros] = await this.#answered(this.#client.time());
    this.#learn(Number(seconds) * 1000 + Math.floor(Number(micros) / 1000));
  }

  #learn(redisMs: number): void {
    this.#aheadMs = redisMs - this.#options.monotonicMs();
  }

  /** The braces make Redis Cluster put all keys of a fleet into one slot. */
  #key(name: string): string {
    return `{${this.#options.prefix}}:${name}`;
  }

  #answered<Value>(promise: Promise<Value>): Promise<Value> {
    return answered(promise, this.#options.answerMs);
  }
}

/** `replyMapping` is ioredis's own default, but its types require it. */
function redisOptions(answerMs: number): RedisOptions & { readonly replyMapping: 'legacy' } {
  return {
    replyMapping: 'legacy',
    lazyConnect: true,
    connectTimeout: answerMs,
    connectionName: 'migration-agent',
    disableClientInfo: true,
    // A failed connection is replaced as a whole, so nothing may wait for it to come back.
    retryStrategy: () => null,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
  };
}

/** Ends the connection if Redis sends too much. */
function limitBytes({ stream }: Redis, { answerMs, monotonicMs }: FleetConnectionOptions): void {
  let fromMs = monotonicMs();
  let bytes = 0;
  stream.on('data', (part: Buffer) => {
    const nowMs = monotonicMs();
    if (nowMs - fromMs > answerMs) [fromMs, bytes] = [nowMs, 0];
    bytes += part.length;
    if (bytes <= BYTES_MAX) return;
    stream.destroy(
      new Error(`Redis sent more than ${BYTES_MAX} bytes within ${answerMs} ms; check fleet.redis`),
    );
  });
}

/** Rejects after `limitMs`. An answer that arrived while this process was blocked still counts. */
async function answered<Value>(promise: Promise<Value>, limitMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      setImmediate(() => reject(new Error(`Redis does not answer within ${limitMs} ms`)));
    }, limitMs);
    timer.unref();
  });
  limit.catch(() => undefined);
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
