/** P4: a cancel ends the whole process tree. */
import { expect, test } from 'vitest';
import { isDelivered } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';
import { HUB, openSite } from './promise-site.ts';

test('P4 a tree with a setsid child, an orphan and one that ignores SIGTERM is gone; FAILED, no SetTaskStatus', async () => {
  const site = await openSite(`${HUB}
dataPipeline:
  workerGroups: [wg]
  reportEvery: 1s
  activities: [{ match: { name: Copy }, job: tree }]
jobs:
  tree:
    command: [sh, -c, 'setsid sleep 300 & (setsid sh -c "trap : TERM; while :; do sleep 1; done" &) ; (sleep 300 &) ; trap "" TERM; echo up; while :; do sleep 1; done']
    stop: { grace: 2s }
`);
  await site.start();
  const { pipelineId } = site.simulator.submitShellActivity({
    name: 'Copy',
    workerGroup: 'wg',
    command: 'unused',
  });
  await site.untilJob('tree', (job) => job.state === 'running');
  await until('the whole tree is up', () => site.jobProcesses().length >= 5);
  site.simulator.cancel(pipelineId);
  const job = await site.untilJob('tree', isDelivered);
  expect(job).toMatchObject({ state: 'canceled' });
  expect(job.cancelIncomplete).toBeUndefined();
  expect(site.jobProcesses()).toEqual([]);
  expect(site.hubTask('tree')).toMatchObject({ status: 'FAILED' });
  expect(site.hubTask('tree')?.detail).toMatch(/canceled/);
  expect(site.operations()).not.toContain('SetTaskStatus');
  expect(site.simulator.audit().violations).toEqual([]);
});
