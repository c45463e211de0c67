/**
 * A fleet on a real Redis: at no moment, in no window, do all hosts together exceed the limit (P6), whatever becomes of
 * Redis; and nobody takes what is another's by right.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { FleetTimes } from '../../src/aws/fleet.ts';
import type { Rate } from '../../src/core/settings.ts';
import { redisMissing, startRedis, type RedisServer } from '../support/redis-server.ts';
import { until } from '../support/until.ts';
import type { HostOptions } from './fixtures/fleet-host.ts';
import { FleetHosts } from './fleet-hosts.ts';

/** What takes half a minute in the agent takes a few seconds here. */
const QUICK: Partial<FleetTimes> = {
  answerMs: 500,
  stayMs: 1_000,
  gatherMs: 2_500,
  renewMs: 250,
  retryMs: 200,
  retryMsMax: 800,
};
const WHOLE: Rate = { perSecond: 20, burst: 40 };
const HOSTS = ['north', 'east', 'south', 'west'];

let redis: RedisServer;
let hosts: FleetHosts;

afterEach(async () => {
  await hosts.stop();
  redis.thaw();
  await redis.kill();
});

function options(host: string, more: Partial<HostOptions> = {}): HostOptions {
  const share = more.share ?? 0.25;
  const whole = more.whole ?? WHOLE;
  return {
    url: redis.url,
    host,
    share,
    whole,
    part: {
      perSecond: whole.perSecond * share,
      burst: Math.max(1, Math.floor(whole.burst * share)),
    },
    wanted: 8,
    pauseMs: 0,
    times: QUICK,
    clockOffMs: 0,
    ...more,
  };
}

/** Calls a second of all hosts over the next `ms`. */
async function pace(ms: number, host?: string): Promise<number> {
  const fromMs = performance.now();
  const before = hosts.count(host);
  await until('time has passed', () => performance.now() - fromMs >= ms);
  return ((hosts.count(host) - before) / (performance.now() - fromMs)) * 1000;
}

async function fullPace(): Promise<void> {
  await until('the pool gives the whole budget', async () => (await pace(1_000)) > 17);
}

describe.skipIf(redisMissing !== undefined)(
  `a fleet on one Redis${redisMissing === undefined ? '' : ` (skipped: ${redisMissing})`}`,
  { timeout: 60_000 },
  () => {
    test('four hosts whose clocks differ by hours never exceed one limit, while Redis is killed, comes back empty, and freezes', async () => {
      redis = await startRedis();
      hosts = new FleetHosts();
      HOSTS.forEach((host, index) =>
        hosts.start(options(host, { clockOffMs: (index - 1) * 3_600_000 })),
      );
      await until('all have joined', () => hosts.allAre('joined'));
      await fullPace();

      await redis.kill();
      await until('all are alone', () => hosts.allAre('alone'));
      // Each has its share, and no more.
      const alone = await pace(2_000);
      expect(alone).toBeGreaterThan(10);
      expect(alone).toBeLessThan(21);
      redis = await startRedis([], redis.port);
      await until('all have joined again', () => hosts.allAre('joined'));
      await fullPace();

      redis.freeze();
      await until('all are alone again', () => hosts.allAre('alone'));
      redis.thaw();
      await until('all have joined once more', () => hosts.allAre('joined'));
      await fullPace();
      expect(hosts.excess(WHOLE)).toBeLessThanOrEqual(0);
      for (const host of HOSTS) expect(hosts.count(host)).toBeGreaterThan(20);
    });
  },
);
