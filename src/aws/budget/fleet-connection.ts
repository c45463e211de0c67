/**
 * One life of the connection to the fleet's Redis: opened whole, used, and at the first failure thrown away whole. Every
 * answer has its time limit; whoever gets none closes this and opens another (fleet.ts).
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
  /** The hosts that share the budgets share this: a name that begins all keys. */
  readonly prefix: string;
  /** This host's name in the fleet: the same over restarts, and nobody else's. */
  readonly host: string;
  readonly times: SyncTimes;
  readonly answerMs: number;
  readonly monotonicMs: () => number;
}

/** What is asked of the pool of one operation. */
export interface Demand {
  /** Names the operation's budget below the prefix. */
  readonly id: string;
  readonly bucket: Bucket;
  readonly burst: number;
  readonly wanted: number;
  /** How many of them this host has by right of its share. */
  readonly right: number;
}

export interface Sync {
  readonly hosts: number;
  /** The sum of their shares. */
  readonly shares: number;
  /** Calls that may be taken now. */
  readonly give: number;
  /** Where none may: when another look is worth while. */
  readonly waitMs: number;
}

type Visiting = Redis & { syncFleet(...args: (string | number)[]): Promise<unknown> };
type Answer = readonly [string, number, number, number, number, number];

export class FleetConnection {
  /** When the last visit was sent, on the monotonic clock: it is done `answerMs` later, or never. */
  syncedMs = -Infinity;
  readonly #options: FleetConnectionOptions;
  readonly #cluster: Cluster;
  readonly #client: Visiting;
  readonly #limiters = new Map<string, Promise<Bottleneck>>();
  /** The clock of Redis less ours, never more than it is. */
  #aheadMs = 0;

  private constructor(options: FleetConnectionOptions, client: Redis, subscriber: Redis) {
    this.#options = options;
    this.#cluster = createCluster(client, subscriber);
    this.#client = client as Visiting;
    client.defineCommand('syncFleet', { numberOfKeys: 2, lua: SYNC_SCRIPT });
  }

  /** Rejects where Redis does not answer in time, or does not let this host in. */
  static async open(options: FleetConnectionOptions): Promise<FleetConnection> {
    const { Redis } = await import('ioredis');
    const client = new Redis(options.url, redisOptions(options.answerMs));
    const subscriber = client.duplicate();
    const failures: Error[] = [];
    for (const one of [client, subscriber]) {
      catchAllErrors(one);
      one.on('error', (error: Error) => failures.push(error));
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
      // What came first says why; what follows only says that the connection is closed.
      throw failures[0] ?? error;
    }
  }

  /** Prolongs this host's stay; with a demand, says what the pool has for it. */
  async visit(share: number, demand?: Demand): Promise<Sync> {
    if (demand !== undefined) await this.#limiter(demand.id);
    let answer = await this.#run('stay', share, demand);
    if (answer[0] === NO_RESERVOIR && demand !== undefined) {
      // Somebody emptied Redis while we were connected: bottleneck makes its keys anew when it counts.
      const limiter = await this.#limiter(demand.id);
      await this.#answered(limiter.incrementReservoir(0));
      answer = await this.#run('stay', share, demand);
    }
    const [, , hosts, thousandths, give, waitMs] = answer;
    return { hosts, shares: thousandths / 1000, give, waitMs };
  }

  /** The host goes for good: what its share earns belongs to the others. */
  async leave(): Promise<void> {
    await this.#run('leave', 0);
  }

  /** Adds calls to the pool, or takes as many out of it. Resolves to what it holds then: less than zero is a debt. */
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

  async #run(verb: 'stay' | 'leave', share: number, demand?: Demand): Promise<Answer> {
    const first = await this.#runOnce(verb, share, demand);
    // The clock of Redis was stepped, or its last answer had been very slow: with what this one says it is known again.
    const answer = first[0] === LATE ? await this.#runOnce(verb, share, demand) : first;
    if (answer[0] === LATE) throw new Error('Redis answers too late');
    return answer;
  }

  async #runOnce(verb: string, share: number, demand: Demand | undefined): Promise<Answer> {
    const { host, times, answerMs, monotonicMs } = this.#options;
    const { membershipTtlMs: stayMs, gatherMs, earnMsMax, forgetMs } = times;
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
            demand.right,
          ];
    const args = [verb, host, share, notAfterMs, stayMs, gatherMs, earnMsMax, forgetMs, ...asked];
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

  /** In one slot of a cluster: the braces say which part of a key decides. */
  #key(name: string): string {
    return `{${this.#options.prefix}}:${name}`;
  }

  #answered<Value>(promise: Promise<Value>): Promise<Value> {
    return answered(promise, this.#options.answerMs);
  }
}

/** `replyMapping`: ioredis's own default, which its types want to be said. */
function redisOptions(answerMs: number): RedisOptions & { readonly replyMapping: 'legacy' } {
  return {
    replyMapping: 'legacy',
    lazyConnect: true,
    connectTimeout: answerMs,
    connectionName: 'migration-agent',
    disableClientInfo: true,
    // Whatever fails is thrown away whole: nothing waits in a queue for a connection that may come back.
    retryStrategy: () => null,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
  };
}

/** The promise, or a rejection after `limitMs`. An answer that came while this process could not look still counts. */
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
