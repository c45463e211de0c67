/** Work that somebody else runs, schedules and users, by the real daemon and the real commands against the simulator. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createSite, isDelivered, LAUNCHER } from '../support/daemon.ts';
import type { Daemon, Site } from '../support/daemon.ts';
import { HangingMount, whyNoHangingMount } from '../support/hanging-mount.ts';
import { IS_LONG } from '../support/long-run.ts';
import { until } from '../support/until.ts';

const HUB = 'migrationHub: { progressUpdateStream: test, createStream: true, nextUpdate: 60s }\n';

/** As many as `track` may be given at once, in the long run. */
const MANY = IS_LONG ? 10_000 : 200;

let site: Site;

/** Work of others, which ends with the test. */
function sleep(user: { readonly uid?: number; readonly gid?: number } = {}) {
  const child = spawn('sleep', ['300'], { stdio: 'ignore', ...user });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** One daemon for all tests of a group: its start is most of what a test costs. */
function share(text: string): () => Daemon {
  let daemon: Daemon | undefined;
  beforeAll(async () => {
    site = await createSite(text);
    daemon = await site.start();
  });
  afterAll(() => site.close());
  return () => daemon!;
}

/** A command of the program, as somebody types it. */
async function command(message: string[], stdin = ''): Promise<{ code: number; output: string }> {
  const environment = {
    ...process.env,
    MIGRATION_AGENT_SOCKET: join(site.directory, 'agent.sock'),
  };
  const child = spawn(LAUNCHER, message, { env: environment });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  child.stdin.end(stdin);
  const code = await new Promise<number>((resolve) => child.once('close', resolve));
  return { code, output };
}

const track = (body: object) => site.client.post('/v1/tracked', body);
const report = (body: object) => site.client.post('/v1/reports', body);

function hubTask(name: string) {
  return site.simulator.audit().migrationHub.tasks.find((task) => task.task === name);
}

async function eventsOf(name: string): Promise<string[]> {
  const { events } = await site.client.get<{ events: { event: string }[] }>(
    `/v1/jobs/${name}/events`,
  );
  return events.map(({ event }) => event);
}

test('processes of others, of another user too: adopted after kill -9, where a final report counts; one that ended meanwhile without a report is lost', async () => {
  site = await createSite(HUB);
  onTestFinished(() => site.close());
  const daemon = await site.start();
  const work = sleep(process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {});
  const short = sleep();
  expect(await command(['track', 'copy', '--pid', String(work.pid)])).toMatchObject({ code: 0 });
  await track({ name: 'short', pid: short.pid });
  for (const name of ['copy', 'short']) await site.untilJob(name, (job) => job.state === 'running');
  await report({ name: 'copy', percent: 40, detail: 'reel 2' });
  await daemon.end('SIGKILL');
  short.kill('SIGKILL');
  await once(short, 'exit');
  await site.start();
  const adopted = await site.untilJob('copy', (job) => job.state === 'running');
  expect(adopted).toMatchObject({
    origin: 'tracked',
    pid: work.pid,
    percent: 40,
    detail: 'reel 2',
  });
  await until('it is adopted', async () => (await eventsOf('copy')).includes('job.adopted'));
  const message = ['report', 'copy', '--status', 'completed', '--detail', 'all reels'];
  expect((await command(message)).code).toBe(0);
  await site.untilJob('copy', isDelivered);
  expect(hubTask('copy')).toMatchObject({
    status: 'COMPLETED',
    percent: 100,
    detail: 'completed: all reels',
  });
  expect(work.exitCode).toBeNull();
  expect((await command(['wait', 'short', '--for', 'delivered'])).code).toBe(5);
  expect(hubTask('short')).toMatchObject({ status: 'FAILED' });
  expect(hubTask('short')?.detail).toMatch(
    /^lost: process \d+ is gone, and nobody reported how it ended/,
  );
  expect((await command(['report', 'nobody', '--percent', '1'])).code).toBe(3);
  expect(site.simulator.audit().violations).toEqual([]);
});

const noMount = whyNoHangingMount === '' ? '' : ` (skipped: ${whyNoHangingMount})`;
describe('status files', () => {
  const daemon = share(HUB);

  test('a status file, from nothing to its final report, with a broken file between', async () => {
    const file = join(site.directory, 'status.json');
    const write = (text: string): void => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    };
    await track({ name: 'load', statusFile: file, migrationHub: { task: 'load-of-{host}' } });
    expect(await site.job('load')).toMatchObject({ state: 'starting', statusFile: file });
    write('{"percent": 30, "detail": "table 3 of 10"}');
    await site.untilJob('load', (job) => job.percent === 30 && job.state === 'running');
    write('{"percent": ');
    await site.untilJob('load', (job) => job.problem !== undefined);
    expect(await site.job('load')).toMatchObject({ percent: 30, detail: 'table 3 of 10' });
    write('{"percent": 100, "status": "failed", "detail": "table 9: password=hunter2 refused"}');
    const job = await site.untilJob('load', isDelivered);
    expect(job).toMatchObject({ state: 'failed', percent: 99 });
    expect(job.problem).toBeUndefined();
    const task = site.simulator
      .audit()
      .migrationHub.tasks.find((each) => each.task.startsWith('load-of-'));
    expect(task).toMatchObject({
      status: 'FAILED',
      detail: 'failed: table 9: password=*** refused',
    });
    expect(await eventsOf('load')).toEqual(
      expect.arrayContaining([
        'run.tracked',
        'job.started',
        'job.unreadable',
        'job.readable',
        'job.reported',
      ]),
    );
  });

  test.skipIf(noMount !== '')(
    `status files on a dead file system hold up neither the others nor the agent's end${noMount}`,
    async () => {
      const dead = join(site.directory, 'dead');
      mkdirSync(dead);
      const mount = await HangingMount.at(dead);
      try {
        const names = ['a', 'b', 'c', 'd', 'e'];
        await track(names.map((name) => ({ name, statusFile: join(dead, name, 'status.json') })));
        const file = join(site.directory, 'other.json');
        writeFileSync(file, '{"percent": 30}');
        await track({ name: 'other', statusFile: file });
        await site.untilJob('other', (job) => job.percent === 30);
        await site.untilJob('e', ({ problem }) => problem !== undefined);
        expect((await site.job('a')).problem).toBe(
          `${dead}/a does not answer: its file system hangs`,
        );
        writeFileSync(file, '{"percent": 60}');
        await site.untilJob('other', (job) => job.percent === 60);
        expect(await daemon().end('SIGTERM')).toBe(0);
      } finally {
        await mount.release();
      }
    },
  );
});

describe('jobs of the agent', () => {
  share(`${HUB}
jobs:
  nightly:
    command: [sh, -c, '"$LAUNCHER" report --percent 55 --detail half; "$LAUNCHER" report --status completed; echo $? > DIRECTORY/code; sleep 300']
    environment: { LAUNCHER: "${LAUNCHER}", PATH: "${process.env['PATH'] ?? ''}" }
  mine: { command: [sh, -c, 'id -un; echo "$HOME $USER"'], user: nobody }
  nobodys: { command: ['true'], user: nobody-at-all }
`);

  test('a script in a job of the agent reports by the two variables that it has', async () => {
    await site.client.post('/v1/jobs/nightly/start');
    const job = await site.untilJob('nightly', (each) => each.percent !== undefined);
    expect(job).toMatchObject({ state: 'running', percent: 55, detail: 'half' });
    // How it ends is observed, not reported: a conflict, and the job goes on.
    await until('the second report was refused', () => {
      try {
        return readFileSync(join(site.directory, 'code'), 'utf8') === '1\n';
      } catch {
        return false;
      }
    });
    await site.client.post('/v1/jobs/nightly/cancel', { grace: '1s' });
    await site.untilJob('nightly', (each) => each.state === 'canceled');
  });

  test.skipIf(process.getuid?.() !== 0)(
    'a job of another user runs as that user, and shows it (needs root)',
    async () => {
      for (const name of ['mine', 'nobodys']) await site.client.post(`/v1/jobs/${name}/start`);
      await site.untilJob('mine', (job) => job.state === 'succeeded');
      const { output } = await command(['logs', 'mine']);
      expect(output).toMatch(/^nobody\n\/\S+ nobody\n$/);
      const failed = await site.untilJob('nobodys', (job) => job.endedAt !== undefined);
      expect(failed).toMatchObject({ state: 'failed' });
      expect(failed.reason).toMatch(/there is no user nobody-at-all on this host/);
    },
  );
});

test(`after kill -9: ${MANY} that were tracked and reported by --from are all there; starts that were missed are recorded, and made up for once`, async () => {
  site = await createSite(`
jobs:
  made-up: { command: ['true'], schedule: '*/2 * * * * *', missedStart: once }
  skipped: { command: ['true'], schedule: '*/2 * * * * *' }
`);
  onTestFinished(() => site.close());
  const daemon = await site.start();
  const lines = (rest: string): string =>
    Array.from({ length: MANY }, (_, index) => `{"name":"job-${index}"${rest}}\n`).join('');
  const begin = performance.now();
  expect(await command(['track', '--from', '-'], lines(''))).toEqual({
    code: 0,
    output: `${MANY} tracked\n`,
  });
  const trackedMs = performance.now() - begin;
  const job = await site.untilJob('made-up', (each) => each.state === 'succeeded');
  expect(job).toMatchObject({ origin: 'schedule' });
  expect(job.nextStartAt).toMatch(/[02468]\.000Z$/);
  expect(await command(['report', '--from', '-'], lines(',"percent":50'))).toEqual({
    code: 0,
    output: `${MANY} recorded\n`,
  });
  await daemon.end('SIGKILL');
  const aliveAt = Date.now();
  await until('two starts went by', () => Date.now() - aliveAt > 4500);
  await site.start();
  const { jobs } = await site.status();
  expect(jobs.filter(({ state, percent }) => state === 'running' && percent === 50)).toHaveLength(
    MANY,
  );
  // 10,000 take 1.3 s on a quiet machine, the start of the command in it.
  expect(trackedMs).toBeLessThan(15_000);
  for (const name of ['made-up', 'skipped']) {
    await until(`${name} is recorded`, async () => (await eventsOf(name)).includes('run.missed'));
  }
  const afterMissed = async (name: string): Promise<string | undefined> => {
    const events = await eventsOf(name);
    return events[events.indexOf('run.missed') + 1];
  };
  await until('it is made up for', async () => (await afterMissed('made-up')) === 'run.queued');
});
