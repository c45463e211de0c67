/**
 * All guards against faults of bottleneck 2.19.5, each with its test in test/aws/budget/gates.test.ts or
 * bottleneck-guards.test.ts. Features that are not used because of a fault are listed too, so that nobody adds them back:
 *
 * - `updateSettings` clears the refill timer for good (SGrondin/bottleneck#185): never called; a rate
 *   is changed outside of the limiter (host-budget.ts, fleet-script.ts).
 * - the reservoir interval options follow the wall clock, work in steps of 250 ms, and in Redis are as late as the
 *   heartbeat: never set; a local reservoir is filled by `incrementReservoir` alone, a clustered one by a script.
 * - a job `id` that is submitted twice never settles (#199): jobs carry no id.
 * - `expiration` frees a slot while the job still runs: never set.
 * - `stop({ dropWaitingJobs: false })` never resolves with an empty reservoir: see `stopLimiter`.
 * - a job that waits in the queue of a clustered limiter cannot be taken back, holds up those behind it, and stays there
 *   for ever once Redis has failed it (#152): clustered limiters run no jobs; only their reservoir is changed.
 * - the connection never recovers after some failures of Redis (#205): it is never reconnected but replaced
 *   (fleet-connection.ts).
 *
 * The guards against ioredis 6.0.0, which bottleneck's clustering needs, are here too.
 */
import Bottleneck from 'bottleneck';
import type { Redis } from 'ioredis';

/** A limiter whose only condition is its reservoir, with the guards in place. */
export function createLimiter(reservoir: number): Bottleneck {
  const limiter = new Bottleneck(onlyReservoir(reservoir));
  ignoreWallClock(limiter);
  yieldWithoutTimer(limiter);
  return limiter;
}

/** Ends a limiter: jobs that wait for budget are rejected with BottleneckError. */
export async function stopLimiter(limiter: Bottleneck): Promise<void> {
  await limiter.stop({ dropWaitingJobs: true });
  await limiter.disconnect();
}

function onlyReservoir(reservoir: number): Bottleneck.ConstructorOptions {
  return {
    reservoir,
    maxConcurrent: null,
    minTime: 0,
    highWater: null,
    strategy: Bottleneck.strategy.LEAK,
    reservoirRefreshInterval: null,
    reservoirRefreshAmount: null,
    reservoirIncreaseInterval: null,
    reservoirIncreaseAmount: null,
    reservoirIncreaseMaximum: null,
    rejectOnDrop: true,
  };
}

/**
 * The local store keeps the wall time of the next start in `_nextRequest`; when the host's clock steps
 * back by an hour, every job waits for an hour. With `minTime` 0 the value has no meaning, so it is fixed at 0.
 */
function ignoreWallClock(limiter: Bottleneck): void {
  const { _store: store } = limiter as unknown as { readonly _store: object };
  Object.defineProperty(store, '_nextRequest', { get: () => 0, set: () => undefined });
}

/**
 * The local store yields before each of its steps with a timer of 1 ms, to look like one in Redis: four times a job. That is
 * four wake-ups of the process and 5 ms for each call of AWS. A microtask yields as well.
 */
function yieldWithoutTimer(limiter: Bottleneck): void {
  const { _store: store } = limiter as unknown as { readonly _store: object };
  Object.defineProperty(store, 'yieldLoop', { value: () => Promise.resolve() });
}

/** Limiters of a fleet over one pair of connections, both of them connected. Ends with `endCluster`. */
export interface Cluster {
  readonly connection: Bottleneck.IORedisConnection;
  readonly client: Redis;
}

/**
 * `subscriber` must come from `client.duplicate()`. bottleneck would create it itself and wait for both to be ready, and
 * that wait never rejects; so both are connected before, under a time limit.
 */
export function createCluster(client: Redis, subscriber: Redis): Cluster {
  useClockOfRedis(client);
  // Passed although there is a client: otherwise bottleneck would `eval` a `require` of ioredis.
  const options = { client: withSubscriber(client, subscriber), Redis: client.constructor };
  const connection = new Bottleneck.IORedisConnection(options);
  // The calls that fail report the errors of a connection.
  connection.on('error', () => undefined);
  stripErrPrefix(connection);
  return { connection, client };
}

/** A limiter whose reservoir lives in Redis under `id`; a new one is empty. Resolves when it can be used. */
export async function createClusteredLimiter(cluster: Cluster, id: string): Promise<Bottleneck> {
  const limiter = new Bottleneck({
    ...onlyReservoir(0),
    id,
    datastore: 'ioredis',
    connection: cluster.connection,
    clearDatastore: false,
    timeout: KEEP_MS,
    // At each heartbeat bottleneck publishes the capacity to every limiter of every host, and nothing here uses it.
    heartbeatInterval: BEAT_MS,
    clientTimeout: 6 * BEAT_MS,
  });
  limiter.on('error', () => undefined);
  await limiter.ready();
  return limiter;
}

/** Where bottleneck keeps the reservoir of a clustered limiter: field `reservoir` of this hash. */
export function settingsKey(id: string): string {
  return `b_${id}_settings`;
}

/** The keys of a fleet that is gone expire after this time. */
const KEEP_MS = 48 * 3_600_000;
const BEAT_MS = 10 * 60_000;

/**
 * Closes both connections at once and stops the timers of all limiters: an open connection keeps the process alive (#192).
 * `limiter.disconnect()` would unsubscribe first, and cause an unhandled rejection if Redis is gone.
 */
export function endCluster({ connection, client }: Cluster): void {
  connection.disconnect(false).catch(() => undefined);
  client.disconnect();
}

/**
 * ioredis handles only the first error of a socket. Failed TLS emits two (the bad certificate, then the peer's alert), and an
 * unhandled error ends the process. Must be called before the client connects.
 */
export function catchAllErrors(client: Redis): void {
  let stream: Redis['stream'] | undefined;
  Object.defineProperty(client, 'stream', {
    configurable: true,
    enumerable: true,
    get: () => stream,
    set: (opened: Redis['stream'] | undefined) => {
      stream = opened;
      stream?.on('error', () => undefined);
    },
  });
}

/**
 * The scripts use the caller's time (`Date.now()`). If clocks differ, a host that is behind delays the jobs of others, and one
 * that is ahead drops the others as unresponsive. The clock of Redis is the same for all.
 */
function useClockOfRedis(client: Redis): void {
  const define = client.defineCommand.bind(client);
  client.defineCommand = (name, definition) =>
    define(name, { ...definition, lua: withClockOfRedis(definition.lua) });
}

function withClockOfRedis(lua: string): string {
  return lua.replace(
    'local now = tonumber(ARGV[1])',
    `local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)`,
  );
}

/**
 * Redis 7 and Valkey prefix errors of scripts with `ERR `. bottleneck compares without it, and so never recreates its keys
 * after Redis came back empty, nor registers a forgotten client again (#205, #212, #219).
 */
function stripErrPrefix(connection: Bottleneck.IORedisConnection): void {
  const scripts = connection as unknown as { __scriptFn__: (name: string) => Script };
  const original = scripts.__scriptFn__.bind(scripts);
  scripts.__scriptFn__ = (name) => {
    const run = original(name);
    return (...args) => {
      const done = args.pop() as Callback;
      return run(...args, (error: Error | null, reply: unknown) => {
        if (error !== null) error.message = error.message.replace(/^ERR /u, '');
        done(error, reply);
      });
    };
  };
}

type Script = (...args: unknown[]) => unknown;
type Callback = (error: Error | null, reply: unknown) => void;

function withSubscriber(client: Redis, subscriber: Redis): Redis {
  client.duplicate = () => subscriber;
  return client;
}
