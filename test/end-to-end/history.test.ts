/** `history NAME`: the real daemon reads what the service recorded, page by page, within its budget. */
import { afterEach, describe, expect, test } from 'vitest';
import { run } from '../cli/terminal-in-memory.ts';
import type { Result } from '../cli/terminal-in-memory.ts';
import { createSite, isDelivered } from '../support/daemon.ts';
import type { Site } from '../support/daemon.ts';

let site: Site;
afterEach(async () => {
  await site.close();
});

const CONFIGURATION = `migrationHub:
  progressUpdateStream: test
  rates: { ListMigrationTaskUpdates: { perSecond: 20, burst: 20 } }
jobs:
  quick: { command: [sh, -c, 'echo 40%; exit 3'], progress: { parser: percent } }
  untold: { command: ['true'], migrationHub: false }
`;

function history(...message: string[]): Promise<Result> {
  return run(['history', '--socket', `${site.directory}/agent.sock`, ...message]);
}

async function runQuick(): Promise<void> {
  await site.client.post('/v1/jobs/quick/start');
  await site.untilJob('quick', isDelivered);
}

/** Another reporter under the same task: `count` reports, a second apart, from an hour ago on. */
async function report(count: number): Promise<void> {
  const fromS = Math.floor(site.simulator.now() / 1000) - 3600;
  for (let i = 0; i < count; i++) {
    const response = await fetch(site.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AWSMigrationHub.NotifyMigrationTaskState',
        authorization: 'AWS4-HMAC-SHA256 Credential=x/20260101/eu-central-1/mgh/aws4_request',
      },
      body: JSON.stringify({
        ProgressUpdateStream: 'test',
        MigrationTaskName: 'quick',
        Task: { Status: 'IN_PROGRESS', ProgressPercent: Math.floor((i / count) * 100) },
        UpdateDateTime: fromS + i,
        NextUpdateSeconds: 60,
      }),
    });
    expect(response.status).toBe(200);
  }
}

test('shows what was recorded of a run that has ended: table, plot, JSON', async () => {
  site = await createSite(CONFIGURATION);
  await site.start();
  expect(await history('quick')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('quick has never run') as string,
  });
  await runQuick();

  const shown = await history('quick');
  expect(shown.code).toBe(0);
  expect(shown.stdout).toContain('quick  stream test, eu-central-1');
  expect(shown.stdout).toMatch(/IN_PROGRESS/);
  expect(shown.stdout).toMatch(/FAILED {6,} *40% {2}failed: exit code 3/);

  const { stdout } = await history('quick', '--run', '1', '--json');
  const document = JSON.parse(stdout) as { updates: { status: string; at: string }[] };
  expect(document).toMatchObject({
    schema: 1,
    region: 'eu-central-1',
    stream: 'test',
    task: 'quick',
  });
  expect(document.updates.at(-1)).toMatchObject({
    status: 'FAILED',
    percent: 40,
    detail: 'failed: exit code 3',
  });
  expect(Date.parse(document.updates.at(-1)!.at)).toBeGreaterThan(site.simulator.now() - 60_000);

  await site.client.post('/v1/jobs/untold/start');
  await site.untilJob('untold', (job) => job.endedAt !== undefined);
  expect(await history('untold')).toMatchObject({ code: 1 });
  expect(await history('nobody')).toMatchObject({ code: 3 });
  expect(await history('quick', '--run', '7')).toMatchObject({ code: 1 });
});

describe('many pages', () => {
  test('are all read, oldest first; an expired token begins again from the first page', async () => {
    site = await createSite(CONFIGURATION, { limits: { NotifyMigrationTaskState: null } });
    await site.start();
    await runQuick();
    await report(230);
    const before = site.simulator.journal().length;
    site.simulator.addFault({
      operation: 'ListMigrationTaskUpdates',
      containing: 'NextToken',
      fault: 'error',
      name: 'InvalidToken',
      status: 400,
      count: 1,
    });
    const { code, stderr, stdout } = await history('quick', '--json');
    expect(code).toBe(0);
    expect(stderr).toContain('reading from the first page again');
    const { updates } = JSON.parse(stdout) as { updates: { at: string; percent?: number }[] };
    expect(updates.length).toBeGreaterThanOrEqual(232);
    expect(updates.map(({ at }) => at)).toEqual(updates.map(({ at }) => at).toSorted());
    const reads = site.simulator
      .journal()
      .slice(before)
      .filter(({ operation }) => operation === 'ListMigrationTaskUpdates');
    // The first page, the token that was refused, and three pages.
    expect(reads).toHaveLength(5);

    const table = await history('quick', '-n', '3');
    expect(table.stdout.match(/IN_PROGRESS|FAILED/g)).toHaveLength(3);
    expect(table.stdout).toMatch(/100% .*\n(.*\n){3} {3}0% /);
    expect(table.stdout).toContain('older ones');
  });

  test('whose tokens never live are given up; a service that refuses is shown with its message', async () => {
    site = await createSite(CONFIGURATION, {
      limits: { NotifyMigrationTaskState: null },
      behaviour: { pageTokenMs: -1 },
    });
    await site.start();
    await runQuick();
    await report(120);
    const given = await history('quick');
    expect(given).toMatchObject({ code: 1, stdout: '' });
    expect(given.stderr).toContain('start again from the first page');
    site.simulator.addFault({
      operation: 'ListMigrationTaskUpdates',
      fault: 'error',
      name: 'AccessDeniedException',
      message: 'not for you',
      status: 400,
    });
    const refused = await history('quick');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('AccessDeniedException: not for you');
    // From then on nobody waits for a pause that lasts.
    expect((await history('quick')).stderr).toMatch(/no call of .* for \d+ s: AccessDenied/);
  });
});
