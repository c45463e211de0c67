/**
 * The rules of the pool in Redis (fleet-script.ts), one by one, on a real Redis: who earns what, who may take what, and
 * when the pool begins anew. A pool that earns a call each millisecond shows its rules within a fraction of a second.
 */
import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { settingsKey } from '../../../src/aws/budget/bottleneck-guards.ts';
import { Fleet } from '../../../src/aws/budget/fleet.ts';
import type { FleetOptions } from '../../../src/aws/budget/fleet.ts';
import { FleetConnection } from '../../../src/aws/budget/fleet-connection.ts';
import type { Sync } from '../../../src/aws/budget/fleet-connection.ts';
import { SYNC_TIMES } from '../../../src/aws/budget/fleet-times.ts';
import type { SyncTimes } from '../../../src/aws/budget/fleet-times.ts';
import { redisMissing, startRedis } from '../../support/redis-server.ts';
import type { RedisServer } from '../../support/redis-server.ts';
import { until } from '../../support/until.ts';

const there = redisMissing === undefined;
const CAPACITY = 1_000_000;
/** Nothing ends, and nobody is waited for. */
const LONG: SyncTimes = { ...SYNC_TIMES, membershipTtlMs: 60_000, gatherMs: 0, earnMsMax: 60_000 };

let redis: RedisServer;
let client: Redis;
let open: FleetConnection[] = [];
let fleets = 0;
let prefix = '';

beforeAll(async () => {
  if (!there) return;
  redis = await startRedis();
  client = new Redis(redis.url);
});

beforeEach(() => {
  prefix = `fleet-${++fleets}`;
});

afterAll(async () => {
  for (const one of open) one.close();
  open = [];
  if (!there) return;
  client.disconnect();
  await redis.kill();
});

interface Host {
  readonly connection: FleetConnection;
  /** What the pool would give to one who wants everything and has `right` of it by right. */
  look(guaranteed?: number, capacity?: number, perMs?: number): Promise<Sync>;
  sync(): Promise<Sync>;
}

async function host(name: string, share: number, times: Partial<SyncTimes> = {}): Promise<Host> {
  const connection = await FleetConnection.open({
    url: redis.url,
    prefix,
    host: name,
    times: { ...LONG, ...times },
    answerMs: 10_000,
    monotonicMs: () => performance.now(),
  });
  open.push(connection);
  return {
    connection,
    look: (guaranteed = CAPACITY, capacity = CAPACITY, perMs = 1) =>
      connection.sync(share, {
        id: 'op',
        bucket: { capacity, perMs },
        burst: capacity,
        wanted: CAPACITY,
        guaranteed,
      }),
    sync: () => connection.sync(share),
  };
}

/** The part of the whole budget that the pool earns, by its own books. */
async function earning(at: Host): Promise<number> {
  const read = async (): Promise<[number, number]> => {
    await at.sync();
    const [seen, earned] = await client.hmget(`{${prefix}}:fleet`, 'seen', 'earned');
    return [Number(seen), Number(earned)];
  };
  const [seenBefore, earnedBefore] = await read();
  await sleep(20);
  const [seen, earned] = await read();
  return (earned - earnedBefore) / (seen - seenBefore);
}

describe.skipIf(!there)(`the pool${there ? '' : ` (skipped: ${redisMissing})`}`, () => {
  test('begins empty, and until all had time to come it earns only the shares of those who are here', async () => {
    const a = await host('a', 0.2, { gatherMs: 60_000 });
    expect((await a.look()).give).toBe(0);
    const b = await host('b', 0.3, { gatherMs: 60_000 });
    await b.sync();
    expect(await earning(a)).toBeCloseTo(0.5, 6);
    // The time to gather is over.
    await client.hset(`{${prefix}}:fleet`, 'openAt', Date.now() - 1);
    expect(await earning(a)).toBeCloseTo(1, 6);
  });

  test('earns the whole budget, but for the shares of those whose stay has ended, until they are back', async () => {
    const a = await host('a', 0.2);
    const b = await host('b', 0.3, { membershipTtlMs: 1 });
    const c = await host('c', 0.1);
    await a.sync();
    expect(await earning(a)).toBeCloseTo(1, 6);
    await c.sync();
    // b's visits look at all stays with its own times: it comes last.
    await b.sync();
    await sleep(10);
    await client.hset(`{${prefix}}:fleet`, 'host:b', `0.3 ${Date.now() - 100}`);
    expect(await earning(a)).toBeCloseTo(0.7, 6);
    const back = await host('b', 0.3);
    await back.sync();
    expect(await earning(a)).toBeCloseTo(1, 6);
    await back.connection.leave();
    expect(await earning(a)).toBeCloseTo(1, 6);
    expect((await a.sync()).hosts).toBe(2);
  });

  test('holds less by the bursts of those who are away', async () => {
    const a = await host('a', 0.2);
    await a.sync();
    await client.hset(`{${prefix}}:fleet`, 'host:b', `0.3 ${Date.now() - 100}`);
    await until('it is full', async () => (await a.look(100, 100)).give === 70);
    await sleep(50);
    expect((await a.look(100, 100)).give).toBe(70);
  });

  test('never falls below what those who are here would have alone, however many have crashed', async () => {
    const a = await host('a', 0.2);
    await a.sync();
    for (let i = 0; i < 12; i++) {
      await client.hset(`{${prefix}}:fleet`, `host:crashed-${i}`, `0.1 ${Date.now() - 100}`);
    }
    expect(await earning(a)).toBeCloseTo(0.2, 6);
    // After a day they are forgotten.
    for (let i = 0; i < 12; i++) {
      await client.hset(`{${prefix}}:fleet`, `host:crashed-${i}`, `0.1 ${Date.now() - 90_000_000}`);
    }
    expect(await earning(a)).toBeCloseTo(1, 6);
  });

  test('that nobody visited for a whole stay begins anew with nothing', async () => {
    const a = await host('a', 1, { membershipTtlMs: 200 });
    await a.look();
    await sleep(100);
    expect((await a.look()).give).toBeGreaterThan(50);
    await sleep(300);
    expect((await a.look()).give).toBe(0);
  });

  test('counts a step of its clock for next to nothing', async () => {
    const a = await host('a', 1, { earnMsMax: 100 });
    await a.look();
    for (let i = 0; i < 50; i++) {
      // As if the clock had gone on by half a minute since the last visit.
      await client.hincrby(`{${prefix}}:fleet`, 'seen', -30_000);
      expect((await a.look()).give).toBeLessThanOrEqual(100);
      // And as if it had been put back: the pool begins anew, also twice in one millisecond.
      await client.hincrby(`{${prefix}}:fleet`, 'seen', 3_600_000);
      expect((await a.look()).give).toBe(0);
    }
  });

  test('gives whoever has used up his right only what lies above the bursts of the others who are here', async () => {
    const a = await host('a', 0.25);
    const b = await host('b', 0.25);
    await a.sync();
    await b.sync();
    await until('it is full', async () => (await a.look(100, 100)).give === 100);
    expect((await a.look(0, 100)).give).toBe(75);
    await a.connection.count('op', -80);
    // Nothing more is earned from here on.
    const still = 1e-9;
    const greedy = await a.look(0, 100, still);
    expect(greedy.give).toBe(0);
    expect(greedy.waitMs).toBeGreaterThan(0);
    expect((await b.look(15, 100, still)).give).toBe(15);
    expect((await b.look(90, 100, still)).give).toBe(20);
  });

  test('gives each call once, however many come for it at the same time', async () => {
    const slow = { perSecond: 0.001, burst: 40 };
    const fleets = ['a', 'b', 'c', 'd'].map(
      (name) =>
        new Fleet({
          url: redis.url,
          account: prefix,
          host: name,
          share: 0.25,
          rates: { NotifyMigrationTaskState: slow } as FleetOptions['rates'],
          scopeOf: () => 'mgh',
          monotonicMs: () => performance.now(),
          random: () => 0.5,
          log: { write: () => undefined },
        }),
    );
    await until('all have joined', () => fleets.every(({ state }) => state === 'joined'));
    const take = (): Promise<number[]> =>
      Promise.all(
        fleets.map((one) => one.take('NotifyMigrationTaskState', 5, 5).then(({ slots }) => slots)),
      );
    await take();
    const key = settingsKey(`{migration-agent:${prefix}}:mgh:NotifyMigrationTaskState`);
    let given = 0;
    for (let round = 0; round < 10; round++) {
      await client.hset(key, 'reservoir', 7);
      given = (await take()).reduce((sum, slots) => sum + slots, 0);
      expect(given).toBeLessThanOrEqual(7);
      // What was drawn and not there has been put back.
      expect(Number(await client.hget(key, 'reservoir'))).toBe(7 - given);
    }
    expect(given).toBeGreaterThan(0);
    await Promise.all(fleets.map((one) => one.close()));
  });

  test('changes nothing at a visit that comes later than its visitor waits for it', async () => {
    const a = await host('a', 0.5);
    await a.look();
    const before = await client.hgetall(`{${prefix}}:fleet`);
    const late = await FleetConnection.open({
      url: redis.url,
      prefix,
      host: 'late',
      times: LONG,
      answerMs: 10_000,
      monotonicMs: runsBackwards(),
    });
    open.push(late);
    await expect(late.sync(0.5)).rejects.toThrow('too late');
    expect(await client.hgetall(`{${prefix}}:fleet`)).toEqual(before);
  });
});

/** By this clock every visit is sent a minute before the last answer came: Redis seems to do all a minute late. */
function runsBackwards(): () => number {
  let ms = 0;
  return () => (ms -= 60_000);
}
