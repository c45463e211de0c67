/** A host that sleeps, and clocks that jump: what is said first when it is awake again, and what is never said. */
import { describe, expect, test } from 'vitest';
import type { Call } from '../../src/core/model/call.ts';
import type { JobDefinition } from '../../src/core/model/job.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import { polledTask } from '../support/polled-task.ts';
import { PIPELINE, definition, rates, settings } from '../support/settings.ts';
import { World } from '../support/world.ts';
import type { WorldOptions } from '../support/world.ts';

const SILENT = {
  durationMs: () => 20 * HOUR_MS,
  exitCode: () => 0,
  progressEveryMs: 100 * HOUR_MS,
};

function world(jobs: readonly JobDefinition[], over: Partial<WorldOptions> = {}): World {
  const made = new World({
    seed: 1,
    failing: 0,
    // All report in step, so that nothing is on its way when the clock jumps.
    dice: () => 0,
    jobs: SILENT,
    settings: settings({
      jobs: new Map(jobs.map((job) => [job.name, job])),
      rates: rates({ NotifyMigrationTaskState: { perSecond: 5, burst: 10 } }),
      dataPipeline: {
        ...PIPELINE,
        concurrency: 50,
        activities: jobs.map((job) => ({ match: { name: job.name }, job: job.name })),
      },
    }),
    ...over,
  });
  made.calls = [];
  return made;
}

function named(prefix: string, count: number): JobDefinition[] {
  return Array.from({ length: count }, (_, i) => definition(`${prefix}-${i}`));
}

function start(made: World, job: string): void {
  made.post({ type: 'start-requested', job, origin: 'operator' });
}

function since(made: World, fromMs: number): { readonly call: Call; readonly atMs: number }[] {
  return (made.calls ?? []).filter(({ atMs }) => atMs >= fromMs);
}

function populated(over: Partial<WorldOptions> = {}): World {
  const pipeline = named('task', 20);
  const operator = named('own', 20);
  const made = world([...pipeline, ...operator], over);
  for (const { name } of pipeline) made.service.offer(polledTask(name));
  for (const { name } of operator) start(made, name);
  made.runUntil(20 * MINUTE_MS);
  return made;
}

describe('a host that slept', () => {
  test('reports every live pipeline task before anything else, then who has lapsed, the most urgent first', () => {
    const made = populated();
    const fromMs = made.time.now().bootMs + 6 * MINUTE_MS;
    const promises = new Map(
      [...made.state.hubTasks.values()].map((task) => [task.name, task.promise?.until.bootMs]),
    );
    made.sleep(6 * MINUTE_MS);
    made.runUntil(fromMs + MINUTE_MS);
    const sent = since(made, fromMs).filter(({ call }) => call.operation !== 'PollForTask');
    expect(sent.slice(0, 20).map(({ call }) => call.operation)).toEqual(
      Array.from({ length: 20 }, () => 'ReportTaskProgress'),
    );
    const stamps = sent.flatMap(({ call }) =>
      call.operation === 'NotifyMigrationTaskState' ? [call.task] : [],
    );
    expect(stamps.length).toBeGreaterThanOrEqual(40);
    const untils = stamps.slice(0, 40).map((task) => promises.get(task) ?? Infinity);
    const late = untils.map((until, i) => (untils[i - 1] ?? 0) - until);
    // Calls pass each other on their way by some of them at most.
    expect(Math.max(...late)).toBeLessThan(10 * SECOND_MS);
    expect(made.notes.map((note) => note.event)).toContain('host.woke');
    expect(made.running()).toBe(40);
  });

  test('past their windows its tasks are fenced at once, and nothing more is reported of them', () => {
    const made = populated();
    const fromMs = made.time.now().bootMs + HOUR_MS;
    made.sleep(HOUR_MS);
    made.runUntil(fromMs + MINUTE_MS);
    expect(since(made, fromMs).map(({ call }) => call.operation)).not.toContain('SetTaskStatus');
    expect([...made.state.runs.values()].filter((run) => run.state === 'fenced')).toHaveLength(20);
    const fenced = made.notes.filter((note) => note.event === 'lease.fenced');
    expect(fenced.every((note) => note.at.bootMs - fromMs < SECOND_MS)).toBe(true);
  });

  test('the Hub does not wait longer than ten seconds for a pipeline whose budget is small', () => {
    const jobs = [...named('task', 10), ...named('own', 3)];
    const slow = { ReportTaskProgress: { perSecond: 0.3, burst: 2 } };
    const made = world(jobs, {
      settings: settings({
        jobs: new Map(jobs.map((job) => [job.name, job])),
        rates: rates(slow),
        dataPipeline: {
          ...PIPELINE,
          concurrency: 10,
          activities: jobs.map((job) => ({ match: { name: job.name }, job: job.name })),
        },
      }),
    });
    for (const { name } of jobs.slice(0, 10)) made.service.offer(polledTask(name));
    for (const { name } of jobs.slice(10)) start(made, name);
    made.runUntil(20 * MINUTE_MS);
    const awakeMs = made.time.now().bootMs + 4 * MINUTE_MS;
    made.sleep(4 * MINUTE_MS);
    made.runUntil(awakeMs + 30 * SECOND_MS);
    const first = since(made, awakeMs).find(
      ({ call }) => call.operation === 'NotifyMigrationTaskState',
    );
    const waitedMs = (first?.atMs ?? Infinity) - awakeMs;
    expect(waitedMs).toBeGreaterThan(9 * SECOND_MS);
    expect(waitedMs).toBeLessThan(12 * SECOND_MS);
  });

  test('gives back what other gates gave meanwhile: made later, it would come on top of what they give then', () => {
    const made = populated();
    made.sleep(6 * MINUTE_MS);
    const now = made.time.now();
    const operation = 'NotifyMigrationTaskState' as const;
    made.planner.observe({ type: 'gate-opened', operation, slots: 2 }, now);
    expect(made.planner.decide(now)).toContainEqual({ type: 'return-slots', operation, slots: 2 });
  });

  test('a nap of some seconds is no reason to ask anybody', () => {
    const made = populated();
    made.sleep(20 * SECOND_MS);
    made.runUntil(made.time.now().bootMs + MINUTE_MS);
    expect(made.notes.map((note) => note.event)).not.toContain('host.woke');
  });
});

describe('a wall clock that is stepped', () => {
  test.each([2 * HOUR_MS, -2 * HOUR_MS])(
    'by %i ms: pipeline tasks are reported at once, nobody is stale, no stamp runs backwards',
    (stepMs) => {
      const made = populated();
      const fromMs = made.time.now().bootMs;
      made.time.stepWall(stepMs);
      made.runUntil(fromMs + 5 * SECOND_MS);
      const sent = since(made, fromMs).filter(({ call }) => call.operation !== 'PollForTask');
      const firstOther = sent.findIndex(({ call }) => call.operation !== 'ReportTaskProgress');
      expect(firstOther === -1 ? sent.length : firstOther).toBeGreaterThanOrEqual(20);
      made.runUntil(fromMs + HOUR_MS);
      expect(made.running()).toBe(40);
      expect(made.service.close()).toMatchObject({ staleMs: 0, stampsNotRising: 0, lapses: 0 });
    },
  );
});

describe('a wall clock that was stepped while no agent ran', () => {
  /** Long enough that every promise is for the next agent to renew; none has ended. */
  function fallen(): World {
    const made = populated();
    made.runUntil(made.time.now().bootMs + MINUTE_MS);
    made.sleep(200 * SECOND_MS);
    return made;
  }

  test.each([2 * HOUR_MS, -2 * HOUR_MS])(
    'by %i ms: what was known of the service, though it was nothing, is known still',
    (stepMs) => {
      const made = fallen();
      made.time.stepWall(stepMs);
      made.crash();
      made.runUntil(made.time.now().bootMs + HOUR_MS);
      expect(made.service.close()).toMatchObject({ staleMs: 0, stampsNotRising: 0 });
      const stampsS = named('own', 20).map(({ name }) => made.service.lastNotify(name)!.stampS);
      expect(Math.max(...stampsS)).toBeLessThanOrEqual(made.time.trueMs() / SECOND_MS + 1);
    },
  );

  /** As after a reboot, when nothing tells that the clock was stepped. */
  function staleOfWrongClock(made: World): number {
    made.time.stepWall(-2 * HOUR_MS);
    made.state.metadata.clock = { offsetMs: 0, at: made.time.now() };
    made.crash();
    let staleMs = 0;
    made.service.onStale = (_task, lateMs) => (staleMs = Math.max(staleMs, lateMs));
    made.runUntil(made.time.now().bootMs + HOUR_MS);
    made.service.close();
    return staleMs;
  }

  test('the first reports after a boot with a wrong clock are made again at once', () => {
    // Forty tasks at five a second.
    expect(staleOfWrongClock(fallen())).toBeLessThan(10 * SECOND_MS);
  });

  test('a report whose stamp is found out to be wrong by later answers only is made again at once', () => {
    const jobs = named('own', 2);
    const made = world(jobs, {
      settings: settings({ jobs: new Map(jobs.map((job) => [job.name, job])) }),
    });
    for (const { name } of jobs) start(made, name);
    made.runUntil(21 * MINUTE_MS);
    made.sleep(200 * SECOND_MS);
    // What the agent before knew of the clock is outvoted by the second answer; the first was for the other task.
    expect(staleOfWrongClock(made)).toBeLessThan(5 * SECOND_MS);
  });
});
