/**
 * The screens of an operator as files, in test/cli/views/screens (vitest -u writes them): what the commands print into a
 * pipe, on terminals of two widths, and as JSON, of one host on which everything happens at once.
 */
import { describe, expect, test } from 'vitest';

import { displayWidth, plain } from '../../../src/cli/terminal/printable.ts';
import type { JobStatus, Status } from '../../../src/core/model/status.ts';
import { serve } from '../../control/control-server-fixture.ts';
import { jobNamed, statusWith } from '../../control/operator-in-memory.ts';
import { run } from '../terminal-in-memory.ts';

const NOW = Date.UTC(2026, 10, 22, 3, 12);
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();
const at = (seconds: number) => ({ wallMs: NOW - seconds * 1000, bootMs: 0 });

const hub = (rest: Partial<NonNullable<JobStatus['destinations']['migrationHub']>>) => ({
  migrationHub: { task: 'files01-copy', delivery: 'pending' as const, ...rest },
});
const pipeline = (rest: Partial<NonNullable<JobStatus['destinations']['dataPipeline']>>) => ({
  dataPipeline: {
    taskId: 'a'.repeat(80),
    pipelineId: 'df-0123456789ABCDEFGHI',
    attemptId: '@CopyFiles_2026-11-22T02:00:00_Attempt=1',
    workerGroup: 'files',
    delivery: 'pending' as const,
    ...rest,
  },
});

const JOBS: readonly JobStatus[] = [
  jobNamed('nightly-files', {
    run: 12,
    state: 'running',
    origin: 'pipeline',
    pid: 4711,
    percent: 72,
    detail: '1.2 TB, 112 MB/s, 9312 of 12034 files',
    startedAt: ago(4_000),
    nextStartAt: ago(-80_000),
    destinations: {
      ...hub({
        lastAcceptedAt: ago(12),
        lastStatus: 'IN_PROGRESS',
        nextUpdateSeconds: 300,
        deadlineAt: ago(-288),
        slackSeconds: 288,
      }),
      ...pipeline({ lastAcceptedAt: ago(6), deadlineAt: ago(-894), slackSeconds: 894 }),
    },
  }),
  jobNamed('dump-orders', {
    run: 1,
    state: 'canceled',
    origin: 'pipeline',
    startedAt: ago(700),
    endedAt: ago(100),
    exitSignal: 'SIGTERM',
    reason: 'canceled by AWS Data Pipeline: ReportTaskProgress answered canceled',
    destinations: {
      ...hub({ delivery: 'delivered', lastAcceptedAt: ago(58), lastStatus: 'FAILED' }),
      ...pipeline({ delivery: 'withheld', reason: 'the service canceled the task' }),
    },
  }),
  jobNamed('Bilder-übertragen', {
    run: 3,
    state: 'succeeded',
    percent: 100,
    startedAt: ago(9_000),
    endedAt: ago(310),
    destinations: hub({ lastAcceptedAt: ago(610), reason: 'no answer within 10000 ms' }),
  }),
  jobNamed('stuck', {
    run: 2,
    state: 'running',
    stalled: true,
    percent: 3,
    startedAt: ago(90_000),
    destinations: hub({
      lastAcceptedAt: ago(303),
      slackSeconds: -3,
      deadlineAt: ago(3),
      reason: 'ThrottlingException: Rate exceeded',
    }),
  }),
  jobNamed('weekly', { nextStartAt: ago(-18_000) }),
];

const STATUS: Status = {
  ...statusWith(JOBS, {
    outbox: 1,
    outboxAgeSeconds: 310,
    nearestDeadlineSeconds: -3,
    homeRegion: 'eu-central-1',
    credentialsExpireAt: ago(-200),
    problems: ['NotifyMigrationTaskState fails: no answer within 10000 ms'],
  }),
  budgets: [
    {
      operation: 'NotifyMigrationTaskState',
      perSecond: 1,
      burst: 10,
      available: 0,
      accepted: 8_812,
      throttled: 12,
      failed: 3,
      pausedUntil: ago(-12),
      pausedBecause: 'ThrottlingException: Rate exceeded',
    },
    {
      operation: 'ReportTaskProgress',
      perSecond: 10 / 3,
      burst: 100,
      available: 99,
      accepted: 67,
      throttled: 0,
      failed: 0,
    },
    { operation: 'PollForTask', perSecond: 2, burst: 9, accepted: 0, throttled: 0, failed: 0 },
  ],
};

const TIMELINE = [
  { at: at(705), event: 'task.received', fields: { workerGroup: 'files', attemptId: '@Dump_1' } },
  { at: at(704), event: 'lease.acknowledged', fields: {} },
  { at: at(703), event: 'job.starting', fields: {} },
  { at: at(700), event: 'job.started', fields: { pid: 4242 } },
  { at: at(400), event: 'promise.broken', fields: { task: 'dump-orders', lateS: 4 } },
  { at: at(300), event: 'job.stalled', fields: { noProgressForS: 1800 } },
  {
    at: at(131),
    event: 'cancel.received',
    fields: { cause: 'service', detail: 'ReportTaskProgress answered canceled' },
  },
  { at: at(130), event: 'tree.signalled', fields: { signal: 'SIGTERM', processes: 14 } },
  { at: at(101), event: 'tree.signalled', fields: { signal: 'SIGKILL', processes: 1 } },
  { at: at(101), event: 'job.exited', fields: { exitCode: 143, signal: 'SIGTERM' } },
  { at: at(100), event: 'tree.empty', fields: {} },
  {
    at: at(100),
    event: 'run.ended',
    fields: { state: 'canceled', message: 'canceled by AWS Data Pipeline' },
  },
  {
    at: at(58),
    event: 'report.delivered',
    fields: { task: 'dump-orders', status: 'FAILED', to: 'migrationHub', afterS: 42 },
  },
].map((entry) => ({ ...entry, run: 'dump-orders/1' }));

const FOLDER = new URL('screens/', import.meta.url);
const WIDE = { terminal: { columns: 132, rows: 40 }, environment: { NO_COLOR: '1' } };
const COLOURED = { terminal: { columns: 80, rows: 40 }, environment: {} };

/** ESC as text: the files are to be read. */
function readable(text: string): string {
  return text.replaceAll('\u001b', '\\e');
}

test.each([
  ['status.txt', ['status'], {}],
  ['status-wide.txt', ['status'], WIDE],
  ['status-coloured.txt', ['status'], COLOURED],
  ['status-json.txt', ['status', '--json'], {}],
  ['status-name.txt', ['status', 'dump-orders'], {}],
  ['status-name-pipeline.txt', ['status', 'nightly-files'], {}],
])('%s', async (file, message, surroundings) => {
  const { operator, socketPath } = await serve();
  operator.document = STATUS;
  operator.entries.set('dump-orders', TIMELINE);
  const { code, stdout, stderr } = await run([...message, '--socket', socketPath], surroundings);
  expect([code, stderr]).toEqual([0, '']);
  if (!file.endsWith('json.txt')) {
    const columns = 'terminal' in surroundings ? surroundings.terminal.columns : 80;
    const tooWide = stdout.split('\n').filter((line) => displayWidth(plain(line)) > columns);
    expect(tooWide).toEqual([]);
  }
  const text = file.endsWith('json.txt') ? JSON.stringify(JSON.parse(stdout), null, 2) : stdout;
  await expect(readable(text)).toMatchFileSnapshot(new URL(file, FOLDER).pathname);
});

test('status NAME shows what an operator must know of a cancel', async () => {
  const { operator, socketPath } = await serve();
  operator.document = STATUS;
  operator.entries.set('dump-orders', TIMELINE);
  const { stdout } = await run(['status', 'dump-orders', '--socket', socketPath]);
  for (const message of [
    'cancel received from Data Pipeline',
    'SIGTERM to 14 processes',
    'SIGKILL to 1 process\n',
    'tree empty',
    'FAILED delivered 42 s later',
  ]) {
    expect(stdout).toContain(message);
  }
});

describe('ten thousand jobs', () => {
  const MANY: readonly JobStatus[] = Array.from({ length: 10_000 }, (_, index) => {
    const name = `job-${String(index).padStart(5, '0')}`;
    if (index % 1_000 === 7) {
      return jobNamed(name, { run: 1, state: 'failed', exitCode: 1, endedAt: ago(index) });
    }
    if (index % 500 === 3) {
      const slackSeconds = 300 - index / 100;
      return jobNamed(name, {
        run: 1,
        state: 'running',
        startedAt: ago(50),
        destinations: hub({ slackSeconds, lastAcceptedAt: ago(1) }),
      });
    }
    return jobNamed(name, { nextStartAt: ago(-index - 60) });
  });

  test('what failed comes first, then what runs, by slack; how many more there are is shown', async () => {
    const { operator, socketPath } = await serve();
    operator.document = statusWith(MANY);
    const { stdout } = await run(['status', '--socket', socketPath]);
    const lines = stdout.split('\n');
    expect(lines.length).toBeLessThan(60);
    expect(lines[1]).toBe('10000 jobs: 10 failed, 20 running, 9,970 idle');
    const states = lines.slice(4, 54).map((line) => line.split(/ +/)[1]);
    expect(states).toEqual([
      ...Array<string>(10).fill('failed'),
      ...Array<string>(20).fill('running'),
      ...Array<string>(20).fill('idle'),
    ]);
    expect(lines[14]).toContain('job-09503');
    expect(lines).toContain('… and 9,950 idle; all of them: status --all');
  });

  test('--all and --json show every one, and nothing takes long', async () => {
    const { operator, socketPath } = await serve();
    operator.document = statusWith(MANY);
    const since = performance.now();
    const all = await run(['status', '--all', '--socket', socketPath]);
    expect(all.stdout.split('\n').filter((line) => line.startsWith('job-')).length).toBe(10_000);
    const json = await run(['status', '--json', '--socket', socketPath]);
    expect((JSON.parse(json.stdout) as Status).jobs.length).toBe(10_000);
    // 0.4 s in all on an idle core; far more is a square somewhere.
    expect(performance.now() - since).toBeLessThan(10_000);
  });
});
