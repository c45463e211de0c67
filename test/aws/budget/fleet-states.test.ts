/**
 * When a host joins its fleet, waits and goes alone (P6), to the millisecond: Redis is made up here, and so is the clock. On a
 * real Redis: fleet-answers.test.ts, fleet.test.ts.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HUB_OPERATIONS, PIPELINE_OPERATIONS } from '../../../src/core/model/call.ts';
import { Fleet } from '../../../src/aws/budget/fleet.ts';
import type { FleetOptions } from '../../../src/aws/budget/fleet.ts';
import type { FleetConnectionOptions, Sync } from '../../../src/aws/budget/fleet-connection.ts';

/** What the host asks of Redis, and how Redis answers. */
const redis = vi.hoisted(() => ({
  opens: [] as number[],
  options: [] as unknown[],
  syncs: [] as unknown[][],
  counts: [] as [string, number][],
  left: 0,
  closed: 0,
  open: (): Promise<void> => Promise.resolve(),
  sync: (): Promise<unknown> => Promise.resolve(undefined),
  count: (): Promise<number> => Promise.resolve(0),
  leave: (): Promise<void> => Promise.resolve(),
}));
vi.mock(import('../../../src/aws/budget/fleet-connection.ts'), () => {
  class Connection {
    syncedMs = -Infinity;
    static async open(options: FleetConnectionOptions): Promise<Connection> {
      redis.opens.push(performance.now());
      redis.options.push(options);
      await redis.open();
      return new Connection();
    }
    async sync(...asked: unknown[]): Promise<Sync> {
      this.syncedMs = performance.now();
      redis.syncs.push([this.syncedMs, ...asked]);
      return (await redis.sync()) as Sync;
    }
    count(id: string, calls: number): Promise<number> {
      redis.counts.push([id, calls]);
      return redis.count();
    }
    leave(): Promise<void> {
      redis.left += 1;
      return redis.leave();
    }
    close(): void {
      redis.closed += 1;
    }
  }
  return { FleetConnection: Connection as never };
});

const RATES = Object.fromEntries(
  [...HUB_OPERATIONS, ...PIPELINE_OPERATIONS].map((one) => [one, { perSecond: 10, burst: 40 }]),
) as FleetOptions['rates'];
const POOL: Sync = { hosts: 3, shares: 0.75, give: 5, waitMs: 0 };

let fleet: Fleet;
let states: [number, string][];
let logged: [string, Record<string, unknown>][];
let beganMs: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  Object.assign(redis, { opens: [], options: [], syncs: [], counts: [], left: 0, closed: 0 });
  redis.open = () => Promise.resolve();
  redis.sync = () => Promise.resolve(POOL);
  redis.count = () => Promise.resolve(30);
  redis.leave = () => Promise.resolve();
  states = [];
  logged = [];
  beganMs = performance.now();
});
afterEach(async () => {
  await fleet.close();
  vi.useRealTimers();
});

function start(more: Partial<FleetOptions> = {}): void {
  beganMs = performance.now();
  fleet = new Fleet({
    ...{ url: 'redis://host', account: 'test', host: 'one', share: 0.25, rates: RATES },
    scopeOf: (operation) => (operation === 'PollForTask' ? 'us-east-1' : 'eu-central-1'),
    monotonicMs: () => performance.now(),
    random: () => 1,
    log: { write: (_level, event, _message, fields) => logged.push([event, { ...fields }]) },
    ...more,
  });
  fleet.onChange = () => states.push([sinceMs(), fleet.state]);
}

const sinceMs = (): number => performance.now() - beganMs;
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const away = (text = 'ECONNREFUSED'): Promise<never> => Promise.reject(new Error(text));
/** At which each attempt began, since the host's start. */
const attempts = (): number[] => redis.opens.map((ms) => ms - beganMs);

async function joined(more: Partial<FleetOptions> = {}): Promise<void> {
  start(more);
  await pass(0);
  expect(fleet.state).toBe('joined');
}

describe('alone', () => {
  test('a host that never reaches Redis: when a sync of an earlier agent has certainly expired', async () => {
    redis.open = () => away();
    start();
    await pass(6_000);
    expect(fleet.state).toBe('waiting');
    await pass(1);
    expect(states).toEqual([[6_001, 'alone']]);
    expect(fleet.status()).toEqual({ state: 'alone', share: 0.25, reason: 'ECONNREFUSED' });
  });

  test('a host that loses Redis: counted from the last sync that may have taken effect', async () => {
    await joined();
    await pass(1_500);
    // Renewed after a second, and not again before the next.
    redis.sync = () => away('Redis does not answer within 2000 ms');
    await pass(500);
    redis.open = () => away();
    expect(states).toEqual([
      [0, 'joined'],
      [2_000, 'waiting'],
    ]);
    await pass(6_000);
    expect(fleet.state).toBe('waiting');
    await pass(1);
    expect(states.at(-1)).toEqual([8_001, 'alone']);
  });

  test('a sync that fails while it joins: the pool may count it from then on', async () => {
    redis.open = () => away();
    start();
    await pass(6_001);
    redis.open = () => Promise.resolve();
    redis.sync = () =>
      new Promise((_, reject) => setTimeout(() => reject(new Error('slow')), 2_000));
    const before = redis.syncs.length;
    while (redis.syncs.length === before) await pass(100);
    expect(fleet.state).toBe('waiting');
    const syncMs = (redis.syncs.at(-1)![0] as number) - beganMs;
    redis.open = () => away();
    await pass(2_000);
    const closed = redis.closed;
    expect(closed).toBe(1);
    await pass(syncMs + 6_000 - sinceMs());
    expect(fleet.state).toBe('waiting');
    await pass(1);
    expect(states.at(-1)).toEqual([syncMs + 6_001, 'alone']);
  });

  test('it stays alone while Redis is away, and says so once', async () => {
    redis.open = () => away();
    start();
    await pass(120_000);
    expect(states).toHaveLength(1);
    expect(logged).toEqual([['fleet.away', { reason: 'ECONNREFUSED', share: 0.25 }]]);
    redis.open = () => away('WRONGPASS');
    await pass(10_000);
    expect(logged.map(([, { reason }]) => reason)).toEqual(['ECONNREFUSED', 'WRONGPASS']);
  });
});

describe('the next attempt', () => {
  test('comes after a second, then twice as long each time, ten seconds at most', async () => {
    redis.open = () => away();
    start();
    await pass(36_000);
    expect(attempts()).toEqual([0, 1_000, 3_000, 7_000, 15_000, 25_000, 35_000]);
  });

  test('comes earlier by chance, but not before half of that', async () => {
    redis.open = () => away();
    start({ random: () => 0 });
    await pass(3_600);
    expect(attempts()).toEqual([0, 500, 1_500, 3_500]);
  });

  test('a Redis that fails soon after each joining is asked with a growing delay', async () => {
    let syncs = 0;
    // Each second sync of a connection fails: the renewal a second after it has joined.
    redis.sync = () => (syncs++ % 2 === 0 ? Promise.resolve(POOL) : away());
    start();
    await pass(25_000);
    expect(attempts()).toEqual([0, 2_000, 5_000, 10_000, 19_000]);
  });

  test('one that has lasted for the time that a pool gathers its hosts begins anew', async () => {
    redis.open = () => away();
    start();
    await pass(7_500);
    redis.open = () => Promise.resolve();
    await pass(15_000 - 7_500);
    expect(fleet.state).toBe('joined');
    await pass(29_000);
    redis.sync = () => away();
    redis.open = () => away();
    await pass(1_000);
    expect(fleet.state).toBe('waiting');
    const lostMs = sinceMs();
    await pass(1_000);
    expect(attempts().at(-1)).toBe(lostMs + 1_000);
  });
});

describe('joined', () => {
  test('it shows the fleet, and forgets why it was away', async () => {
    redis.open = () => away();
    start();
    await pass(500);
    expect(fleet.problems()).toHaveLength(1);
    redis.open = () => Promise.resolve();
    await pass(500);
    expect(fleet.status()).toEqual({ state: 'joined', share: 0.25, hosts: 3, shares: 0.75 });
    expect(fleet.problems()).toEqual([]);
    expect(logged.at(-1)).toEqual(['fleet.joined', { hosts: 3, shares: 0.75, share: 0.25 }]);
    expect(redis.options.at(-1)).toMatchObject({
      ...{ url: 'redis://host', prefix: 'migration-agent:test', host: 'one', answerMs: 2_000 },
    });
    await pass(60_000);
    expect(fleet.state).toBe('joined');
  });

  test('it renews its membership each second in which nothing else did', async () => {
    await joined();
    await pass(2_500);
    expect(redis.syncs.map(([ms]) => (ms as number) - beganMs)).toEqual([0, 1_000, 2_000]);
    await fleet.take('PollForTask', 1, 1);
    await pass(1_000);
    // At 3,000 ms the take was half a second ago.
    expect(redis.syncs.map(([ms]) => (ms as number) - beganMs)).toEqual([0, 1_000, 2_000, 2_500]);
    await pass(500);
    expect(redis.syncs).toHaveLength(5);
  });

  test('a changed share and rate count from the next request on', async () => {
    await joined();
    fleet.setRates(0.5, { ...RATES, PollForTask: { perSecond: 2, burst: 7 } });
    await fleet.take('PollForTask', 3, 2);
    const [, share, demand] = redis.syncs.at(-1)!;
    expect(share).toBe(0.5);
    expect(demand).toMatchObject({
      ...{ id: 'us-east-1:PollForTask', burst: 7, wanted: 3, guaranteed: 2 },
    });
    expect(fleet.status().share).toBe(0.5);
  });
});

describe('a take', () => {
  test('before the host has joined gives nothing, and asks nobody', async () => {
    redis.open = () => new Promise(() => undefined);
    start();
    expect(await fleet.take('PollForTask', 5, 5)).toEqual({ slots: 0, waitMs: 1_000 });
    expect(redis.syncs).toEqual([]);
    fleet.giveBack('PollForTask', 5);
    expect(redis.counts).toEqual([]);
  });

  test.each([
    [20, 20],
    [5_000, 1_000],
    [0, 1],
  ])('of an empty pool says when to ask again: in %d ms, so %d', async (waitMs, wait) => {
    await joined();
    redis.sync = () => Promise.resolve({ ...POOL, give: 0, waitMs });
    expect(await fleet.take('PollForTask', 5, 5)).toEqual({ slots: 0, waitMs: wait });
    expect(redis.counts).toEqual([]);
  });

  test('counts what the pool gives', async () => {
    await joined();
    expect(await fleet.take('PollForTask', 9, 9)).toEqual({ slots: 5, waitMs: 0 });
    fleet.giveBack('NotifyMigrationTaskState', 2);
    expect(redis.counts).toEqual([
      ['us-east-1:PollForTask', -5],
      ['eu-central-1:NotifyMigrationTaskState', 2],
    ]);
  });

  test.each([
    [0, 5, 0],
    [-2, 3, 2],
    [-9, 0, 5],
  ])(
    'of a pool that another host was faster at: level %d, %d are left',
    async (level, slots, back) => {
      await joined();
      redis.count = () => Promise.resolve(level);
      expect((await fleet.take('PollForTask', 9, 9)).slots).toBe(slots);
      expect(redis.counts.slice(1)).toEqual(back === 0 ? [] : [['us-east-1:PollForTask', back]]);
    },
  );

  test('whose answer took just half a second counts; a longer one is given back', async () => {
    await joined();
    const takes = async (ms: number): Promise<number> => {
      redis.count = async () => {
        vi.setSystemTime(Date.now());
        await vi.advanceTimersByTimeAsync(ms);
        redis.count = () => Promise.resolve(30);
        return 30;
      };
      return (await fleet.take('PollForTask', 9, 9)).slots;
    };
    expect(await takes(500)).toBe(5);
    expect(await takes(501)).toBe(0);
    expect(redis.counts.at(-1)).toEqual(['us-east-1:PollForTask', 5]);
    expect(await takes(501)).toBe(0);
    expect(await takes(500)).toBe(5);
    for (let slow = 0; slow < 2; slow++) expect(await takes(501)).toBe(0);
    expect(fleet.state).toBe('joined');
    expect(await fleet.take('PollForTask', 9, 9)).toMatchObject({ slots: 5 });
    for (let slow = 0; slow < 3; slow++) expect(await takes(501)).toBe(0);
    expect(fleet.state).toBe('waiting');
    expect(fleet.problems().join()).toContain('Redis is slow: more than 500 ms an answer');
  });

  test('that fails ends the connection once, whoever else waits for it', async () => {
    await joined();
    redis.sync = () => away('gone');
    redis.open = () => away('gone');
    const all = await Promise.all([1, 2, 3].map(() => fleet.take('PollForTask', 1, 1)));
    expect(all).toEqual(Array(3).fill({ slots: 0, waitMs: 1_000 }));
    expect(redis.closed).toBe(1);
    expect(states.map(([, state]) => state)).toEqual(['joined', 'waiting']);
  });

  test('given back to a Redis that fails ends the connection, too', async () => {
    await joined();
    redis.count = () => away('gone');
    redis.open = () => away('gone');
    fleet.giveBack('PollForTask', 1);
    await pass(0);
    expect(fleet.state).toBe('waiting');
  });
});

describe('closing', () => {
  test('leaves the pool, ends the connection, and does nothing more', async () => {
    await joined();
    await fleet.close();
    expect([redis.left, redis.closed]).toEqual([1, 1]);
    expect(vi.getTimerCount()).toBe(0);
    await pass(60_000);
    expect(redis.opens).toHaveLength(1);
    expect(states).toHaveLength(1);
  });

  test('a Redis that does not let it leave is left all the same', async () => {
    await joined();
    redis.leave = () => away();
    await fleet.close();
    expect(redis.closed).toBe(1);
  });

  test('while it opens a connection, or syncs for the first time, keeps none', async () => {
    let go = (): void => undefined;
    redis.open = () => new Promise((resolve) => (go = resolve));
    start();
    await fleet.close();
    go();
    await pass(0);
    expect([redis.closed, redis.syncs.length]).toEqual([1, 0]);

    redis.open = () => Promise.resolve();
    redis.sync = () => new Promise((resolve) => (go = () => resolve(POOL)));
    start();
    await pass(0);
    await fleet.close();
    go();
    await pass(0);
    expect(redis.closed).toBe(2);
    expect(states).toEqual([]);
    expect(logged).toEqual([]);
  });

  test('while an attempt fails makes no other one, and says nothing', async () => {
    let fail = (): void => undefined;
    redis.open = () => new Promise((_, reject) => (fail = () => reject(new Error('no'))));
    start();
    await fleet.close();
    fail();
    await pass(60_000);
    expect(redis.opens).toHaveLength(1);
    expect(logged).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
