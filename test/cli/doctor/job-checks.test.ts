/** What `doctor` says of jobs and their schedules: findings are made up here, the host is not looked at. */
import { spawn } from 'node:child_process';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Check } from '../../../src/cli/doctor/report.ts';
import { jobChecks } from '../../../src/cli/doctor/job-checks.ts';
import type { InheritedPath, JobFinding } from '../../../src/cli/file-system/check-jobs.ts';
import type { Finding } from '../../../src/cli/file-system/finding.ts';
import type { Configuration } from '../../../src/config/build/configuration.ts';
import type { JobDefinition } from '../../../src/core/model/job.ts';
import { makeRun } from '../../jobs/support.ts';

interface Looks {
  found: JobFinding[];
  path: InheritedPath | undefined;
}
const looks = vi.hoisted((): Looks => ({ found: [], path: undefined }));
vi.mock(import('../../../src/cli/file-system/apart.ts'), async (original) => ({
  ...(await original()),
  checkJobsApart: (_jobs, path) => {
    looks.path = path;
    return Promise.resolve(looks.found);
  },
}));

beforeEach(() => {
  Object.assign(looks, { found: [], path: undefined });
  const { TZ } = process.env;
  process.env['TZ'] = 'UTC';
  onTestFinished(() => {
    if (TZ === undefined) Reflect.deleteProperty(process.env, 'TZ');
    else process.env['TZ'] = TZ;
  });
});

const NOW_MS = Date.UTC(2026, 10, 27, 12);
type Environment = NodeJS.ProcessEnv;

function checks(
  jobs: readonly Partial<JobDefinition>[],
  pid?: number,
  environment: Environment = { PATH: '/of/the/shell' },
): Check[] {
  const definitions = jobs.map((job) => makeRun(['true'], job).definition);
  const named = new Map(definitions.map((definition) => [definition.name, definition]));
  const configuration = { settings: { jobs: named } } as unknown as Configuration;
  return jobChecks(configuration, pid, environment, NOW_MS);
}

async function look(name: string, ...of: Parameters<typeof checks>): Promise<Finding | undefined> {
  return checks(...of)
    .find((check) => check.name === name)
    ?.look();
}

const job = (number: number): Partial<JobDefinition> => ({ name: `j${number}` });
const many = (count: number): Partial<JobDefinition>[] =>
  Array.from({ length: count }, (_, at) => job(at));

test('without jobs nothing is checked, without schedules nothing of schedules', () => {
  expect(checks([])).toEqual([]);
  expect(checks([job(1)]).map(({ name }) => name)).toEqual(['jobs']);
});

describe('jobs', () => {
  const finding = (at: number, isFatal = false, keys: string[] = ['command']): JobFinding => ({
    ...{ job: `j${at}`, keys, message: `m${at}`, isFatal },
  });

  test('that can start, one or many', async () => {
    expect(await look('jobs', [job(1)])).toEqual({
      ...{ verdict: 'ok', message: '1 job: its program, users and directories are there' },
    });
    expect(await look('jobs', many(2))).toMatchObject({
      message: '2 jobs: their programs, users and directories are there',
    });
  });

  test('that cannot start have failed; where only progress is missing it is a warning', async () => {
    looks.found = [finding(1), finding(2, false, ['progress', 'source'])];
    expect(await look('jobs', many(3))).toEqual({
      ...{ verdict: 'warning', message: 'j1.command: m1; j2.progress.source: m2' },
      remedy: 'install what is missing, or correct the job; config check names the lines',
    });
    looks.found = [finding(1), finding(2, true, [])];
    expect(await look('jobs', many(3))).toMatchObject({
      ...{ verdict: 'failed', message: 'j1.command: m1; j2: m2' },
    });
  });

  test('ten findings are shown, and how many more there are', async () => {
    looks.found = Array.from({ length: 10 }, (_, at) => finding(at));
    const ten = await look('jobs', many(20));
    expect(ten?.message).toMatch(/; j9\.command: m9$/);
    looks.found = Array.from({ length: 13 }, (_, at) => finding(at, at === 12));
    const more = await look('jobs', many(20));
    expect(more?.message).toMatch(/; j9\.command: m9; and 3 more$/);
    expect(more?.verdict).toBe('failed');
  });
});

describe('the PATH that programs are looked for in', () => {
  test('is that of the shell, or the usual one, where no daemon runs', async () => {
    await look('jobs', [job(1)]);
    expect(looks.path).toEqual({ path: '/of/the/shell', isOfShell: true });
    await look('jobs', [job(1)], undefined, {});
    expect(looks.path).toMatchObject({ path: expect.stringContaining('/usr/bin') as string });
  });

  test('is that of the daemon, if it can be read', async () => {
    const env = { XPATH: '/no', PATH: '/of/the/daemon', ZPATH: '/no' };
    const daemon = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      env,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const gone = new Promise((resolve) => daemon.once('exit', resolve));
    await look('jobs', [job(1)], daemon.pid);
    expect(looks.path).toEqual({ path: '/of/the/daemon' });
    daemon.stdin.end();
    await gone;
    await look('jobs', [job(1)], 4_194_303);
    expect(looks.path).toEqual({ path: '/of/the/shell', isOfShell: true });
  });
});

describe('schedules', () => {
  const at = (number: number, cron: string, timezone?: string): Partial<JobDefinition> => ({
    ...job(number),
    schedule: { cron, missedStart: 'skip', ...(timezone === undefined ? {} : { timezone }) },
  });

  test('say when each job starts next, in its own zone', async () => {
    const found = await look('schedules', [
      at(1, '0 2 * * *'),
      job(2),
      at(3, '0 2 * * *', 'Europe/Berlin'),
    ]);
    expect(found?.verdict).toBe('ok');
    expect(found?.message).toMatch(
      /^j1 next Sat 2026-11-28 02:00 .*; j3 next Sat 2026-11-28 02:00 \+01:00$/,
    );
  });

  test('that never come are a warning', async () => {
    expect(await look('schedules', [at(1, '0 2 * * *'), at(2, '0 0 29 2 1#1')])).toMatchObject({
      ...{ verdict: 'warning', message: expect.stringMatching(/; j2 next never$/) as string },
    });
  });

  test('ten are shown, and how many more there are', async () => {
    const daily = (count: number) => Array.from({ length: count }, (_, of) => at(of, '0 2 * * *'));
    const ten = await look('schedules', daily(10));
    expect(ten?.message).not.toContain('more');
    const more = await look('schedules', daily(12));
    expect(more?.message.split('; ')).toHaveLength(11);
    expect(more?.message).toMatch(/; and 2 more$/);
  });
});
