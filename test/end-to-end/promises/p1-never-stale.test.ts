/** P1: every promise (NextUpdateSeconds) is kept. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isDelivered } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';
import { openSite } from './promise-site.ts';

test('P1 short promises are kept through an outage that is shorter than their slack', async () => {
  const site = await openSite(`
migrationHub: { progressUpdateStream: test, createStream: true, nextUpdate: 8s }
jobs:
  long: { command: [sh, -c, 'while [ ! -e DIRECTORY/go ]; do sleep 0.1; done'] }
`);
  await site.start();
  await site.client.post('/v1/jobs/long/start');
  await until('the task is reported', () => site.hubTask('long')?.status === 'IN_PROGRESS');
  site.simulator.addFault({ operation: '*', fault: 'drop', from: '2s', for: '2s' });
  const updates = (): number => site.hubTask('long')?.updates ?? 0;
  const before = updates();
  // Two of them after the outage, whenever it was.
  await until('promises were kept through it', () => updates() >= before + 3);
  writeFileSync(join(site.directory, 'go'), '');
  await site.untilJob('long', isDelivered);
  expect(site.hubTask('long')).toMatchObject({
    status: 'COMPLETED',
    percent: 100,
    staleSeconds: 0,
  });
  expect(site.simulator.audit().violations).toEqual([]);
});
