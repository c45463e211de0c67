/** P6: the agent never calls faster than the limit. */
import { expect, onTestFinished, test } from 'vitest';
import type { FleetStatus } from '../../../src/core/model/status.ts';
import { isDelivered } from '../../support/daemon.ts';
import { redisMissing, startRedis } from '../../support/redis-server.ts';
import { until } from '../../support/until.ts';
import { openSite } from './promise-site.ts';

test('P6 a burst of jobs, and an agent that is killed in the middle of it, stay under a tiny limit', async () => {
  const tiny = { perSecond: 1, burst: 20 };
  const jobs = Array.from({ length: 24 }, (_, i) => `  j${i}: { command: [sh, -c, 'exit 0'] }`);
  const site = await openSite(
    `
migrationHub: { progressUpdateStream: test, createStream: true, nextUpdate: 60s, rate: { perSecond: 50, burst: 50 }, rates: { ImportMigrationTask: { perSecond: 1, burst: 20 } } }
jobs:
${jobs.join('\n')}
`,
    {
      limits: {
        ImportMigrationTask: tiny,
      },
    },
  );
  const first = await site.start();
  for (let i = 0; i < 24; i++) await site.client.post(`/v1/jobs/j${i}/start`);
  await until(
    'the burst is spent',
    () => site.operations().filter((o) => o === 'ImportMigrationTask').length >= 18,
  );
  await first.end('SIGKILL');
  await site.start();
  for (let i = 0; i < 24; i++) await site.untilJob(`j${i}`, isDelivered);
  const { operations: calls, overLimit } = site.simulator.audit();
  expect(overLimit).toBe(0);
  expect(JSON.stringify(calls)).not.toMatch(/"throttled":[1-9]/);
});

test.skipIf(redisMissing)(
  `P6 an agent of a fleet joins the pool in Redis (needs Redis: ${redisMissing ?? 'installed'})`,
  async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.kill());
    const site = await openSite(`
migrationHub: { progressUpdateStream: test, createStream: true }
fleet: { redis: "${redis.url}", share: 0.5 }
jobs: {}
`);
    await site.start();
    let fleet: FleetStatus | undefined;
    await until(
      'it has joined',
      async () => (fleet = (await site.status()).agent.fleet)?.state === 'joined',
      () => JSON.stringify(fleet),
    );
  },
);
