/** One job in full: what runs, as whom, where its output is, earlier runs, and what is pending of it. */
import { expect, test } from 'vitest';
import { iso } from '../../../src/core/lib/time.ts';
import { jobDetailOf } from '../../../src/core/operator/job-detail.ts';
import type { JobDefinition } from '../../../src/core/model/job.ts';
import { Desk, START, UNAVAILABLE, accepted, failing } from '../../support/desk.ts';
import { definition } from '../../support/settings.ts';

const logs = (job: string, run: number) =>
  ({ stdout: `${job}/${run}/out`, stderr: 'err' }) as never;

function deskOf(over: Partial<JobDefinition> = {}): Desk {
  return new Desk({ jobs: [definition('copy', over)] });
}

const detailOf = (desk: Desk, name = 'copy') =>
  jobDetailOf(desk.planner.view(), name, { logs, ownUser: 'agent' }, desk.now);

test('of no job there is none', () => {
  expect(detailOf(deskOf(), 'other')).toBeUndefined();
});

test('a job that never ran shows its definition, with secrets masked', () => {
  const over = {
    command: ['rsync', '--password=hunter2', 'a'],
    workingDirectory: '/srv',
    user: 'mover',
  };
  const schedule = { cron: '0 2 * * *', missedStart: 'skip' } as const;
  expect(detailOf(deskOf({ ...over, schedule }))).toMatchObject({
    ...{ name: 'copy', state: 'idle', command: ['rsync', '--password=***', 'a'] },
    ...{ workingDirectory: '/srv', user: 'mover', schedule: { cron: '0 2 * * *' } },
    ...{ earlierRuns: [], pending: [] },
  });
  expect(detailOf(deskOf())).not.toHaveProperty('logs');
  expect(detailOf(deskOf())).not.toHaveProperty('schedule');
  const zoned = { ...schedule, timezone: 'Europe/Berlin' };
  expect(detailOf(deskOf({ schedule: zoned }))?.schedule).toEqual({
    cron: '0 2 * * *',
    timezone: 'Europe/Berlin',
  });
});

test('without a user and a directory of its own it has those of the agent', () => {
  expect(detailOf(deskOf())).toMatchObject({ user: 'agent', workingDirectory: '/' });
});

test('what runs is shown, and where its output is, although a reload has changed the job', () => {
  const desk = deskOf();
  desk.start('copy');
  const { settings } = desk.planner.view();
  const jobs = new Map([['copy', definition('copy', { command: ['false'] })]]);
  desk.post({ type: 'settings-changed', request: 1, settings: { ...settings, jobs } });
  expect(detailOf(desk)).toMatchObject({ command: ['true'], logs: { stdout: 'copy/1/out' } });
});

test('of work that others run the agent knows neither command nor output', () => {
  const desk = deskOf();
  desk.post({
    type: 'track-requested',
    definitions: [definition('db', { tracked: { by: 'report' } })],
  });
  const detail = detailOf(desk, 'db');
  expect(detail).toMatchObject({ name: 'db', state: 'running' });
  for (const key of ['command', 'workingDirectory', 'user', 'logs'])
    expect(detail).not.toHaveProperty(key);
});

test('the ten runs before it are listed, the latest first, with how each ended', () => {
  const desk = deskOf();
  for (let count = 0; count < 12; count++) {
    const run = desk.start('copy');
    desk.pass(2_000);
    desk.exit(run, 3);
  }
  expect(detailOf(desk)?.earlierRuns.map(({ run }) => run)).toEqual([
    11, 10, 9, 8, 7, 6, 5, 4, 3, 2,
  ]);
  const last = desk.start('copy');
  const { earlierRuns = [] } = detailOf(desk) ?? {};
  expect(earlierRuns.map(({ run }) => run)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  expect(last.number).toBe(13);
  expect(earlierRuns[0]).toEqual({
    ...{ run: 12, state: 'failed', elapsedSeconds: 2, exitCode: 3, reason: 'exit code 3' },
    ...{ startedAt: iso(START.wallMs + 22_000), endedAt: iso(START.wallMs + 24_000) },
  });
});

test('what is pending of the job is listed, and of no other', () => {
  const desk = new Desk({
    jobs: [definition('copy'), definition('other')],
    answers: failing('ImportMigrationTask', UNAVAILABLE),
  });
  desk.exit(desk.start('copy'));
  desk.exit(desk.start('other'));
  expect(new Set(detailOf(desk)?.pending.map(({ job }) => job))).toEqual(new Set(['copy']));
  desk.answers = accepted;
  desk.pass(60_000);
  expect(detailOf(desk)?.pending).toEqual([]);
});
