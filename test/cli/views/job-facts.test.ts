/** What is shown of a job, and what is left out because it is not known or shown elsewhere. */
import { expect, test } from 'vitest';
import { jobFacts, jobHeadline } from '../../../src/cli/views/job-facts.ts';
import type { JobDetail } from '../../../src/core/model/status.ts';
import { jobNamed } from '../../control/operator-in-memory.ts';

const NOW = new Date('2026-11-22T03:12:00.000Z');
const detail = (rest: object = {}): JobDetail => ({
  ...jobNamed('copy'),
  earlierRuns: [],
  pending: [],
  ...rest,
});
const facts = (rest: object, hasOutput = false) => jobFacts(detail(rest), hasOutput, NOW);
const as = (name: string, rest: object, hasOutput = false) =>
  facts(rest, hasOutput).find(([each]) => each === name);

const hub = (rest: object) => ({
  destinations: { migrationHub: { task: 't', delivery: 'pending', ...rest } },
});

test('of a job that has never run nothing is known', () => {
  expect(facts({})).toEqual([]);
  expect(jobHeadline(detail(), (_style, text) => text)).toBe('copy  idle');
});

test('a command has two lines, a directory the user where one is named, other facts all that they need', () => {
  expect(as('command', { command: ['a', 'b c'] })).toEqual(['command', "a 'b c'", 2]);
  expect(as('directory', { workingDirectory: '/srv' })).toEqual(['directory', '/srv']);
  expect(as('directory', { workingDirectory: '/srv', user: 'anna' })?.[1]).toBe('/srv, as anna');
  const logs = { stdout: '/o', stderr: '/e' };
  expect(as('logs', { logs })).toEqual(['logs', '/o /e']);
  expect(as('logs', { logs }, true)).toBeUndefined();
});

test('a promise that is late is shown as late', () => {
  const text = (rest: object) => as('Migration Hub', hub(rest))?.[1];
  expect(text({ slackSeconds: -61 })).toBe(
    'pending, no report accepted yet, late by 1m01s; task t',
  );
  expect(text({ slackSeconds: 0, lastAcceptedAt: '2026-11-22T03:11:48.000Z' })).toBe(
    'pending, last report 12s ago, next within 0s; task t',
  );
  expect(text({})).toBe('pending, no report accepted yet; task t');
});

test('a schedule: its expression, its zone, and the next start, as far as they are known', () => {
  const nextStartAt = '2026-11-23T02:00:00.000Z';
  const next = 'next start 2026-11-23 02:00:00 UTC (in 22h48m)';
  expect(as('schedule', { nextStartAt })?.[1]).toBe(next);
  expect(as('schedule', { schedule: { cron: '0 2 * * *' } })?.[1]).toBe('0 2 * * *');
  const schedule = { cron: '0 2 * * *', timezone: 'Asia/Tokyo' };
  expect(as('schedule', { schedule, nextStartAt })?.[1]).toBe(`0 2 * * * (Asia/Tokyo), ${next}`);
});

test('a run: who started it, its process while it lives, its code unless the headline has it', () => {
  const startedAt = '2026-11-22T03:00:00.000Z';
  const endedAt = '2026-11-22T03:10:00.000Z';
  const started = (rest: object) => as('started', { startedAt, ...rest })?.[1];
  expect(started({})).toBe('03:00:00 UTC (12m00s ago)');
  expect(started({ pid: 7, origin: 'operator' })).toBe(
    '03:00:00 UTC (12m00s ago), by operator, pid 7',
  );
  expect(started({ pid: 7, endedAt })).not.toContain('pid');
  const ended = { startedAt, endedAt, exitCode: 3, elapsedSeconds: 600, exitSignal: 'SIGTERM' };
  expect(as('ended', { ...ended, state: 'canceled' })?.[1]).toBe(
    '03:10:00 UTC (2m00s ago), took 10m00s, exit code 3',
  );
  expect(as('signal', { ...ended, state: 'canceled' })?.[1]).toBe('SIGTERM');
  expect(as('ended', { ...ended, state: 'failed' })?.[1]).not.toContain('exit code');
  expect(as('signal', { ...ended, state: 'failed' })).toBeUndefined();
  expect(as('detail', { detail: '40 of 50' })?.[1]).toBe('40 of 50');
  expect(as('detail', { detail: '40 of 50', endedAt })).toBeUndefined();
});

test('processes that are left: of the cancel, else of the end', () => {
  expect(as('still alive', { survivors: [1, 2], processesLeft: [3] })?.[1]).toBe('1, 2');
  expect(as('still alive', { processesLeft: [3] })?.[1]).toBe('3');
  expect(as('cancel', { cancelIncomplete: false })).toBeUndefined();
  expect(as('cancel', { cancelIncomplete: true })?.[1]).toMatch(/^incomplete/);
});

test('three pending reports are shown, and how many more there are; a reason is not repeated', () => {
  const entry = {
    ...{ job: 'copy', destination: 'migrationHub', operation: 'SetTaskStatus', task: 't' },
    ...{ message: 'FAILED', attempts: 0, quarantined: false },
  };
  const pending = (...rest: readonly object[]) =>
    facts({ ...hub({ reason: 'throttled' }), pending: rest.map((one) => ({ ...entry, ...one })) })
      .slice(2)
      .map(([name, text, linesMax]) => [name, text, linesMax]);
  expect(
    pending(
      { run: 2, attempts: 1, lastError: 'throttled' },
      { attempts: 2, lastError: 'no route', nextTryAt: '2026-11-22T03:12:20.000Z' },
      { quarantined: true },
    ),
  ).toEqual([
    ['pending', '#2 SetTaskStatus FAILED, 1 try', 2],
    ['', 'SetTaskStatus FAILED, 2 tries, next in 20s: no route', 2],
    ['', 'SetTaskStatus FAILED, refused (outbox retry or drop)', 2],
  ]);
  expect(pending({}, {}, {}, {}, {}).at(-1)).toEqual([
    '',
    'and 2 more: migration-agent outbox',
    undefined,
  ]);
});
