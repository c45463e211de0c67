/** P2: a pipeline task is acknowledged before its job starts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isDelivered } from '../../support/daemon.ts';
import { HUB, openSite } from './promise-site.ts';

test('P2 the acknowledgement is accepted before the job starts', async () => {
  const site = await openSite(`${HUB}
dataPipeline:
  workerGroups: [wg]
  activities: [{ match: { name: Copy }, job: copy }]
jobs:
  copy: { command: [sh, -c, 'date +%s%3N > DIRECTORY/started'] }
`);
  // The first acknowledgement is lost: the job must wait for the second.
  site.simulator.addFault({ operation: 'ReportTaskProgress', fault: 'drop', count: 1 });
  await site.start();
  site.simulator.submitShellActivity({ name: 'Copy', workerGroup: 'wg', command: 'unused' });
  await site.untilJob('copy', isDelivered);
  const reports = site.simulator.journal().filter((e) => e.operation === 'ReportTaskProgress');
  expect(reports.length).toBeGreaterThanOrEqual(2);
  const startedAtMs = Number(readFileSync(join(site.directory, 'started'), 'utf8'));
  const events = (
    await site.client.get<{ events: { event: string; at: string }[] }>('/v1/jobs/copy/events')
  ).events;
  const acknowledged = events.find((entry) => entry.event === 'lease.acknowledged');
  expect(Date.parse(acknowledged?.at ?? '')).toBeLessThanOrEqual(startedAtMs);
  expect(site.operations().indexOf('SetTaskStatus')).toBeGreaterThan(0);
  expect(site.simulator.audit().violations).toEqual([]);
  expect(site.simulator.audit().dataPipeline.ended).toMatchObject({ FINISHED: 1 });
});
