/** `status NAME`: the real daemon shows what a job is, how its runs ended, and what AWS does not have of it. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import type { JobDetail, Status } from '../../src/core/model/status.ts';
import { run } from '../cli/terminal-in-memory.ts';
import { createSite, isDelivered } from '../support/daemon.ts';
import type { Site } from '../support/daemon.ts';

let site: Site;
afterEach(async () => {
  await site.close();
});

const DUMP = `
    command: [sh, -c, 'echo "dumped $1"; echo "dump: error: connection to postgres://dump:hunter2@db01 failed" >&2; exit 1', dump, 'postgres://dump:hunter2@db01/orders']
    workingDirectory: /usr`;

test('a failed dump: command, directory, user, logs, output, earlier runs, timeline, and lines in the log', async () => {
  site = await createSite(`migrationHub: { progressUpdateStream: test, createStream: true }
dataPipeline: { workerGroups: [wg], activities: [{ match: { name: Copy }, job: copy }] }
jobs:
  copy: { command: ['true'] }
  dump:${DUMP}
    schedule: "0 2 * * *"
    timezone: Europe/Berlin
  idle: { command: [pg_dump, --dbname, orders] }
`);
  await site.start();
  for (const number of [1, 2]) {
    await site.client.post('/v1/jobs/dump/start');
    await site.untilJob('dump', (job) => job.run === number && isDelivered(job));
  }
  const job = await site.client.get<JobDetail>('/v1/jobs/dump');
  expect(job).toMatchObject({
    run: 2,
    state: 'failed',
    exitCode: 1,
    workingDirectory: '/usr',
    user: userInfo().username,
    schedule: { cron: '0 2 * * *', timezone: 'Europe/Berlin' },
    earlierRuns: [{ run: 1, state: 'failed', exitCode: 1 }],
    pending: [],
  });
  expect(job.command?.slice(0, 2)).toEqual(['sh', '-c']);
  expect(job.command?.at(-1)).toBe('postgres://dump:***@db01/orders');
  expect(JSON.stringify(job)).not.toContain('hunter2');
  expect(readFileSync(job.logs?.stderr ?? '', 'utf8')).toContain('dump: error');
  const status = await site.client.get<Status>('/v1/status?job=dump');
  expect(status.jobs).toEqual([job]);
  expect(await site.client.get('/v1/jobs/dump/output')).toEqual({
    schema: 1,
    run: 2,
    stdout: ['dumped postgres://dump:***@db01/orders'],
    stderr: ['dump: error: connection to postgres://dump:***@db01 failed'],
  });

  const { code, stdout } = await run([
    'status',
    'dump',
    '--socket',
    `${site.directory}/agent.sock`,
  ]);
  expect(code).toBe(0);
  expect(stdout).not.toContain('hunter2');
  expect(stdout.split('\n')).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^dump\/2 {2}failed 1/),
      expect.stringMatching(/^ {2}command {8}sh -c /),
      expect.stringMatching(/^ {2}directory {6}\/usr, as /),
      expect.stringMatching(/^ {2}schedule {7}0 2 \* \* \* \(Europe\/Berlin\), next start .* UTC/),
      expect.stringMatching(/^STDERR {2}\/.*runs\/dump\/2\/stderr\.log/),
      'dump: error: connection to postgres://dump:***@db01 failed',
      'dumped postgres://dump:***@db01/orders',
      'EARLIER RUNS',
      expect.stringMatching(/^#1 {2}failed 1 {2}\ds .*exit code 1/),
      'TIMELINE (UTC)',
    ]),
  );
  const idle = await site.client.get<JobDetail>('/v1/jobs/idle');
  expect(idle).toMatchObject({ state: 'idle', command: ['pg_dump', '--dbname', 'orders'] });
  expect(idle).not.toHaveProperty('logs');

  // A run that ends well writes at most four lines at info, a failed one an error.
  site.simulator.submitShellActivity({ name: 'Copy', workerGroup: 'wg', command: 'unused' });
  await site.untilJob('copy', isDelivered);
  const levels = (job: string): unknown[] =>
    site
      .log()
      .filter((line) => line['job'] === job && line['level'] !== 'debug')
      .map(({ level, event }) => `${String(level)} ${String(event)}`);
  expect(levels('copy')).toEqual([
    'info job.started',
    'info run.ended',
    'info report.delivered',
    'info report.delivered',
  ]);
  expect(levels('dump')).toContain('error run.ended');
});

test('what AWS does not have yet is shown with the reason', async () => {
  site = await createSite(`migrationHub: { progressUpdateStream: missing, createStream: false }
jobs:
  dump:${DUMP}
`);
  await site.start();
  await site.client.post('/v1/jobs/dump/start');
  await site.untilJob(
    'dump',
    ({ destinations, endedAt }) =>
      endedAt !== undefined && destinations.migrationHub?.reason !== undefined,
  );
  const { pending } = await site.client.get<JobDetail>('/v1/jobs/dump');
  expect(pending).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        job: 'dump',
        run: 1,
        operation: 'NotifyMigrationTaskState',
        lastError: expect.stringContaining('missing') as string,
      }),
    ]),
  );
  const { stdout } = await run(['status', 'dump', '--socket', `${site.directory}/agent.sock`]);
  expect(stdout).toMatch(/^ {17}#1 NotifyMigrationTaskState FAILED/m);
});
