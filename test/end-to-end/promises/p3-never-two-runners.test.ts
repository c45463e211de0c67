/** P3: the process tree is dead when the ownership window ends. */
import { expect, test } from 'vitest';
import { until } from '../../support/until.ts';
import { HUB, openSite } from './promise-site.ts';

test('P3 when no report is accepted for a window, the whole tree is dead before its end', async () => {
  const site = await openSite(`${HUB}
dataPipeline:
  workerGroups: [wg]
  reportEvery: 1s
  window: 24s
  activities: [{ match: { name: Copy }, job: copy }]
jobs:
  copy:
    command: [sh, -c, 'setsid sleep 300 & echo up; sleep 300']
    stop: { grace: 2s }
`);
  await site.start();
  site.simulator.submitShellActivity({ name: 'Copy', workerGroup: 'wg', command: 'unused' });
  await site.untilJob('copy', (job) => job.state === 'running');
  site.simulator.addFault({ operation: 'ReportTaskProgress', fault: 'blackhole' });
  const lastAcceptedMs = Date.now();
  await until('the tree is dead', () => site.jobProcesses().length === 0);
  expect(Date.now() - lastAcceptedMs).toBeLessThan(24_000);
  const job = await site.untilJob('copy', ({ state }) => state === 'fenced');
  expect(job.destinations.dataPipeline?.delivery).toBe('withheld');
  await until('Migration Hub has it', () => site.hubTask('copy')?.status === 'FAILED');
  expect(site.hubTask('copy')?.detail).toMatch(/^fenced/);
  expect(site.operations()).not.toContain('SetTaskStatus');
});
