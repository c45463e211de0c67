/** P5: the final report arrives, whatever is killed in between. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isDelivered } from '../../support/daemon.ts';
import { IS_LONG } from '../../support/long-run.ts';
import { until } from '../../support/until.ts';
import { HUB, openSite } from './promise-site.ts';

test('P5 kill -9 of the agent, the job ends meanwhile, AWS away: its exit code is reported once', async () => {
  const site = await openSite(`${HUB}
dataPipeline:
  workerGroups: [wg]
  activities: [{ match: { name: Copy }, job: copy }]
jobs:
  copy: { command: [sh, -c, 'while [ ! -e DIRECTORY/go ]; do sleep 0.2; done; echo broken disk >&2; exit 42'] }
`);
  const first = await site.start();
  site.simulator.submitShellActivity({
    name: 'Copy',
    workerGroup: 'wg',
    command: 'unused',
    fields: { maximumRetries: '0' },
  });
  await site.untilJob('copy', (job) => job.state === 'running');
  expect(await first.end('SIGKILL')).toBe('SIGKILL');
  site.simulator.addFault({ operation: '*', fault: 'drop' });
  writeFileSync(join(site.directory, 'go'), '');
  await until('the job has ended', () => site.jobProcesses().length === 0);

  const second = await site.start();
  await site.untilJob('copy', (job) => job.state === 'failed');
  expect(await second.end('SIGKILL')).toBe('SIGKILL');
  await site.start();
  site.simulator.clearFaults();
  const job = await site.untilJob('copy', isDelivered);
  expect(job).toMatchObject({ state: 'failed', exitCode: 42, run: 1 });
  expect(site.hubTask('copy')).toMatchObject({
    status: 'FAILED',
    detail: 'failed: exit code 42: broken disk',
    afterFinal: 0,
  });
  expect(site.simulator.audit().dataPipeline.ended).toMatchObject({ FAILED: 1 });
  expect(site.simulator.audit().violations).toEqual([]);
});

/** After every second start the agent is killed. */
const JOBS = IS_LONG ? 12 : 8;

test('P5 kill -9 at random moments: every exit code right, every final report delivered, nothing started twice', async () => {
  const jobs = Array.from(
    { length: JOBS },
    (_, i) =>
      `  j${i}: { command: [sh, -c, 'echo $$ >> DIRECTORY/starts-${i}; sleep 0.$((RANDOM % 8 + 1)); exit ${i % 3}'] }`,
  );
  const site = await openSite(`
migrationHub: { progressUpdateStream: test, createStream: true, nextUpdate: 60s, rate: { perSecond: 50, burst: 50 } }
jobs:
${jobs.join('\n')}
`);
  let daemon = await site.start();
  for (let i = 0; i < JOBS; i++) {
    await site.client.post(`/v1/jobs/j${i}/start`);
    if (i % 2 === 1) {
      await daemon.end('SIGKILL');
      daemon = await site.start();
    }
  }
  for (let i = 0; i < JOBS; i++) {
    const job = await site.untilJob(`j${i}`, isDelivered);
    expect(job).toMatchObject({ exitCode: i % 3, run: 1 });
    expect(
      readFileSync(join(site.directory, `starts-${i}`), 'utf8')
        .trim()
        .split('\n'),
    ).toHaveLength(1);
    expect(site.hubTask(`j${i}`)).toMatchObject({ status: i % 3 === 0 ? 'COMPLETED' : 'FAILED' });
  }
  expect(site.simulator.audit().violations).toEqual([]);
  expect(site.jobProcesses()).toEqual([]);
  // Five agents in a row and more: beside busy neighbours each takes seconds to start.
}, 400_000);
