/**
 * Many at once, on one host or on a hundred: nobody needs all of them in the same second, so they come apart; and what
 * changes a hundred times between two reports is reported once, with its latest state.
 */
import { describe, expect, test } from 'vitest';
import type { JobDefinition } from '../../src/core/model/job.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import { createRandom } from '../../src/system/random.ts';
import { PIPELINE, definition, rates, settings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const HOSTS = 60;
const AMPLE = { perSecond: 1000, burst: 1000 };

function host(seed: number, jobs: readonly JobDefinition[] = [definition('copy')]): World {
  const made = new World({
    seed,
    failing: 0,
    jobs: { durationMs: () => 24 * HOUR_MS, exitCode: () => 0, progressEveryMs: 100 * HOUR_MS },
    settings: settings({
      jobs: new Map(jobs.map((job) => [job.name, job])),
      dataPipeline: {
        ...PIPELINE,
        activities: jobs.map((job) => ({ match: { name: job.name }, job: job.name })),
      },
      rates: rates({ NotifyMigrationTaskState: AMPLE }),
    }),
  });
  made.calls = [];
  for (const job of jobs) {
    made.post({ type: 'start-requested', job: job.name, origin: 'schedule' });
  }
  return made;
}

/** How many of the calls, from that time on, come in the fullest second of all. */
function fullestSecond(hosts: readonly World[], operation: string, fromMs: number): number {
  const seconds = hosts.flatMap((made) =>
    (made.calls ?? []).flatMap(({ call, atMs }) =>
      call.operation === operation && atMs >= fromMs ? [Math.floor(atMs / SECOND_MS)] : [],
    ),
  );
  expect(seconds.length).toBeGreaterThanOrEqual(hosts.length);
  return Math.max(
    ...[...Map.groupBy(seconds, (second) => second).values()].map(({ length }) => length),
  );
}

describe('no herd', () => {
  test('sixty hosts whose schedules start a job in the same second do not report in the same second for ever', () => {
    const hosts = Array.from({ length: HOSTS }, (_, i) => host(i + 1));
    for (const made of hosts) made.runUntil(HOUR_MS);
    expect(fullestSecond(hosts, 'NotifyMigrationTaskState', 0)).toBeGreaterThan(HOSTS / 2);
    // At random over half an hour of drifting, two or three meet.
    expect(fullestSecond(hosts, 'NotifyMigrationTaskState', HOUR_MS / 2)).toBeLessThan(HOSTS / 6);
  });

  test('nor do their runners beat in the same second', () => {
    const hosts = Array.from({ length: HOSTS }, (_, i) => host(i + 1));
    for (const made of hosts) made.runUntil(2 * HOUR_MS);
    const fullest = fullestSecond(hosts, 'ReportTaskRunnerHeartbeat', HOUR_MS);
    expect(fullest).toBeLessThan(HOSTS / 6);
  });

  test('sixty hosts that are upgraded together take their long promises back within ten seconds, not in one', () => {
    const hosts = Array.from({ length: HOSTS }, (_, i) => host(i + 1));
    for (const made of hosts) {
      made.runUntil(MINUTE_MS);
      made.post({ type: 'stop-requested' });
      made.runUntil(MINUTE_MS + 5 * SECOND_MS);
      made.crash();
      made.calls = [];
      made.runUntil(MINUTE_MS + 20 * SECOND_MS);
      expect(made.service.lastNotify('copy')?.nextUpdateS).toBe(300);
    }
    expect(fullestSecond(hosts, 'NotifyMigrationTaskState', 0)).toBeLessThan(HOSTS / 4);
  });
});

describe('what changes between two reports', () => {
  test('is reported once, with its latest state; unchanged progress is not reported', () => {
    const made = host(1);
    made.runUntil(10 * SECOND_MS);
    made.calls = [];
    const random = createRandom(7);
    for (let i = 1; i <= 1000; i++) {
      made.post({
        type: 'progress-read',
        run: 'copy/1',
        percent: Math.floor(i / 20),
        detail: `file ${i}`,
      });
      made.runUntil(made.time.now().bootMs + random() * 40);
    }
    made.runUntil(made.time.now().bootMs + 10 * SECOND_MS);
    const reports = made.calls.map(({ call }) => call).filter((call) => 'stampS' in call);
    // Twenty seconds of a thousand changes, a report in five seconds.
    expect(reports.length).toBeGreaterThanOrEqual(4);
    expect(reports.length).toBeLessThanOrEqual(7);
    expect(reports.at(-1)).toMatchObject({ percent: 50, detail: 'file 1000' });

    made.calls = [];
    for (let i = 1; i <= 1000; i++) {
      made.post({ type: 'progress-read', run: 'copy/1', percent: 50, detail: 'file 1000' });
      made.runUntil(made.time.now().bootMs + random() * 40);
    }
    expect(made.calls.filter(({ call }) => 'stampS' in call)).toEqual([]);
  });
});
