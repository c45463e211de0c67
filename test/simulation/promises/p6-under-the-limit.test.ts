/** P6 under the limit, in virtual time. The model of the services checks what it receives, and knows nothing of the planner. */
import { expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../../src/core/lib/time.ts';
import { definition, rates, settings } from '../../support/settings.ts';
import { world, start, SILENT } from './promise-world.ts';

/** Progress that is read every ten seconds would be most of the work of these tests. */
const jobModel = {
  durationMs: () => 10 * HOUR_MS,
  exitCode: () => 0,
  progressEveryMs: MINUTE_MS,
};

test('a thousand jobs at once, a tenth of the calls failing, stay under a tiny limit', () => {
  const jobs = Array.from({ length: 1000 }, (_, i) => definition(`job-${i}`));
  const tiny = { perSecond: 2, burst: 3 };
  const made = world(jobs, {
    failing: 0.1,
    jobs: jobModel,
    settings: settings({
      jobs: new Map(jobs.map((job) => [job.name, job])),
      rates: rates({ ImportMigrationTask: tiny, NotifyMigrationTaskState: tiny }),
    }),
  });
  made.calls = undefined;
  for (const job of jobs) start(made, job.name);
  made.runUntil(2 * HOUR_MS);
  expect(made.service.close()).toMatchObject({ overLimit: 0, staleMs: 0 });
});

test('a service that lets through half of what is configured: obeyed, and no task gets stale', () => {
  const jobs = Array.from({ length: 150 }, (_, i) => definition(`job-${i}`));
  const half = { perSecond: 0.5, burst: 5 };
  const made = world(jobs, {
    jobs: jobModel,
    throttling: rates({ ImportMigrationTask: half, NotifyMigrationTaskState: half }),
  });
  for (const job of jobs) start(made, job.name);
  made.runUntil(6 * HOUR_MS);
  const books = made.service.close();
  expect(books.staleMs).toBe(0);
  expect(books.overLimit / books.calls).toBeLessThan(0.1);
  expect(made.service.lastNotify('job-7')?.nextUpdateS).toBeGreaterThan(300);
});

test('permits that no reporter needs are returned to the gate, once', () => {
  const made = world([definition('copy')], { jobs: SILENT });
  start(made, 'copy');
  made.runUntil(MINUTE_MS);
  const now = made.time.now();
  const operation = 'NotifyMigrationTaskState';
  made.planner.observe({ type: 'gate-opened', operation, slots: 3 }, now);
  expect(made.planner.decide(now)).toEqual([{ type: 'return-slots', operation, slots: 3 }]);
  expect(made.planner.decide(now)).toEqual([]);
});
