/**
 * The planner through simulated days: many jobs, failing calls, outages, crashes. Every seed must keep every
 * promise. `npm run test:long` takes three seeds, `npm run test:simulation` the long form (30 days).
 *
 *   SEED=7 DAYS=30 JOBS=200 npx vitest run test/simulation/planner.test.ts
 */
import { expect, test } from 'vitest';
import type { PolledTask } from '../../src/core/model/call.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/core/lib/time.ts';
import { PIPELINE, definition, settings } from '../support/settings.ts';
import { createRandom } from '../../src/system/random.ts';
import { IS_LONG } from '../support/long-run.ts';
import { World } from '../support/world.ts';

const DAYS = Number(process.env['DAYS'] ?? (IS_LONG ? 0.5 : 0.12));
const JOBS = Number(process.env['JOBS'] ?? 200);
const FAILING = Number(process.env['FAILING'] ?? 0.2);
const { SEED } = process.env;
const ALL_SEEDS = SEED === undefined ? [1, 2, 3] : [Number(SEED)];
/** Of the short run: the seeds prove the same, and one of each kind of day is enough to notice what broke. */
const [DAY_SEEDS, CRASH_SEEDS] =
  IS_LONG || SEED !== undefined ? [ALL_SEEDS, ALL_SEEDS] : [[3], [2]];
const CRASHES = IS_LONG ? 200 : 50;
/** A quarter of the jobs work for pipeline tasks. */
const PIPELINE_PART = 1 / 4;

function populate(seed: number): World {
  const pipelineJobs = Math.round(JOBS * PIPELINE_PART);
  const jobs = new Map(
    Array.from({ length: JOBS }, (_, i) => [`job-${i}`, definition(`job-${i}`)] as const),
  );
  const random = createRandom(seed + 1000);
  const world = new World({
    seed,
    failing: FAILING,
    settings: settings({
      jobs,
      dataPipeline: {
        ...PIPELINE,
        concurrency: pipelineJobs,
        activities: [...jobs.keys()].map((job) => ({ match: { name: job }, job })),
      },
    }),
    jobs: {
      durationMs: () => HOUR_MS * (0.5 + random() * 20),
      exitCode: () => (random() < 0.1 ? 1 : 0),
      progressEveryMs: 5 * MINUTE_MS,
    },
  });
  world.keepNotes = false;
  let offered = 0;
  const offer = (job: string): void => world.service.offer(polledTask(job, ++offered));
  world.onEnded = (run) => {
    // The next one begins some minutes later, so that there are always about as many.
    world.time.in(world.random() * 30 * MINUTE_MS, () => {
      if (run.origin === 'pipeline') offer(run.job);
      else world.post({ type: 'start-requested', job: run.job, origin: 'operator' });
    });
  };
  for (let i = 0; i < JOBS; i++) {
    const job = `job-${i}`;
    world.time.in(world.random() * 10 * MINUTE_MS, () => {
      if (i < pipelineJobs) offer(job);
      else world.post({ type: 'start-requested', job, origin: 'operator' });
    });
  }
  return world;
}

function polledTask(job: string, number: number): PolledTask {
  const instance = `@${job}_${number}`;
  const attemptId = `${instance}_Attempt=1`;
  return {
    taskId: '',
    pipelineId: 'df-1',
    attemptId,
    objects: [
      {
        id: attemptId,
        name: attemptId,
        fields: [
          { key: '@componentParent', refValue: job },
          { key: '@instanceParent', refValue: instance },
          { key: 'type', stringValue: 'ShellCommandActivity' },
        ],
      },
    ],
  };
}

const CLEAN = {
  staleMs: 0,
  lapses: 0,
  unclaimed: 0,
  overLimit: 0,
  afterFinal: 0,
  stampsNotRising: 0,
  percentFell: 0,
  statusAfterCancel: 0,
  findings: [],
};

test.each(DAY_SEEDS)(
  `${DAYS} days, ${JOBS} jobs, ${FAILING * 100} % failing calls: every promise is kept (seed %i)`,
  (seed) => {
    const world = populate(seed);
    const beganAt = process.cpuUsage();
    world.runUntil(DAYS * DAY_MS);
    const books = world.service.close();
    const cpu = process.cpuUsage(beganAt);
    process.stdout.write(
      `seed ${seed}: ${books.calls} calls, ${world.turns} turns, ${((cpu.user + cpu.system) / 1e6).toFixed(1)} s of CPU\n`,
    );
    expect(books).toMatchObject(CLEAN);
    expect(world.running()).toBeGreaterThan(JOBS * 0.8);
    expect(books.finals.size).toBeGreaterThan(0);
  },
  3_600_000,
);

test.each(CRASH_SEEDS)(
  'crashes at any turn lose no final report and start nothing twice (seed %i)',
  (seed) => {
    const world = populate(seed);
    for (let i = 0; i < CRASHES; i++) {
      world.runUntil(world.time.now().bootMs + world.random() * 5 * MINUTE_MS);
      world.crash();
    }
    world.runUntil(world.time.now().bootMs + HOUR_MS);
    const { findings, ...books } = world.service.close();
    expect(findings).toEqual([]);
    expect(books).toMatchObject({ lapses: 0, afterFinal: 0, overLimit: 0, stampsNotRising: 0 });
  },
  120_000,
);
