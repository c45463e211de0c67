/**
 * A fleet on a real Redis: at no moment, in no window, do all hosts together exceed the limit (P6), whatever becomes of
 * Redis; and nobody takes what is another's by right.
 */
import { Redis } from 'ioredis';
import { describe, expect, test, type TestContext } from 'vitest';
import type { FleetTimes } from '../../../src/aws/budget/fleet-times.ts';
import type { Rate } from '../../../src/core/model/settings.ts';
import { createAuthority, opensslMissing } from '../../support/certificates.ts';
import { freePort, redisMissing, startRedis } from '../../support/redis-server.ts';
import type { RedisServer } from '../../support/redis-server.ts';
import { startRelay } from '../../support/tcp-relay.ts';
import { until } from '../../support/until.ts';
import type { HostOptions } from './fixtures/fleet-host.ts';
import { FleetHosts } from './fleet-hosts.ts';
import type { SeenPart } from './fleet-hosts.ts';
import { IS_LONG, ONLY_LONG } from '../../support/long-run.ts';

/** What takes half a minute in the agent takes a few seconds here. */
const QUICK: Partial<FleetTimes> = {
  answerMs: 1_000,
  // Longer than an answer: a host that Redis no longer answers is counted on for a while.
  membershipTtlMs: 2_000,
  gatherMs: 2_500,
  renewMs: 250,
  retryMs: 200,
  retryMsMax: 800,
};
const WHOLE: Rate = { perSecond: 10, burst: 40 };
/** What hosts that rest may have all together: nine tenths of the burst alone, a little less in the pool. */
const BURST = 30;
const HOSTS = ['north', 'east', 'south', 'west'];

class Rig {
  readonly hosts = new FleetHosts();
  redis: RedisServer;

  constructor({ onTestFinished }: Pick<TestContext, 'onTestFinished'>, redis: RedisServer) {
    this.redis = redis;
    onTestFinished(async () => {
      this.redis.thaw();
      await this.hosts.stop().finally(() => this.redis.kill());
    });
  }

  options(host: string, more: Partial<HostOptions> = {}): HostOptions {
    const share = more.share ?? 0.25;
    const burst = Math.max(1, Math.floor(WHOLE.burst * share));
    return {
      url: this.redis.url,
      host,
      share,
      whole: WHOLE,
      part: { perSecond: WHOLE.perSecond * share, burst },
      wanted: 8,
      pauseMs: 0,
      times: QUICK,
      clockOffMs: 0,
      ...more,
    };
  }

  async all(state: string): Promise<void> {
    await until(`all hosts are ${state}`, () => this.hosts.allAre(state));
  }

  /** Calls a second over the next `ms`, of one host or of all. */
  async pace(ms: number, host?: string): Promise<number> {
    const fromMs = performance.now();
    const before = this.hosts.count(host);
    await until('time has passed', () => performance.now() - fromMs >= ms);
    return ((this.hosts.count(host) - before) / (performance.now() - fromMs)) * 1000;
  }

  /** Hosts rest until what they may have is as much as it gets, and then want it all at once. */
  async burst(): Promise<void> {
    this.hosts.command('rest');
    await this.pace((1000 * WHOLE.burst) / WHOLE.perSecond);
    const before = this.hosts.count();
    this.hosts.command('go');
    await until('they had their burst', () => this.hosts.count() - before >= BURST);
  }

  async fullPace(): Promise<void> {
    const paces: number[] = [];
    const isFull = async (): Promise<boolean> => {
      paces.push(await this.pace(1_000));
      return (paces.at(-1) ?? 0) > 8.2;
    };
    await until('the pool gives the whole budget', isFull, () => {
      return `${paces.join(' ')}: ${[...this.hosts.states].join(' ')}; ${this.hosts.printed.join('; ')}`;
    });
  }
}

function title(message: string, ...missing: (string | undefined)[]): string {
  const all = missing.filter((word) => word !== undefined);
  return all.length === 0 ? message : `${message} (skipped: ${all.join(', ')})`;
}

const fleetTest = test.skipIf(redisMissing !== undefined).concurrent;
const longFleetTest = test.skipIf(redisMissing !== undefined || !IS_LONG).concurrent;

describe(title('a fleet on one Redis', redisMissing), { timeout: 150_000 }, () => {
  fleetTest(
    'four hosts whose clocks differ by hours never exceed one limit, while Redis is killed, comes back empty, and freezes',
    async (context) => {
      const rig = new Rig(context, await startRedis());
      const { hosts } = rig;
      HOSTS.forEach((host, index) =>
        hosts.start(rig.options(host, { clockOffMs: (index - 1) * 3_600_000 })),
      );
      await rig.all('joined');
      await rig.fullPace();
      // What each change must not hide: a burst just before it, which leaves the account nothing to forgive.
      await rig.burst();
      await rig.redis.kill();
      await rig.all('alone');
      await rig.burst();
      rig.redis = await startRedis([], rig.redis.port);
      await rig.all('joined');
      await rig.fullPace();

      await rig.burst();
      rig.redis.freeze();
      await rig.all('alone');
      await rig.burst();
      rig.redis.thaw();
      await rig.all('joined');
      await rig.fullPace();
      expect(hosts.excess(WHOLE)).toBeLessThanOrEqual(0);
      for (const host of HOSTS) expect(hosts.count(host)).toBeGreaterThan(20);
    },
  );

  longFleetTest(
    `a host that is cut off takes its share with it, and brings it back; one that crashed as well; one that left leaves it${ONLY_LONG}`,
    async (context) => {
      const rig = new Rig(context, await startRedis());
      const { hosts } = rig;
      const relay = await startRelay(rig.redis.port);
      context.onTestFinished(() => relay.close());
      for (const host of HOSTS.slice(0, 3)) hosts.start(rig.options(host));
      hosts.start(rig.options('west', { url: `redis://127.0.0.1:${relay.port}` }));
      await rig.all('joined');
      await rig.fullPace();

      relay.cut();
      await until('west is alone', () => hosts.states.get('west') === 'alone');
      // By then the pool counts on it no more.
      const client = new Redis(rig.redis.url);
      const stay = await client.hget('{migration-agent:test}:fleet', 'host:west');
      client.disconnect();
      expect(Number(stay?.split(' ')[1])).toBeLessThan(Date.now());
      const [west, all] = await Promise.all([rig.pace(4_000, 'west'), rig.pace(4_000)]);
      expect(west).toBeGreaterThan(1.4);
      expect(west).toBeLessThan(3.2);
      expect(all).toBeGreaterThan(7);
      expect(all).toBeLessThan(13);
      relay.restore();
      await rig.all('joined');
      await rig.fullPace();

      await hosts.kill('west');
      await until('the pool holds its share back', async () => {
        const pace = await rig.pace(1_000);
        return pace > 5.5 && pace < 8.2;
      });
      hosts.start(rig.options('west'));
      await rig.fullPace();
      expect(hosts.excess(WHOLE)).toBeLessThanOrEqual(0);

      await hosts.leave('west');
      await rig.fullPace();
      expect(hosts.excess(WHOLE)).toBeLessThanOrEqual(0);
    },
  );

  longFleetTest(
    `whoever wants everything leaves the others what is theirs by right${ONLY_LONG}`,
    async (context) => {
      const rig = new Rig(context, await startRedis());
      const { hosts } = rig;
      hosts.start(rig.options('greedy', { wanted: 32 }));
      // Eight at once, well within the share: 9 at once and 2.5 a second.
      hosts.start(rig.options('modest', { wanted: 8, pauseMs: 4_000 }));
      await rig.all('joined');
      await rig.fullPace();
      const before = hosts.parts.length;
      // The first may be the rest of one that had begun before.
      const whole = (): readonly SeenPart[] =>
        hosts.parts
          .slice(before)
          .filter(({ host }) => host === 'modest')
          .slice(1);
      await until('modest had its calls some times', () => whole().length >= 3);
      expect(whole().map(({ slots }) => slots)).toEqual(whole().map(() => 8));
      expect(hosts.count('greedy')).toBeGreaterThan(3 * hosts.count('modest'));
      expect(hosts.excess(WHOLE)).toBeLessThanOrEqual(0);
    },
  );

  fleetTest(
    'accounts have budgets of their own, and each operation and region too',
    async (context) => {
      const rig = new Rig(context, await startRedis());
      const { hosts } = rig;
      hosts.start(rig.options('one', { account: '111111111111', share: 1 }));
      hosts.start(rig.options('two', { account: '222222222222', share: 1 }));
      await rig.all('joined');
      await until('each has the whole budget', async () => (await rig.pace(1_000)) > 15);
    },
  );

  fleetTest(
    'a wrong password is logged, but not its text; with the right one a host joins',
    async (context) => {
      const rig = new Rig(context, await startRedis(['--requirepass', 'hunter2-correct']));
      const { hosts } = rig;
      const { port } = rig.redis;
      hosts.start(rig.options('wrong', { url: `redis://:hunter2-wrong@127.0.0.1:${port}` }));
      hosts.start(rig.options('none'));
      hosts.start(rig.options('right', { url: `redis://:hunter2-correct@127.0.0.1:${port}` }));
      await until('one has joined', () => hosts.states.get('right') === 'joined');
      await until('the others are alone', () =>
        ['wrong', 'none'].every((host) => hosts.states.get(host) === 'alone'),
      );
      const has = (host: string, message: string): boolean =>
        hosts.printed.some((line) => line.startsWith(host) && line.includes(message));
      await until('they have said why', () => has('wrong', 'WRONGPASS') && has('none', 'NOAUTH'));
      expect(hosts.printed.join('\n')).not.toContain('hunter2');
      await until(
        'they have their share',
        () => hosts.count('wrong') > 0 && hosts.count('none') > 0,
      );
    },
  );

  test
    .skipIf(redisMissing !== undefined || opensslMissing !== undefined)
    .concurrent(
      title('rediss:// is TLS, to a Redis whose authority is known', opensslMissing),
      async (context) => {
        const authority = createAuthority();
        context.onTestFinished(() => authority.remove());
        const { certFile, keyFile } = authority.issue();
        const port = await freePort();
        const tls = ['--tls-cert-file', certFile, '--tls-key-file', keyFile];
        const own = ['--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'no'];
        const rig = new Rig(
          context,
          await startRedis([...own, ...tls, '--tls-ca-cert-file', authority.certFile]),
        );
        const { hosts } = rig;
        const url = `rediss://127.0.0.1:${port}`;
        hosts.start(rig.options('knows', { url }), { NODE_EXTRA_CA_CERTS: authority.certFile });
        hosts.start(rig.options('stranger', { url }));
        await until('one has joined', () => hosts.states.get('knows') === 'joined');
        await until('the other is alone', () => hosts.states.get('stranger') === 'alone');
        await until('it says why', () =>
          hosts.printed.some((line) => line.startsWith('stranger') && line.includes('certificate')),
        );
      },
    );
});
