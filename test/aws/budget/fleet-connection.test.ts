/**
 * What a host sends to its fleet's Redis and how it reads the answers: clients that this test makes up, to the millisecond. A
 * real Redis is in fleet-answers.test.ts and fleet-script.test.ts.
 */
import type { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FleetConnection } from '../../../src/aws/budget/fleet-connection.ts';
import type { Demand } from '../../../src/aws/budget/fleet-connection.ts';
import { LATE, NO_RESERVOIR } from '../../../src/aws/budget/fleet-script.ts';

interface Made {
  /** Arguments of each sync, in order. */
  syncs: unknown[][];
  answers: (() => Promise<unknown>)[];
  increments: [string, number][];
  limiters: string[];
  ended: number;
  disconnected: string[];
  connect: () => Promise<void>;
  time: () => Promise<[string, string]>;
  clients: EventEmitter[];
  options: unknown[];
}
const made = vi.hoisted((): Made => ({}) as Made);

vi.mock('ioredis', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  class Redis extends Emitter {
    readonly name: string;
    readonly stream = Object.assign(new Emitter(), { destroy: () => undefined });
    constructor(name = 'client', options?: unknown) {
      super();
      this.name = name === 'redis://host' ? 'client' : name;
      made.clients.push(this);
      made.options.push(options);
    }
    duplicate = (): Redis => new Redis('subscriber');
    defineCommand = (): void => undefined;
    connect = (): Promise<void> => made.connect();
    disconnect = (): void => void made.disconnected.push(this.name);
    time = (): Promise<[string, string]> => made.time();
    syncFleet = (...args: unknown[]): Promise<unknown> => {
      made.syncs.push(args);
      return made.answers.length > 1 ? made.answers.shift()!() : made.answers[0]!();
    };
  }
  return { Redis };
});
vi.mock(import('../../../src/aws/budget/bottleneck-guards.ts'), () => ({
  createCluster: () => ({}) as never,
  createClusteredLimiter: (_cluster, id) => {
    made.limiters.push(id);
    return Promise.resolve({
      incrementReservoir: (calls: number) => {
        made.increments.push([id, calls]);
        return Promise.resolve(7);
      },
    } as never);
  },
  endCluster: () => void (made.ended += 1),
  catchAllErrors: () => undefined,
  settingsKey: (id) => `settings of ${id}`,
}));

/** The clock of Redis is an hour ahead of the host's. */
const AHEAD_MS = 3_600_000;
const ANSWER_MS = 2_000;
let nowMs: number;
const redisMs = (): number => nowMs + AHEAD_MS;
const ok = (): Promise<unknown> => Promise.resolve([1, redisMs(), 3, 750, 5, 40]);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  nowMs = 1_000_000.5;
  Object.assign(made, {
    ...{ syncs: [], answers: [ok], increments: [], limiters: [], ended: 0, disconnected: [] },
    ...{ clients: [], options: [] },
    connect: () => Promise.resolve(),
    time: () => Promise.resolve([String(Math.floor(redisMs() / 1000)), '500900']),
  });
});
afterEach(() => vi.useRealTimers());

function open(): Promise<FleetConnection> {
  return FleetConnection.open({
    ...{ url: 'redis://host', prefix: 'agents', host: 'one', answerMs: ANSWER_MS },
    times: { membershipTtlMs: 4_000, gatherMs: 30_000, earnMsMax: 1_500, forgetMs: 86_400_000 },
    monotonicMs: () => nowMs,
  });
}

const demand: Demand = {
  ...{ id: 'region:Poll', bucket: { perMs: 0.01, capacity: 9 }, burst: 10, wanted: 4 },
  guaranteed: 2,
};

describe('a sync', () => {
  test('names the host, its share and its limits, and must not take effect later than its answer may come', async () => {
    const connection = await open();
    expect(await connection.sync(0.25)).toEqual({ hosts: 3, shares: 0.75, give: 5, waitMs: 40 });
    expect(made.syncs).toEqual([
      [
        ...['{agents}:fleet', 'settings of {agents}:none', 'sync', 'one', 0.25],
        // The time of Redis when it was asked, in whole milliseconds, and the time for the answer.
        Math.floor(1_000_000.5 + (4_600_000 + 500 - 1_000_000.5) + ANSWER_MS),
        ...[4_000, 30_000, 1_500, 86_400_000],
      ],
    ]);
    expect(connection.syncedMs).toBe(nowMs);
    expect(made.limiters).toEqual([]);
  });

  test('learns the clock of Redis from each answer', async () => {
    const connection = await open();
    await connection.sync(0.25);
    nowMs += 10_000;
    await connection.sync(0.25);
    expect(made.syncs[1]![5]).toBe(Math.floor(nowMs + AHEAD_MS + ANSWER_MS));
  });

  test('with a demand asks for calls of one operation, whose budget is made once', async () => {
    const connection = await open();
    await connection.sync(0.25, demand);
    await connection.sync(0.25, demand);
    expect(made.syncs[0]!.slice(0, 2)).toEqual([
      ...['{agents}:fleet', 'settings of {agents}:region:Poll'],
    ]);
    expect(made.syncs[0]!.slice(10)).toEqual(['region:Poll', 0.01, 9, 10, 4, 2]);
    expect(made.limiters).toEqual(['{agents}:region:Poll']);
  });

  test('that came too late is made once more, with the time that its answer brought', async () => {
    const connection = await open();
    const late = (): Promise<unknown> => Promise.resolve([LATE, redisMs() + 60_000, 0, 0, 0, 0]);
    made.answers = [late, ok];
    expect(await connection.sync(0.25)).toMatchObject({ hosts: 3 });
    expect(made.syncs).toHaveLength(2);
    expect(Number(made.syncs[1]![5]) - Number(made.syncs[0]![5])).toBeGreaterThan(59_000);
    made.answers = [late];
    await expect(connection.sync(0.25)).rejects.toThrow('Redis answers too late');
    expect(made.syncs).toHaveLength(4);
  });

  test('of a Redis that was emptied has its budget made again, and is made once more', async () => {
    const connection = await open();
    const none = (): Promise<unknown> => Promise.resolve([NO_RESERVOIR, redisMs(), 0, 0, 0, 0]);
    made.answers = [none, ok];
    expect(await connection.sync(0.25, demand)).toMatchObject({ give: 5 });
    expect(made.increments).toEqual([['{agents}:region:Poll', 0]]);
    expect(made.syncs).toHaveLength(2);
    // Without a demand there is no budget to make.
    made.answers = [none];
    await connection.sync(0.25);
    expect(made.syncs).toHaveLength(3);
  });

  test('without an answer is given up when its time is over', async () => {
    const connection = await open();
    made.answers = [() => new Promise(() => undefined)];
    let said = '';
    const sync = connection.sync(0.25).catch((error: unknown) => (said = String(error)));
    await vi.advanceTimersByTimeAsync(ANSWER_MS - 1);
    expect(said).toBe('');
    await vi.advanceTimersByTimeAsync(1);
    await sync;
    expect(said).toBe('Error: Redis does not answer within 2000 ms');
    made.answers = [ok];
    await connection.sync(0.25);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('calls are counted in the budget of their operation; leaving is said to all', async () => {
  const connection = await open();
  expect(await connection.count('region:Poll', -3)).toBe(7);
  expect(made.increments).toEqual([['{agents}:region:Poll', -3]]);
  await connection.leave();
  expect(made.syncs[0]!.slice(2, 5)).toEqual(['leave', 'one', 0]);
  connection.close();
  expect(made.ended).toBe(1);
});

describe('opening', () => {
  test('never reconnects by itself, and keeps nothing for later', async () => {
    await open();
    expect(made.options[0]).toMatchObject({
      ...{ lazyConnect: true, connectTimeout: ANSWER_MS, enableOfflineQueue: false },
      ...{ autoResubscribe: false, autoResendUnfulfilledCommands: false },
      ...{ maxRetriesPerRequest: null, connectionName: 'migration-agent' },
    });
    const { retryStrategy } = made.options[0] as { retryStrategy: () => unknown };
    expect(retryStrategy()).toBeNull();
    expect(made.disconnected).toEqual([]);
  });

  test('fails with the first error, which is the cause, and leaves no connection', async () => {
    made.connect = () => {
      made.clients[0]!.emit('error', new Error('WRONGPASS'));
      made.clients[1]!.emit('error', new Error('Connection is closed.'));
      return Promise.reject(new Error('Connection is closed.'));
    };
    await expect(open()).rejects.toThrow('WRONGPASS');
    expect(made.disconnected.toSorted()).toEqual(['client', 'subscriber']);
  });

  test('fails with its own error if no client had one, also without an answer to its first question', async () => {
    made.time = () => Promise.reject(new Error('NOAUTH'));
    await expect(open()).rejects.toThrow('NOAUTH');
    expect(made.disconnected).toHaveLength(2);
    made.connect = () => new Promise(() => undefined);
    const failed = open().catch((error: unknown) => String(error));
    await vi.advanceTimersByTimeAsync(ANSWER_MS);
    expect(await failed).toBe('Error: Redis does not answer within 2000 ms');
  });
});

describe('bytes', () => {
  test('a megabyte within the time of an answer is no Redis of a fleet', async () => {
    await open();
    const [client] = made.clients as (EventEmitter & { stream: EventEmitter })[];
    const destroyed = vi.fn();
    Object.assign(client!.stream, { destroy: destroyed });
    client!.emit('connect');
    const part = Buffer.alloc(512 * 1024);
    client!.stream.emit('data', part);
    client!.stream.emit('data', part);
    expect(destroyed).not.toHaveBeenCalled();
    // Later it counts anew.
    nowMs += ANSWER_MS + 1;
    client!.stream.emit('data', part);
    client!.stream.emit('data', part);
    expect(destroyed).not.toHaveBeenCalled();
    nowMs += ANSWER_MS;
    client!.stream.emit('data', Buffer.alloc(1));
    expect(destroyed).toHaveBeenCalledTimes(1);
    expect(String(destroyed.mock.calls[0]![0])).toContain('more than 1048576 bytes within 2000 ms');
  });
});
