/**
 * The state file is lost, emptied or an old copy while jobs live: they go on, are found again and reported by the exit code
 * that they end with, nothing is started beside them, and `status` shows what happened. So are runs that ended in the
 * meantime, or whose ends AWS had not accepted; what AWS has accepted is not reported again.
 */
import { copyFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { IS_LONG } from '../support/long-run.ts';
import { until } from '../support/until.ts';
import { HUB, openSite } from './promises/promise-site.ts';
import type { PromiseSite } from './promises/promise-site.ts';

const WAIT = 'while [ ! -e DIRECTORY/go ]; do sleep 0.2; done; exit 3';
const CONFIGURATION = `${HUB}
dataPipeline:
  workerGroups: [wg]
  reportEvery: 1s
  window: 30s
  activities: [{ match: { name: Copy }, job: piped }]
jobs:
  copy: { command: [sh, -c, '${WAIT}'], autostart: true }
  piped: { command: [sh, -c, '${WAIT}'] }
  bare: { command: [sh, -c, '${WAIT}'], migrationHub: false }
`;

const files = (state: string): string[] =>
  readdirSync(state)
    .filter((name) => name.startsWith('state.db'))
    .map((name) => join(state, name));

const LOSSES: Record<string, (state: string, copy: string) => void> = {
  'the file is removed': (state) => files(state).forEach((file) => rmSync(file)),
  'the file is empty': (state) => {
    files(state)
      .filter((file) => !file.endsWith('.db'))
      .forEach((file) => rmSync(file));
    truncateSync(join(state, 'state.db'), 0);
  },
  'a copy from before is put in its place': (state, copy) => {
    files(state).forEach((file) => rmSync(file));
    copyFileSync(copy, join(state, 'state.db'));
  },
};

/** The command lines of programs, without shims and what they wait with. */
const programs = (site: PromiseSite): number =>
  site.jobProcesses().filter((line) => line.startsWith('sh\0-c\0while')).length;

/** Each needs four daemons one after the other; the first shows most. */
const TAKEN = Object.entries(LOSSES).slice(0, IS_LONG ? undefined : 1);

test.each(TAKEN)(
  '%s while jobs live: they are found again, and none starts twice',
  async (_what, lose) => {
    const site = await openSite(CONFIGURATION);
    const state = join(site.directory, 'state');
    const before = await site.start();
    await site.untilJob('copy', (job) => job.state === 'running');
    await before.end('SIGTERM');
    const copy = join(site.directory, 'copy.db');
    copyFileSync(join(state, 'state.db'), copy);

    const first = await site.start();
    site.simulator.submitShellActivity({ name: 'Copy', workerGroup: 'wg', command: 'unused' });
    await site.client.post('/v1/jobs/bare/start', {});
    for (const job of ['copy', 'piped', 'bare']) {
      await site.untilJob(job, ({ state: is }) => is === 'running');
    }
    await until('the Hub has them', () =>
      ['copy', 'piped'].every((task) => site.hubTask(task)?.status === 'IN_PROGRESS'),
    );
    await until('the programs run', () => programs(site) === 3);
    await first.end('SIGKILL');
    lose(state, copy);

    await site.start();
    for (const job of ['copy', 'piped', 'bare']) {
      expect(await site.untilJob(job, ({ state: is }) => is === 'running')).toMatchObject({
        run: 1,
      });
    }
    const { problems } = (await site.status()).agent;
    expect(problems.join('\n')).toMatch(/runs .* were missing in it, and are adopted \(.*piped\/1/);
    await expect(site.client.post('/v1/jobs/bare/start', {})).rejects.toThrow('is running already');
    // The shell of a program is two for a moment, when it forks. A second copy would be one for good.
    await until('three programs run, not more', () => programs(site) === 3);
    expect(
      site.log().some(({ event, run }) => event === 'run.recovered' && run === 'piped/1'),
    ).toBe(true);

    writeFileSync(join(site.directory, 'go'), '');
    for (const job of ['copy', 'piped', 'bare']) {
      expect(await site.untilJob(job, ({ state: is }) => is === 'failed')).toMatchObject({
        exitCode: 3,
      });
    }
    await until('the Hub has the ends', () =>
      ['copy', 'piped'].every((task) => site.hubTask(task)?.status === 'FAILED'),
    );
    await until('Data Pipeline has the end', () => site.operations().includes('SetTaskStatus'));
    expect(site.simulator.audit().violations).toEqual([]);
  },
);

test('the file is removed while ends are pending: they are reported, in their order, and delivered ones are not', async () => {
  const site = await openSite(CONFIGURATION);
  const ended = async (job: string, exitCode: number): Promise<void> => {
    writeFileSync(join(site.directory, 'go'), '');
    expect(await site.untilJob(job, ({ state }) => state === 'failed')).toMatchObject({ exitCode });
    rmSync(join(site.directory, 'go'));
  };
  const first = await site.start();
  await ended('copy', 3);
  await until('its end is delivered', async () => {
    const { destinations } = await site.job('copy');
    return destinations.migrationHub?.delivery === 'delivered';
  });

  // AWS accepts nothing from here on.
  await site.client.post('/v1/jobs/copy/start', {});
  site.simulator.submitShellActivity({ name: 'Copy', workerGroup: 'wg', command: 'unused' });
  for (const job of ['copy', 'piped']) await site.untilJob(job, ({ state }) => state === 'running');
  await until('the Hub has them', () =>
    ['copy', 'piped'].every((task) => site.hubTask(task)?.status === 'IN_PROGRESS'),
  );
  site.simulator.addFault({ operation: '*', fault: 'drop' });
  await ended('copy', 3);
  await first.end('SIGKILL');
  // One more ends while no agent runs.
  writeFileSync(join(site.directory, 'go'), '');
  await until('the programs have ended', () => site.jobProcesses().length === 0);
  files(join(site.directory, 'state')).forEach((file) => rmSync(file));
  site.simulator.clearFaults();

  await site.start();
  for (const job of ['copy', 'piped']) await site.untilJob(job, ({ state }) => state === 'failed');
  await until('the Hub has the ends', () =>
    ['copy', 'piped'].every((task) => site.hubTask(task)?.status === 'FAILED'),
  );
  await until('Data Pipeline has the end', () => site.operations().includes('SetTaskStatus'));
  expect(await site.job('copy')).toMatchObject({ run: 2, exitCode: 3 });
  expect((await site.status()).agent.problems.join('\n')).toMatch(
    /the state file was lost .*\(copy\/2, piped\/1\)/,
  );
  // The first run of copy was delivered: nothing of it comes again.
  const recovered = site.log().filter(({ event }) => event === 'run.recovered');
  expect(recovered.map(({ run }) => run).sort()).toEqual(['copy/2', 'piped/1']);
  expect(site.simulator.audit().violations).toEqual([]);
});
