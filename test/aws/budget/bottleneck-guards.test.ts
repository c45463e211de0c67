/**
 * The guards against bottleneck's faults in Redis, each against a real one: what happens without the guard, and what with
 * it. Those that a local limiter needs are in gates.test.ts.
 */
import Bottleneck from 'bottleneck';
import { Redis } from 'ioredis';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  createCluster,
  createClusteredLimiter,
  endCluster,
  settingsKey,
} from '../../../src/aws/budget/bottleneck-guards.ts';
import type { Cluster } from '../../../src/aws/budget/bottleneck-guards.ts';
import { FleetConnection } from '../../../src/aws/budget/fleet-connection.ts';
import { SYNC_TIMES } from '../../../src/aws/budget/fleet-times.ts';
import { bucketOf } from '../../../src/core/scheduling/token-bucket.ts';
import { redisMissing, startRedis } from '../../support/redis-server.ts';
import type { RedisServer } from '../../support/redis-server.ts';
import { until } from '../../support/until.ts';

const there = redisMissing === undefined;
let redis: RedisServer;
let client: Redis;
const open: { close(): void }[] = [];

beforeAll(async () => {
  if (!there) return;
  redis = await startRedis();
  client = new Redis(redis.url);
});

afterEach(async () => {
  vi.useRealTimers();
  for (const one of open.splice(0)) one.close();
  if (there) await client.flushall();
});

afterAll(async () => {
  if (!there) return;
  client.disconnect();
  await redis.kill();
});

async function cluster(): Promise<Cluster> {
  const one = new Redis(redis.url, { lazyConnect: true, retryStrategy: () => null });
  const other = one.duplicate();
  await Promise.all([one.connect(), other.connect()]);
  const made = createCluster(one, other);
  open.push({ close: () => endCluster(made) });
  return made;
}

/** bottleneck as its own documentation makes it. */
async function bare(id: string): Promise<Bottleneck> {
  const one = new Redis(redis.url);
  const connection = new Bottleneck.IORedisConnection({ client: one, Redis });
  const limiter = new Bottleneck({ id, datastore: 'ioredis', connection, reservoir: 0 });
  limiter.on('error', () => undefined);
  open.push({ close: () => void connection.disconnect(false).catch(() => undefined) });
  await limiter.ready();
  return limiter;
}

function fleetConnection(url = redis.url, answerMs = 5_000): Promise<FleetConnection> {
  return FleetConnection.open({
    url,
    prefix: 'test',
    host: 'host',
    times: SYNC_TIMES,
    answerMs,
    monotonicMs: () => performance.now(),
  });
}

const RATE = { perSecond: 10, burst: 20 };
const DEMAND = { id: 'op', bucket: bucketOf(RATE), burst: RATE.burst, wanted: 5, guaranteed: 5 };

describe.skipIf(!there)(
  `bottleneck on a real Redis${there ? '' : ` (skipped: ${redisMissing})`}`,
  () => {
    test('after Redis was emptied a limiter makes its keys anew and begins with nothing; without the guard it fails for ever', async () => {
      const guarded = await createClusteredLimiter(await cluster(), 'guarded');
      const unguarded = await bare('unguarded');
      await guarded.incrementReservoir(7);
      await unguarded.incrementReservoir(7);
      await client.flushall();
      expect(await guarded.incrementReservoir(2)).toBe(2);
      for (let i = 0; i < 3; i++) {
        await expect(unguarded.incrementReservoir(2)).rejects.toThrow('SETTINGS_KEY_NOT_FOUND');
      }
    });

    test('time is that of Redis, whatever the clock of the host; without the guard it is the host’s', async () => {
      const guarded = await createClusteredLimiter(await cluster(), 'guarded');
      const unguarded = await bare('unguarded');
      const realMs = Date.now();
      vi.useFakeTimers({ toFake: ['Date'], now: realMs + 3_600_000 });
      await guarded.incrementReservoir(1);
      await unguarded.incrementReservoir(1);
      vi.useRealTimers();
      const seen = async (id: string): Promise<number> => {
        const [, score] = await client.zrevrange(`b_${id}_client_last_seen`, 0, 0, 'WITHSCORES');
        return Number(score) - realMs;
      };
      expect(Math.abs(await seen('guarded'))).toBeLessThan(60_000);
      expect(await seen('unguarded')).toBeGreaterThan(3_500_000);
    });

    test('a new limiter begins with nothing, and keeps what is there already', async () => {
      const first = await createClusteredLimiter(await cluster(), 'same');
      expect(Number(await first.currentReservoir())).toBe(0);
      await first.incrementReservoir(3);
      const second = await createClusteredLimiter(await cluster(), 'same');
      expect(Number(await second.currentReservoir())).toBe(3);
      expect(await client.hget(settingsKey('same'), 'reservoir')).toBe('3');
    });

    test('limiters seldom have Redis tell all hosts their capacity, and keys of a fleet that is gone vanish', async () => {
      const limiter = await createClusteredLimiter(await cluster(), 'still');
      await limiter.incrementReservoir(1);
      const { _store: store } = limiter as unknown as { _store: { heartbeatInterval: number } };
      expect(store.heartbeatInterval).toBeGreaterThan(60_000);
      expect(await client.pttl(settingsKey('still'))).toBeGreaterThan(24 * 3_600_000);
    });

    test('an end closes both connections, also when Redis is gone', async () => {
      const own = await startRedis();
      const connection = await fleetConnection(own.url);
      await connection.sync(0.5, DEMAND);
      const clients = async (): Promise<string> => String(await client.client('LIST'));
      const other = await fleetConnection();
      await other.sync(0.5, DEMAND);
      expect(await clients()).toContain('name=migration-agent');
      other.close();
      await until('both are closed', async () => !(await clients()).includes('migration-agent'));
      await own.kill();
      await expect(connection.sync(0.5, DEMAND)).rejects.toThrow();
      await expect(connection.count('op', 1)).rejects.toThrow();
      connection.close();
      connection.close();
    });

    test('a server that takes connections and never answers is given up in time', async () => {
      const sockets: Socket[] = [];
      const server = createServer((socket) => sockets.push(socket));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      await expect(fleetConnection(`redis://127.0.0.1:${port}`, 300)).rejects.toThrow(
        'Redis does not answer within 300 ms',
      );
      for (const socket of sockets) socket.destroy();
      server.close();
    });

    test('what was emptied while we are connected goes on from nothing, scripts included', async () => {
      const connection = await fleetConnection();
      open.push(connection);
      await until('there are calls', async () => (await connection.sync(1, DEMAND)).give > 1);
      await client.flushall();
      expect(await connection.sync(1, DEMAND)).toMatchObject({ give: 0, hosts: 1 });
      await client.script('FLUSH');
      await until('there are again', async () => (await connection.sync(1, DEMAND)).give > 0);
    });
  },
);
