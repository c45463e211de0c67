/** P11: what stops the agent shows everywhere at the first sign. */
import { expect, test } from 'vitest';
import { until } from '../../support/until.ts';
import { HUB, openSite } from './promise-site.ts';

test('P11 a permission that is missing shows in status and log with the operation and the remedy', async () => {
  const site = await openSite(`${HUB}
jobs:
  copy: { command: [sleep, '300'] }
`);
  site.simulator.addFault({ operation: 'NotifyMigrationTaskState', fault: 'deny' });
  await site.start();
  expect((await site.status()).agent.health).toBe('healthy');
  await site.client.post('/v1/jobs/copy/start', {});
  await until('the agent is degraded', async () => {
    return (await site.status()).agent.health === 'degraded';
  });
  expect(site.operations().filter((one) => one === 'NotifyMigrationTaskState')).toHaveLength(1);
  const [problem] = (await site.status()).agent.problems;
  expect(problem).toMatch(/NotifyMigrationTaskState fails: .*AccessDenied/);
  expect(problem).toContain('"Action":"mgh:NotifyMigrationTaskState"');
  await until('it is logged', () => site.log().some(({ event }) => event === 'agent.degraded'));
  const logged = site.log().find(({ event }) => event === 'agent.degraded');
  expect(logged).toMatchObject({ level: expect.stringMatching(/warn|error/) as string });
});
