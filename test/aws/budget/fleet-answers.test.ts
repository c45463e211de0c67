/** One host of a fleet, and how it takes slow and failing answers of a real Redis. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { HUB_OPERATIONS, PIPELINE_OPERATIONS } from '../../../src/core/model/call.ts';
import { Fleet } from '../../../src/aws/budget/fleet.ts';
import type { FleetOptions } from '../../../src/aws/budget/fleet.ts';
import { freePort, redisMissing, startRedis } from '../../support/redis-server.ts';
import { until } from '../../support/until.ts';

const ratesOf = (perSecond: number): FleetOptions['rates'] =>
  Object.fromEntries(
    [...HUB_OPERATIONS, ...PIPELINE_OPERATIONS].map((operation) => [
      operation,
      { perSecond, burst: 100 },
    ]),
  ) as FleetOptions['rates'];
const skipped = redisMissing === undefined ? '' : ` (skipped: ${redisMissing})`;

interface Host {
  readonly fleet: Fleet;
  readonly reasons: string[];
  /** From now on each answer takes so much longer, by the host's clock. */
  slowMs: number;
}

function start(url: string, more: Partial<FleetOptions> = {}): Host {
  let laterMs = 0;
  const reasons: string[] = [];
  const slow = { slowMs: 0 };
  const host: Host = Object.assign(slow, {
    reasons,
    fleet: new Fleet({
      ...{ url, account: 'test', host: 'one', share: 1, rates: ratesOf(50) },
      scopeOf: () => 'us-west-2',
      monotonicMs: () => {
        laterMs += slow.slowMs;
        return performance.now() + laterMs;
      },
      random: () => 0.5,
      log: {
        write: (_level, event, _message, fields) => {
          if (event === 'fleet.away') reasons.push(String(fields['reason']));
        },
      },
      times: {
        answerMs: 60_000,
        membershipTtlMs: 90_000,
        gatherMs: 1,
        renewMs: 60_000,
        retryMs: 50,
      },
      ...more,
    }),
  });
  onTestFinished(() => host.fleet.close());
  return host;
}

/** A host that has joined, with calls in the pool, which earns none from now on. */
async function joined(): Promise<Host> {
  const redis = await startRedis();
  onTestFinished(() => redis.kill());
  const host = start(redis.url);
  await until('the host has joined', () => host.fleet.state === 'joined');
  await until('the pool has thirty', async () => {
    const { slots } = await host.fleet.take('PollForTask', 30, 30);
    if (slots > 0) host.fleet.giveBack('PollForTask', slots);
    return slots === 30;
  });
  host.fleet.setRates(1, ratesOf(0.001));
  return host;
}

/** Calls that the pool has for this host now. */
async function takeAll({ fleet }: Host): Promise<number> {
  let all = 0;
  for (;;) {
    const { slots } = await fleet.take('PollForTask', 10, 10);
    if (slots === 0) return all;
    all += slots;
  }
}

test('a server that answers without an end is left, with its reason, and the host goes on alone', async () => {
  let sentBytes = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      // A text of 512 MiB, as far as the peer takes it.
      socket.write(`$${512 * 1024 * 1024}\r\n`);
      const part = Buffer.alloc(64 * 1024, 0x61);
      const more = (): void => {
        if (socket.destroyed) return;
        sentBytes += part.length;
        socket.write(part, more);
      };
      more();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const host = start(`redis://127.0.0.1:${port}`);
  await until('it says why', () => host.reasons.length > 0);
  expect(host.reasons[0]).toContain('Redis sent more than 1048576 bytes within 60000 ms');
  expect(host.fleet.state).not.toBe('joined');
  // Two connections, and what the kernel holds of each.
  expect(sentBytes).toBeLessThan(64 * 1024 * 1024);
});

test.skipIf(redisMissing !== undefined)(
  `calls whose answer came late are given back, and can be taken again${skipped}`,
  async () => {
    const host = await joined();
    host.slowMs = 600;
    expect((await host.fleet.take('PollForTask', 10, 10)).slots).toBe(0);
    expect((await host.fleet.take('PollForTask', 10, 10)).slots).toBe(0);
    host.slowMs = 0;
    // A fast answer in between: two slow ones more are not three in a row.
    expect((await host.fleet.take('PollForTask', 1, 1)).slots).toBe(1);
    host.slowMs = 600;
    expect((await host.fleet.take('PollForTask', 10, 10)).slots).toBe(0);
    host.slowMs = 0;
    expect(host.fleet.state).toBe('joined');
    const first = await takeAll(host);
    expect(first).toBeGreaterThan(20);
    expect(await takeAll(host)).toBe(0);
  },
);

test.skipIf(redisMissing !== undefined)(
  `three slow answers in a row: Redis counts as away, with its reason${skipped}`,
  async () => {
    const host = await joined();
    host.slowMs = 600;
    for (let i = 0; i < 3; i++) await host.fleet.take('PollForTask', 1, 1);
    expect(host.reasons).toEqual([expect.stringContaining('Redis is slow') as string]);
    host.slowMs = 0;
    await until('it has joined again', () => host.fleet.state === 'joined');
  },
);

test('a password in the address is not in the reason', async () => {
  const { fleet, reasons } = start(`redis://user:hunter2hunter2@127.0.0.1:${await freePort()}`);
  await until('it is away', () => reasons.length > 0);
  expect(reasons.join()).not.toContain('hunter2');
  expect(JSON.stringify(fleet.status())).not.toContain('hunter2');
  expect(fleet.problems().join()).toContain('Redis');
});

test('a host that has never reached Redis goes alone when an earlier agent of it has certainly been forgotten', async () => {
  const url = `redis://127.0.0.1:${await freePort()}`;
  const sinceMs = performance.now();
  const { fleet } = start(url, { times: { answerMs: 40, membershipTtlMs: 60, retryMs: 50 } });
  expect(fleet.state).toBe('waiting');
  await until('it is alone', () => fleet.state === 'alone');
  expect(performance.now() - sinceMs).toBeGreaterThanOrEqual(100);
  expect(fleet.status()).toMatchObject({ state: 'alone', share: 1 });
});

test.skipIf(redisMissing !== undefined)(
  `a host that leaves is counted no more, and keeps no connection${skipped}`,
  async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.kill());
    const one = start(redis.url);
    await until('it has joined', () => one.fleet.state === 'joined');
    const two = start(redis.url, { host: 'two' });
    await until('both have joined', () => two.fleet.state === 'joined');
    expect(two.fleet.status()).toMatchObject({ hosts: 2, shares: 2 });
    expect(two.fleet.problems()).toEqual([expect.stringContaining("fleet's 2 hosts add up to 2")]);
    await Promise.all([one.fleet.close(), two.fleet.close()]);
    const three = start(redis.url, { host: 'three' });
    await until('the third has joined', () => three.fleet.state === 'joined');
    expect(three.fleet.status()).toMatchObject({ hosts: 1, shares: 1 });
    // One that closes while it joins leaves none behind either.
    const four = start(redis.url, { host: 'four' });
    await four.fleet.close();
    const client = new Redis(redis.url);
    onTestFinished(() => client.disconnect());
    await until('only the third is connected', async () => {
      const list = String(await client.client('LIST'));
      return list.split('\n').filter((line) => line.includes('name=migration-agent')).length === 2;
    });
  },
);
