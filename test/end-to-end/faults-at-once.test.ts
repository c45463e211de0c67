/** Several faults at once, with real daemons and real processes: what the simulations (test/simulation) decide, seen from outside. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TimelineEntry } from '../../src/ports.ts';
import { until } from '../support/until.ts';
import { HUB, openSite } from './promises/promise-site.ts';
import type { PromiseSite } from './promises/promise-site.ts';
import { IS_LONG, ONLY_LONG } from '../support/long-run.ts';

const LEFT = 'setsid sh -c "while [ ! -e DIRECTORY/go ]; do sleep 0.2; done" & exit 0';

const eventsOf = async (site: PromiseSite, job: string): Promise<string[]> => {
  const { events } = await site.client.get<{ events: TimelineEntry[] }>(`/v1/jobs/${job}/events`);
  return events.map(({ event }) => event);
};

/** The programs of the site's jobs, without their shims. */
const living = (site: PromiseSite): number =>
  site.jobProcesses().filter((line) => line.startsWith('sh\0-c\0')).length;

test('a program that leaves processes behind: they show, decide by waitFor, and stay found after kill -9', async () => {
  const site = await openSite(`${HUB}
jobs:
  leader: { command: [sh, -c, '${LEFT}'] }
  tree: { command: [sh, -c, '${LEFT}'], waitFor: tree }
`);
  const first = await site.start();
  for (const job of ['leader', 'tree']) await site.client.post(`/v1/jobs/${job}/start`, {});
  expect(await site.untilJob('leader', (job) => job.state === 'succeeded')).toMatchObject({
    processesLeft: expect.arrayContaining([expect.any(Number)]) as number[],
  });
  const left = await site.untilJob('tree', (job) => job.processesLeft !== undefined);
  expect(left).toMatchObject({ state: 'running', exitCode: 0 });
  for (const job of ['leader', 'tree']) {
    expect(await eventsOf(site, job)).toContain('job.left_processes');
  }
  await first.end('SIGKILL');

  await site.start();
  const again = await site.untilJob('tree', (job) => job.processesLeft !== undefined);
  expect(again).toMatchObject({ state: 'running', run: 1 });
  await expect(site.client.post('/v1/jobs/tree/start', {})).rejects.toThrow('is running already');
  writeFileSync(join(site.directory, 'go'), '');
  expect(await site.untilJob('tree', (job) => job.state !== 'running')).toMatchObject({
    state: 'succeeded',
    exitCode: 0,
  });
  await until('the Hub has both', () =>
    ['leader', 'tree'].every((task) => site.hubTask(task)?.status === 'COMPLETED'),
  );
  expect(site.simulator.audit().violations).toEqual([]);
});

test('descriptors run out while a cancel is under way: nothing is called gone, and the tree is stopped once they are back', async () => {
  const site = await openSite(`${HUB}
jobs:
  deaf: { command: [sh, -c, 'trap "" TERM; setsid sh -c "trap : TERM; while [ ! -e DIRECTORY/go ]; do sleep 0.2; done" & while [ ! -e DIRECTORY/go ]; do sleep 0.2; done'] }
`);
  const daemon = await site.start();
  const limit = (soft: number): void => {
    execFileSync('prlimit', ['--pid', String(daemon.process.pid), `--nofile=${soft}:`]);
  };
  await site.client.post('/v1/jobs/deaf/start', {});
  await site.untilJob('deaf', (job) => job.state === 'running');
  await until('its processes live', () => living(site) >= 2);
  const inUse = readdirSync(`/proc/${daemon.process.pid}/fd`).length;
  await site.client.post('/v1/jobs/deaf/cancel', { grace: '1s' });
  limit(3);
  // What it cannot look at shows, and it has tried more than once by then.
  await until('the log shows it', () => site.log().some(({ event }) => event === 'agent.degraded'));
  expect(living(site)).toBeGreaterThanOrEqual(2);
  expect(site.log().filter(({ event }) => event === 'run.ended')).toEqual([]);
  limit(Math.max(4 * inUse, 1024));
  await site.untilJob('deaf', (job) => job.state === 'canceled');
  // The state is the proof.
  expect(living(site)).toBe(0);
  await until('the Hub has it', () => site.hubTask('deaf')?.status === 'FAILED');
});

test('terminate while a pipeline job runs and an operator resumes: no further poll, its end arrives, exit 75', async () => {
  const site = await openSite(`
dataPipeline:
  workerGroups: [wg]
  taskRunnerId: host-1
  heartbeatEvery: 1s
  reportEvery: 1s
  activities: [{ match: { name: Copy }, job: copy }]
jobs:
  copy: { command: [sh, -c, 'while [ ! -e DIRECTORY/go ]; do sleep 0.2; done'] }
`);
  const daemon = await site.start();
  site.simulator.submitShellActivity({ name: 'Copy', workerGroup: 'wg', command: 'unused' });
  await site.untilJob('copy', (job) => job.state === 'running');
  await until('it runs', () => living(site) === 1);
  site.simulator.setTerminate('host-1');
  await until('it is drained', async () => (await site.status()).agent.state === 'draining');
  await expect(site.client.post('/v1/resume', {})).rejects.toThrow(/terminate/);
  const polls = site.operations().filter((one) => one === 'PollForTask').length;
  site.simulator.submitShellActivity({ name: 'Copy', workerGroup: 'wg', command: 'unused' });
  writeFileSync(join(site.directory, 'go'), '');
  await until('the daemon ends', () => daemon.process.exitCode !== null);
  expect(daemon.process.exitCode).toBe(75);
  expect(site.operations().filter((one) => one === 'PollForTask').length).toBe(polls);
  expect(site.operations()).toContain('SetTaskStatus');
  expect(site.simulator.audit().violations).toEqual([]);
});

test.skipIf(!IS_LONG)(
  `a reload gives a live Hub task to another job, and its first answers are ten years off: each has its own task, well stamped${ONLY_LONG}`,
  async () => {
    const wait = "command: [sh, -c, 'while [ ! -e DIRECTORY/go ]; do sleep 0.2; done']";
    const site = await openSite(
      `${HUB}
jobs:
  one: { ${wait}, migrationHub: { task: shared } }
`,
      { faults: [{ operation: '*', fault: 'date', skew: '+87600h', count: 2 }] },
    );
    await site.start();
    await site.client.post('/v1/jobs/one/start', {});
    await site.untilJob(
      'one',
      (job) => job.destinations.migrationHub?.lastAcceptedAt !== undefined,
    );
    const text = readFileSync(site.configuration, 'utf8');
    writeFileSync(
      site.configuration,
      text.replace(
        / {2}one: .*/,
        `  two: { ${wait.replace('DIRECTORY', site.directory)}, environment: { A: b }, migrationHub: { task: shared } }`,
      ),
    );
    await site.client.post('/v1/reload', {});
    await site.client.post('/v1/jobs/two/start', {});
    const two = await site.untilJob('two', (job) => job.state === 'running');
    const own = two.destinations.migrationHub?.task ?? '';
    expect(own).not.toBe('shared');
    writeFileSync(join(site.directory, 'go'), '');
    await until('both ends arrive', () =>
      ['shared', own].every((task) => site.hubTask(task)?.status === 'COMPLETED'),
    );
    const { violations } = site.simulator.audit();
    expect(violations).toEqual([]);
  },
);
