/** P1 never stale, in virtual time. The model of the services checks what it receives, and knows nothing of the planner. */
import { expect, test } from 'vitest';
import { steadyPerSecond } from '../../../src/core/scheduling/token-bucket.ts';
import { promisesMax } from '../../../src/core/scheduling/deadlines.ts';
import { hasRows } from '../../../src/core/state/persistent-state.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../src/core/lib/time.ts';
import { HUB, definition, rates, settings } from '../../support/settings.ts';
import {
  world,
  start,
  timesOf,
  notifies,
  pipelineWorld,
  withDisk,
  SILENT,
} from './promise-world.ts';

test('an outage of half a promise breaks none', () => {
  const made = world([definition('copy')], {
    isOut: (_call, ms) => ms > 10 * MINUTE_MS && ms < 12 * MINUTE_MS,
  });
  start(made, 'copy');
  made.runUntil(HOUR_MS);
  expect(made.service.close()).toMatchObject({ staleMs: 0, findings: [] });
});

test('a host clock that is an hour wrong, and stepped in the middle, makes no task stale', () => {
  const made = world([definition('copy')]);
  made.time.stepWall(-HOUR_MS);
  start(made, 'copy');
  made.runUntil(30 * MINUTE_MS);
  made.time.stepWall(2 * HOUR_MS);
  made.runUntil(HOUR_MS);
  made.time.stepWall(-HOUR_MS);
  made.runUntil(2 * HOUR_MS);
  // Until the first answer the offset is not known; the first report comes after it.
  expect(made.service.close()).toMatchObject({ staleMs: 0, stampsNotRising: 0, findings: [] });
});

test('2,000 tasks on one call a second: the promise is stretched, and each is kept', () => {
  const jobs = Array.from({ length: 2000 }, (_, i) => definition(`job-${i}`));
  const made = world(jobs, { jobs: { ...SILENT, progressEveryMs: 10 * MINUTE_MS } });
  made.calls = undefined;
  for (const job of jobs) start(made, job.name);
  made.runUntil(2 * HOUR_MS);
  expect(made.service.close()).toMatchObject({ staleMs: 0, overLimit: 0, findings: [] });
  expect(made.service.lastNotify('job-7')?.nextUpdateS).toBe(HUB.nextUpdateMaxMs / SECOND_MS);
});

test('more tasks than the budget can serve: promises are kept, waiting jobs are shown and get their turn', () => {
  const jobs = Array.from({ length: 400 }, (_, i) => definition(`job-${i}`));
  const made = world(jobs, {
    jobs: { durationMs: () => 5 * HOUR_MS, exitCode: () => 0, progressEveryMs: HOUR_MS },
    settings: settings({
      jobs: new Map(jobs.map((job) => [job.name, job])),
      rates: rates({ NotifyMigrationTaskState: { perSecond: 0.1, burst: 2 } }),
    }),
  });
  made.calls = undefined;
  for (const job of jobs) start(made, job.name);
  made.runUntil(4 * HOUR_MS);
  const stretched = made.notes.filter((note) => note.event === 'promise.stretched');
  expect(stretched.length).toBeGreaterThan(0);
  made.runUntil(8 * HOUR_MS);
  expect(made.service.close()).toMatchObject({ staleMs: 0, overLimit: 0, afterFinal: 0 });
  const reports = jobs.filter((job) => made.service.lastNotify(job.name)?.status === 'COMPLETED');
  expect(reports).toHaveLength(400);
});

test('without load the promise is the configured one, and a report comes at half of it', () => {
  const made = world([definition('copy')], {
    jobs: { durationMs: () => 10 * HOUR_MS, exitCode: () => 0, progressEveryMs: 100 * HOUR_MS },
  });
  start(made, 'copy');
  made.runUntil(HOUR_MS);
  expect(made.service.lastNotify('copy')?.nextUpdateS).toBe(300);
  const times = timesOf(made, 'NotifyMigrationTaskState').slice(2);
  const gaps = times.slice(1).map((at, i) => at - times[i]!);
  expect(gaps.length).toBeGreaterThan(20);
  // By its lot up to a tenth earlier, always the same.
  expect(Math.max(...gaps)).toBeLessThan(151 * SECOND_MS);
  expect(Math.min(...gaps)).toBeGreaterThan(134 * SECOND_MS);
  expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThan(2 * SECOND_MS);
});

test('a host clock that was wrong from the start, and is stepped under a silent job, is corrected', () => {
  const made = world([definition('copy')], { jobs: SILENT });
  made.time.stepWall(-HOUR_MS);
  // An agent that begins now has never seen another clock: it can only learn from the service.
  made.crash();
  start(made, 'copy');
  for (const [i, stepMs] of [2 * HOUR_MS, -HOUR_MS, -HOUR_MS, HOUR_MS].entries()) {
    made.runUntil((i + 1) * 20 * MINUTE_MS);
    made.time.stepWall(stepMs);
  }
  made.runUntil(2 * HOUR_MS);
  const reports = notifies(made);
  expect(reports.length).toBeGreaterThan(40);
  for (const { call, trueMs } of reports) {
    expect(Math.abs(call.stampS * SECOND_MS - trueMs)).toBeLessThan(3 * SECOND_MS);
  }
  expect(made.service.close()).toMatchObject({ staleMs: 0, stampsNotRising: 0 });
});

test('when a promise ends is known on a host whose clock is wrong', () => {
  const made = world([definition('copy')], { jobs: SILENT });
  made.time.stepWall(-HOUR_MS);
  made.crash();
  start(made, 'copy');
  made.runUntil(HOUR_MS);
  const promise = made.state.hubTasks.get('copy')?.promise;
  const endsInMs = (promise?.until.bootMs ?? 0) - (promise?.madeAt.bootMs ?? 0);
  expect(Math.abs(endsInMs - 5 * MINUTE_MS)).toBeLessThan(3 * SECOND_MS);
  expect(made.notes.map((note) => note.event)).not.toContain('promise.broken');
});

test('a flood of status changes does not make a promised report late', () => {
  const jobs = Array.from({ length: 1000 }, (_, i) => definition(`job-${i}`));
  const made = pipelineWorld(
    [definition('copy'), ...jobs],
    {},
    { jobs: SILENT },
    { ImportMigrationTask: { perSecond: 100, burst: 100 } },
  );
  start(made, 'copy');
  made.runUntil(MINUTE_MS);
  for (const job of jobs) start(made, job.name);
  made.runUntil(15 * MINUTE_MS);
  expect(made.service.close()).toMatchObject({ staleMs: 0, findings: [] });
});

test('renewals of promises are written together, some seconds later', () => {
  const jobs = Array.from({ length: 300 }, (_, i) => definition(`job-${i}`));
  const made = world(jobs, { jobs: SILENT });
  for (const { name } of jobs) start(made, name);
  made.runUntil(HOUR_MS);
  let commits = 0;
  const { planner } = made;
  const takeChanges = planner.takeChanges.bind(planner);
  planner.takeChanges = (now) => {
    const changes = takeChanges(now);
    if (hasRows(changes)) commits++;
    return changes;
  };
  const reportsBefore = notifies(made).length;
  made.runUntil(2 * HOUR_MS);
  expect(notifies(made).length - reportsBefore).toBeGreaterThan(1500);
  expect(commits).toBeLessThan((notifies(made).length - reportsBefore) / 3);
});

test.each([0, -5 * SECOND_MS, -MINUTE_MS])(
  'renewals that are lost with the agent break no promise, and no stamp runs backwards, also if the clock is set by %i ms',
  (stepMs) => {
    const jobs = Array.from({ length: 60 }, (_, i) => definition(`job-${i}`));
    const made = world(jobs, { jobs: SILENT });
    const disk = withDisk(made);
    for (const { name } of jobs) start(made, name);
    made.runUntil(10 * MINUTE_MS);
    let lost = 0;
    for (let i = 0; i < 40; i++) {
      made.runUntil(made.time.now().bootMs + 61_300);
      const before = structuredClone(made.state.hubTasks);
      disk.crash(() => {
        for (const [name, { promise }] of made.state.hubTasks) {
          if (promise?.madeAt.bootMs !== before.get(name)?.promise?.madeAt.bootMs) lost++;
        }
        // As on a host that was restarted: nothing shows by how much its clock was set.
        delete made.state.metadata.clock;
        made.time.stepWall(stepMs);
      });
    }
    expect(lost).toBeGreaterThan(20);
    expect(made.service.close()).toMatchObject({ staleMs: 0, stampsNotRising: 0, findings: [] });
  },
);

test('a report that only renews a promise writes no run; a detail goes to the disk with the next report', () => {
  const made = world([definition('copy')], { jobs: SILENT });
  const { planner } = made;
  let kept: (string | undefined)[] = [];
  const takeChanges = planner.takeChanges.bind(planner);
  planner.takeChanges = (now) => {
    const changes = takeChanges(now);
    kept.push(...[...changes.runs].map(({ detail }) => detail));
    return changes;
  };
  start(made, 'copy');
  made.runUntil(MINUTE_MS);
  kept = [];
  made.runUntil(HOUR_MS);
  expect(notifies(made).length).toBeGreaterThan(20);
  expect(kept).toEqual([]);
  made.post({ type: 'progress-read', run: 'copy/1', detail: 'file 7' });
  made.runUntil(2 * HOUR_MS);
  expect(kept).toEqual(['file 7']);
});

test('a promise is stretched no longer than the load lasts', () => {
  const jobs = Array.from({ length: 100 }, (_, i) => definition(`job-${i}`));
  const made = pipelineWorld(
    [definition('copy'), ...jobs],
    {},
    {
      jobs: {
        ...SILENT,
        durationMs: (run) => (run.job === 'copy' ? 10 * HOUR_MS : 20 * MINUTE_MS),
      },
    },
    { NotifyMigrationTaskState: { perSecond: 0.2, burst: 10 } },
  );
  for (const job of jobs) start(made, job.name);
  made.runUntil(10 * MINUTE_MS);
  start(made, 'copy');
  made.runUntil(HOUR_MS);
  expect(notifies(made).find(({ call }) => call.task === 'copy')?.call.nextUpdateS).toBeGreaterThan(
    1000,
  );
  made.runUntil(3 * HOUR_MS);
  expect(made.service.lastNotify('copy')?.nextUpdateS).toBe(300);
  expect(made.service.close()).toMatchObject({ staleMs: 0 });
});

test('steps of one second follow each other without running ahead of the clock', () => {
  const made = world([definition('copy')], {
    jobs: { durationMs: () => 2400, exitCode: () => 0, progressEveryMs: 100 * HOUR_MS },
  });
  let left = 20;
  made.onEnded = () => {
    if (left-- > 0) start(made, 'copy');
  };
  start(made, 'copy');
  made.runUntil(5 * MINUTE_MS);
  const reports = notifies(made);
  expect(reports.length).toBeGreaterThan(20);
  for (const { call, trueMs } of reports) {
    if (call.status !== 'IN_PROGRESS') continue;
    expect(call.stampS * SECOND_MS).toBeLessThanOrEqual(trueMs);
  }
  expect(made.service.close()).toMatchObject({ stampsNotRising: 0, afterFinal: 0 });
});

test('a job that waits for a promise is reported as soon as another has ended, also after a restart', () => {
  const tiny = { perSecond: 1 / 60, burst: 5 };
  const given = { ...tiny, perSecond: steadyPerSecond(tiny) };
  const jobs = Array.from({ length: promisesMax(HUB, given) }, (_, i) => definition(`job-${i}`));
  const made = pipelineWorld(
    [...jobs, definition('late'), definition('later')],
    {},
    {
      jobs: {
        ...SILENT,
        durationMs: (run) => (run.job === 'job-0' ? 4 * HOUR_MS : 100 * HOUR_MS),
      },
    },
    { NotifyMigrationTaskState: tiny },
  );
  const disk = withDisk(made);
  for (const job of jobs) start(made, job.name);
  made.runUntil(2 * HOUR_MS);
  start(made, 'late');
  made.runUntil(3 * HOUR_MS);
  disk.crash();
  start(made, 'later');
  made.runUntil(3.9 * HOUR_MS);
  expect(made.service.lastNotify('late')).toBeUndefined();
  expect(made.service.lastNotify('later')).toBeUndefined();
  made.runUntil(6 * HOUR_MS);
  expect(made.service.lastNotify('job-0')?.status).toBe('COMPLETED');
  const reports = ['late', 'later'].filter((job) => made.service.lastNotify(job) !== undefined);
  expect(reports).toHaveLength(1);
  expect(made.service.close()).toMatchObject({ staleMs: 0, overLimit: 0 });
});

test('a promise whose first report was on its way when the agent died is kept before another is made', () => {
  const tiny = { perSecond: 1 / 60, burst: 5 };
  const given = { ...tiny, perSecond: steadyPerSecond(tiny) };
  const jobs = Array.from({ length: promisesMax(HUB, given) }, (_, i) => definition(`job-${i}`));
  const made = pipelineWorld(
    [...jobs, definition('first'), definition('second')],
    {},
    {
      // The older of the two that wait for a promise is the later one to be ready for it.
      isOut: (call, bootMs) =>
        call.operation === 'ImportMigrationTask' && call.task === 'second' && bootMs < 3 * HOUR_MS,
      jobs: {
        ...SILENT,
        durationMs: (run) => (run.job === 'job-0' ? 4 * HOUR_MS : 100 * HOUR_MS),
      },
    },
    { NotifyMigrationTaskState: tiny },
  );
  const disk = withDisk(made);
  for (const { name } of jobs) start(made, name);
  made.runUntil(HOUR_MS);
  start(made, 'second');
  made.runUntil(2 * HOUR_MS);
  start(made, 'first');
  made.runUntil(4 * HOUR_MS);
  while (made.service.lastNotify('first') === undefined) {
    made.runUntil(made.time.now().bootMs + 4);
  }
  disk.crash();
  made.runUntil(made.time.now().bootMs + 4 * HOUR_MS);
  expect(made.service.lastNotify('second')).toBeUndefined();
  expect(made.service.close()).toMatchObject({ staleMs: 0, overLimit: 0 });
});

test.each([HOUR_MS, -HOUR_MS])(
  'a restart on a host whose clock is wrong by %i ms: what was known of the service’s clock is kept',
  (wrongMs) => {
    const jobs = new Map([['copy', definition('copy')]]);
    const made = world([], { settings: settings({ jobs }), jobs: SILENT });
    made.time.stepWall(wrongMs);
    const disk = withDisk(made);
    disk.crash();
    start(made, 'copy');
    made.runUntil(20 * MINUTE_MS + 11 * SECOND_MS);
    disk.crash();
    made.time.moveTo(made.time.now().bootMs + 4 * MINUTE_MS);
    made.runUntil(HOUR_MS);
    for (const { call, trueMs } of notifies(made)) {
      expect(Math.abs(call.stampS * SECOND_MS - trueMs)).toBeLessThan(3 * SECOND_MS);
    }
  },
);
