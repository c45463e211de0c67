/** P10: nobody gains rights or secrets through the agent. The attacks are in test/security. */
import { expect, test } from 'vitest';
import { isDelivered } from '../../support/daemon.ts';
import { HUB, openSite } from './promise-site.ts';

test('P10 a secret that a job prints reaches neither AWS nor the log', async () => {
  const site = await openSite(`${HUB}
jobs:
  leak: { command: [sh, -c, 'echo postgres://admin:hunter2@db/orders refused >&2; exit 1'] }
`);
  await site.start();
  await site.client.post('/v1/jobs/leak/start');
  await site.untilJob('leak', isDelivered);
  expect(site.hubTask('leak')?.detail).toContain('refused');
  expect(site.hubTask('leak')?.detail).not.toContain('hunter2');
  expect(JSON.stringify(site.log())).not.toContain('hunter2');
});
