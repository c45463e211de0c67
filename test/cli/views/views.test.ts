/** What operators read, exactly: the text is the contract. */
import { expect, test } from 'vitest';

import { progressBar } from '../../../src/cli/terminal/bars.ts';
import { renderJob } from '../../../src/cli/views/job.ts';
import { clip, displayWidth, plain, truncate, wrap } from '../../../src/cli/terminal/printable.ts';
import { span } from '../../../src/cli/terminal/durations.ts';
import { renderStatus } from '../../../src/cli/views/status.ts';
import { describeFields, renderTimeline } from '../../../src/cli/views/timeline.ts';
import type { JobDetail, JobStatus, Status } from '../../../src/core/model/status.ts';
import { FULL_STATUS, jobNamed, statusWith } from '../../control/operator-in-memory.ts';

const NOW = new Date('2026-11-22T03:12:00.000Z');
const VIEW = { width: 80, color: false, now: NOW };
const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000).toISOString();

const hub = (rest: Partial<NonNullable<JobStatus['destinations']['migrationHub']>>) => ({
  migrationHub: { task: 't', delivery: 'pending' as const, ...rest },
});

const JOBS: readonly JobStatus[] = [
  jobNamed('nightly-files', {
    run: 3,
    state: 'running',
    percent: 72,
    detail: '12.30MB/s 0:01:22',
    startedAt: minutesAgo(3.2),
    destinations: {
      ...hub({ lastAcceptedAt: minutesAgo(0.2), slackSeconds: 288 }),
      dataPipeline: {
        taskId: 't',
        pipelineId: 'p',
        attemptId: 'a',
        workerGroup: 'g',
        delivery: 'pending',
        lastAcceptedAt: minutesAgo(0.1),
        slackSeconds: 895,
      },
    },
  }),
  jobNamed('dump-orders', {
    run: 1,
    state: 'failed',
    exitCode: 23,
    percent: 40,
    startedAt: minutesAgo(90),
    endedAt: minutesAgo(65),
    reason: 'exit code 23: some files could not be transferred',
    destinations: hub({ delivery: 'delivered', lastAcceptedAt: minutesAgo(64) }),
  }),
  jobNamed('stuck', {
    run: 2,
    state: 'running',
    stalled: true,
    startedAt: minutesAgo(60),
    destinations: hub({ slackSeconds: -3, reason: 'ExpiredTokenException: the token has expired' }),
  }),
  jobNamed('half-gone', {
    run: 9,
    state: 'canceled',
    cancelIncomplete: true,
    survivors: [12, 13],
    startedAt: minutesAgo(9),
    endedAt: minutesAgo(1),
    destinations: hub({ delivery: 'refused', reason: 'no such stream' }),
  }),
  jobNamed('weekly', { nextStartAt: new Date(NOW.getTime() + 5 * 3_600_000).toISOString() }),
];

test('the table fits 80 columns and shows the rest below each row', () => {
  const text = renderStatus(
    statusWith(JOBS, { outbox: 2, health: 'degraded', nearestDeadlineSeconds: -3 }),
    VIEW,
  );
  expect(`\n${text}\n`).toMatchInlineSnapshot(`
    "
    degraded: late by 3s, outbox 2, clock +0.3s, up 3h12m, files-host-01

    JOB            STATE      PROGRESS            AGE  HUB ago/left  PIPE ago/left
    half-gone      canceled!                   1m ago  refused
      still alive: 12, 13
      hub: no such stream
    dump-orders    failed 23  ███▏░░░░  40%    1h ago  delivered 1h
      exit code 23: some files could not be transferred
    stuck          stalled                      1h00m  -/-3s
      hub: ExpiredTokenException: the token has expired
    nightly-files  running    █████▊░░  72%     3m12s  12s/4m48s     6s/14m55s
      12.30MB/s 0:01:22
    weekly         idle                      in 5h00m
    "
  `);
});

test('a wide terminal has the details in the table', () => {
  const text = renderStatus(statusWith(JOBS.slice(0, 2)), { ...VIEW, width: 120 });
  expect(`\n${text}\n`).toMatchInlineSnapshot(`
    "
    healthy, outbox 0, clock +0.3s, up 3h12m, files-host-01, version 0.1.0

    JOB            STATE      PROGRESS          AGE  HUB ago/left  PIPE ago/left  DETAIL
    dump-orders    failed 23  ███▏░░░░  40%  1h ago  delivered 1h                 exit code 23: some files could not be tra…
    nightly-files  running    █████▊░░  72%   3m12s  12s/4m48s     6s/14m55s      12.30MB/s 0:01:22
    "
  `);
});

test('where room is short the bars shrink before a name is cut', () => {
  const [job] = JOBS;
  const long = { ...job!, name: 'restore-of-the-large-shop' };
  expect(renderStatus(statusWith([long]), VIEW).split('\n')[3]).toBe(
    'restore-of-the-large-shop  running  ██▏  72%  3m12s  12s/4m48s     6s/14m55s',
  );
});

test('columns that nobody needs are not there', () => {
  expect(renderStatus(statusWith([jobNamed('a'), jobNamed('b')]), VIEW)).toBe(
    'healthy, outbox 0, clock +0.3s, up 3h12m, files-host-01, version 0.1.0\n\nJOB  STATE\na    idle\nb    idle',
  );
});

test('budgets are shown when they were used, problems when there are any', () => {
  const status: Status = { ...FULL_STATUS, jobs: [jobNamed('a')] };
  expect(renderStatus(status, VIEW)).toMatchInlineSnapshot(`
    "degraded: 1 problem, outbox 2 for 21m00s, next deadline in 4m48s, clock +0.3s
    ! credentials have expired

    JOB  STATE
    a    idle

    OPERATION                 BUDGET left   ACCEPTED  THROTTLED  FAILED  PAUSED
    NotifyMigrationTaskState  9 of 10, 1/s       123          2       1  12s
      throttled"
  `);
});

test('the final report of a run that has ended is pending', () => {
  const pending = jobNamed('a', {
    run: 1,
    state: 'succeeded',
    startedAt: minutesAgo(9),
    endedAt: minutesAgo(0.5),
    destinations: hub({ lastAcceptedAt: minutesAgo(2), slackSeconds: 100 }),
  });
  expect(renderStatus(statusWith([pending]), VIEW)).toMatch(/succeeded .* pending 30s$/);
});

test('a picture of limited height keeps the health line and what matters most', () => {
  const status: Status = { ...FULL_STATUS, jobs: JOBS };
  const full = renderStatus(status, VIEW).split('\n');
  for (let height = full.length + 3; height >= 6; height--) {
    const lines = renderStatus(status, { ...VIEW, height }).split('\n');
    expect(lines.length).toBeLessThanOrEqual(height);
    expect(lines.slice(0, 2)).toEqual(full.slice(0, 2));
    expect(lines[4]).toMatch(/^half-gone /);
  }
  expect(renderStatus(status, { ...VIEW, height: 8 })).toMatchInlineSnapshot(`
    "degraded: 1 problem, outbox 2 for 21m00s, next deadline in 4m48s, clock +0.3s
    ! credentials have expired

    JOB            STATE      PROGRESS            AGE  HUB ago/left  PIPE ago/left
    half-gone      canceled!                   1m ago  refused
      still alive: 12, 13
      hub: no such stream
    … and 1 failed, 1 stalled, 1 running, 1 idle; all of them: status --all"
  `);
});

test('a timeline that is too long for the terminal loses its beginning', () => {
  const timeline = Array.from({ length: 50 }, (_, index) => ({
    at: NOW.toISOString(),
    event: `event.${index}`,
    fields: {},
  }));
  const job = { ...jobNamed('a'), earlierRuns: [], pending: [] };
  const lines = renderJob({ job, timeline }, { ...VIEW, height: 10 }).split('\n');
  expect(lines).toHaveLength(10);
  expect(lines.at(-1)).toContain('event 49');
  expect(renderJob({ job, timeline }, { ...VIEW, height: 2 })).not.toContain('TIMELINE');
});

test('no jobs: the screen says what to do', () => {
  expect(renderStatus(statusWith([]), VIEW).split('\n')[2]).toContain('migration-agent run --');
});

const FULL_JOB: JobDetail = {
  ...FULL_STATUS.jobs[0]!,
  command: ['pg_dump', '-Fd', '-j', '4', '-f', '/srv/dump dir', 'postgres://dump:***@db01/orders'],
  workingDirectory: '/srv',
  user: 'postgres',
  schedule: { cron: '0 2 * * *', timezone: 'Europe/Berlin' },
  logs: {
    stdout: '/var/lib/migration-agent/runs/nightly-files/3/stdout.log',
    stderr: '/var/lib/migration-agent/runs/nightly-files/3/stderr.log',
  },
  elapsedSeconds: 180,
  etaSeconds: 70,
  earlierRuns: [
    {
      run: 2,
      state: 'failed',
      exitCode: 1,
      startedAt: '2026-11-21T02:00:00.000Z',
      endedAt: '2026-11-21T02:04:12.000Z',
      elapsedSeconds: 252,
      reason: 'exit code 1: pg_dump: error: connection to server at "db01" failed: timeout expired',
    },
    {
      run: 1,
      state: 'succeeded',
      startedAt: '2026-11-20T02:00:00.000Z',
      endedAt: '2026-11-20T03:05:00.000Z',
      elapsedSeconds: 3900,
    },
  ],
  pending: [
    {
      job: 'nightly-files',
      run: 2,
      destination: 'dataPipeline',
      operation: 'SetTaskStatus',
      task: 'task-1',
      message: 'FAILED (exit code 1)',
      since: '2026-11-21T02:04:12.000Z',
      attempts: 3,
      nextTryAt: '2026-11-22T03:12:12.000Z',
      lastError: 'ThrottlingException: Rate exceeded',
      quarantined: false,
    },
  ],
};

const OUTPUT = { stdout: ['one', 'two'], stderr: ['pg_dump: dumping contents of table "orders"'] };

test('one job is shown in full and ends in its timeline', () => {
  const timeline = [
    { at: '2026-11-21T23:59:59.000Z', run: 'nightly-files/3', event: 'run.queued', fields: {} },
    {
      at: '2026-11-22T03:08:48.000Z',
      run: 'nightly-files/3',
      event: 'job.started',
      fields: { pid: 123 },
    },
    {
      at: '2026-11-22T03:10:00.000Z',
      run: 'nightly-files/3',
      event: 'some_thing.of_tomorrow',
      fields: {
        retryMs: 2000,
        windowS: 900,
        message: 'a long explanation that does not fit into one line of the terminal',
      },
    },
  ];
  expect(renderJob({ job: FULL_JOB, output: OUTPUT, timeline }, VIEW)).toMatchInlineSnapshot(`
    "nightly-files/3  running!  ██████████████▍░░░░░ 72%  about 1m10s left
      command        pg_dump -Fd -j 4 -f '/srv/dump dir'
                     postgres://dump:***@db01/orders
      directory      /srv, as postgres
      unit           copy.service
      status file    /srv/status.json
      schedule       0 2 * * * (Europe/Berlin), next start 2026-11-23 02:00:00 UTC
                     (in 22h48m)
      started        03:08:48 UTC (3m12s ago), by schedule
      ended          03:11:48 UTC (12s ago), took 3m00s, exit code 0
      signal         SIGTERM
      problem        is no JSON
      reason         a reason
      cancel         incomplete: processes of this run outlived SIGKILL
      still alive    12, 13
      Migration Hub  pending IN_PROGRESS, last report 12s ago, next within 4m48s;
                     task nightly-files-3
                     throttled
      Data Pipeline  withheld, last report 5s ago, next within 14m55s; task task-1
                     of df-1, worker group files
                     canceled by the service
      pending        #2 SetTaskStatus FAILED (exit code 1), 3 tries, next in 12s:
                     ThrottlingException: Rate exceeded

    STDOUT  /var/lib/migration-agent/runs/nightly-files/3/stdout.log
    one
    two

    STDERR  /var/lib/migration-agent/runs/nightly-files/3/stderr.log
    pg_dump: dumping contents of table "orders"

    EARLIER RUNS
    #2  failed 1   4m12s  2026-11-21 02:04:12  exit code 1: pg_dump: error: connect…
    #1  succeeded  1h05m  2026-11-20 03:05:00

    TIMELINE (UTC)
    2026-11-21 23:59:59  #3  run queued
    03:08:48             #3  job started, pid 123
    03:10:00             #3  some thing of tomorrow: retry 2s, window 15m00s, a long
                             explanation that does not fit into one line of the
                             terminal"
  `);
});

test('no line is wider than the terminal, whatever it holds and however narrow it is', () => {
  const status: Status = {
    ...FULL_STATUS,
    jobs: [
      ...JOBS,
      ...FULL_STATUS.jobs,
      jobNamed('a-very-long-name-'.repeat(6), { detail: '日本語'.repeat(50) }),
    ],
    agent: { ...FULL_STATUS.agent, problems: ['word '.repeat(60), 'x'.repeat(300)] },
  };
  for (const width of [80, 81, 100, 132, 200]) {
    const widest = Math.max(
      ...renderStatus(status, { ...VIEW, width })
        .split('\n')
        .map(displayWidth),
    );
    expect([width, widest <= width]).toEqual([width, true]);
  }
});

test('the output of a job cannot command the terminal', () => {
  const evil = jobNamed('a\u001b[2J', {
    detail: 'x\u001b]0;title\u0007\r\ny\u202e',
    reason: '\u009b31m',
  });
  const text = renderStatus(statusWith([evil], { host: '\u001b[5m' }), VIEW);
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  const lines = renderTimeline(
    [{ at: NOW.toISOString(), event: 'a\u001b[2J', fields: { 'b\n': 'c\u001bc\n' } }],
    VIEW,
  );
  expect(lines.join('')).not.toMatch(/[\u0000-\u001f]/);
});

test('with colours the text is the same', () => {
  const status: Status = { ...FULL_STATUS, jobs: JOBS };
  const coloured = renderStatus(status, { ...VIEW, color: true });
  expect(coloured).toContain('\u001b[31m');
  expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(renderStatus(status, VIEW));
});

test.each([
  [0, '░░░░░░░░'],
  [1, '░░░░░░░░'],
  [50, '████░░░░'],
  [72, '█████▊░░'],
  [99, '███████▉'],
  [100, '████████'],
  [140, '████████'],
  [-5, '░░░░░░░░'],
])('%i percent is %s', (percent, bar) => {
  expect(progressBar(percent, 8)).toBe(bar);
});

test.each([
  [0, '0s'],
  [59_999, '59s'],
  [60_000, '1m00s'],
  [288_000, '4m48s'],
  [7_500_000, '2h05m'],
  [273_600_000, '3d4h'],
  [-3_000, '3s'],
])('%i ms is %s', (ms, text) => {
  expect(span(ms)).toBe(text);
});

test('fields are shown with their units', () => {
  expect(
    describeFields({
      exitCode: 23,
      retryMs: 250,
      graceMs: 30_000,
      windowS: 900,
      lateSeconds: -61,
      stalled: true,
      by: 'anna',
      none: undefined,
      ids: [1, 2],
    }),
  ).toBe(
    'exit code 23, retry 250ms, grace 30s, window 15m00s, late -1m01s, stalled, by anna, ids [1,2]',
  );
});

test('messages of the agent are shown unchanged, and do not repeat the state', () => {
  expect(describeFields({ state: 'failed', message: 'failed: exit code 1' })).toBe(
    'failed: exit code 1',
  );
  expect(describeFields({ state: 'succeeded', message: 'completed' })).toBe(
    'state succeeded, completed',
  );
});

test('a coloured line is cut as a plain one, and its colour ends', () => {
  expect(clip('\u001b[31mabc\u001b[39m', 3)).toBe('\u001b[31mabc\u001b[39m');
  expect(clip('\u001b[31mabcd\u001b[39mef', 3)).toBe('\u001b[31mab…\u001b[39m');
  expect(clip('ab\u001b[31mc\u001b[39md', 3)).toBe('ab\u001b[31m…\u001b[39m');
  expect(clip('日本語です', 6)).toBe('日本…');
});

test('text is cut and broken by the columns it takes', () => {
  expect(truncate('日本語です', 6)).toBe('日本…');
  expect(displayWidth('日本…')).toBe(5);
  expect(displayWidth('e\u0301')).toBe(1);
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('abcdefgh ij', 3)).toEqual(['abc', 'def', 'gh', 'ij']);
  expect(plain('a\tb\nc')).toBe('a b c');
});

test('what needs attention comes first; then what runs, by deadline; then the rest', () => {
  const slack = (slackSeconds: number) => ({ destinations: hub({ slackSeconds }) });
  const jobs = [
    jobNamed('idle'),
    jobNamed('done-early', { run: 1, state: 'succeeded', endedAt: minutesAgo(9) }),
    jobNamed('done-late', { run: 1, state: 'succeeded', endedAt: minutesAgo(1) }),
    jobNamed('runs-easy', { run: 1, state: 'running', ...slack(200) }),
    jobNamed('runs-tight', { run: 1, state: 'running', ...slack(5) }),
    jobNamed('stops', { run: 1, state: 'canceling', ...slack(100) }),
    jobNamed('refused', {
      run: 1,
      state: 'succeeded',
      endedAt: minutesAgo(5),
      destinations: hub({ delivery: 'refused' }),
    }),
    jobNamed('stalls', { run: 1, state: 'running', stalled: true, ...slack(300) }),
    jobNamed('fenced', { run: 1, state: 'fenced', endedAt: minutesAgo(99) }),
    jobNamed('failed', { run: 1, state: 'failed', endedAt: minutesAgo(999) }),
    jobNamed('lost', { run: 1, state: 'lost', endedAt: minutesAgo(9999) }),
  ];
  const lines = renderStatus(statusWith(jobs), VIEW).split('\n');
  expect(lines.slice(1, 3).join(' ')).toBe(
    '11 jobs: 1 lost, 1 failed, 1 fenced, 1 stalled, 1 refused, 1 canceling, 2 running, 2 succeeded, 1 idle',
  );
  const names = lines.slice(5).map((line) => line.split(' ')[0]);
  expect(names).toEqual([
    ...['lost', 'failed', 'fenced', 'stalls', 'refused'],
    ...['runs-tight', 'stops', 'runs-easy', 'done-late', 'done-early', 'idle'],
  ]);
});
