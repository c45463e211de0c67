/** The state depends on what is live and on `keepRuns`, not on the past. */
import { expect, test } from 'vitest';
import { snapshot } from '../../src/core/operator/status-document.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/core/lib/time.ts';
import type { Call } from '../../src/core/model/call.ts';
import { definition, settings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const KEEP_MS = 6 * HOUR_MS;

function world(isOut: (call: Call, ms: number) => boolean = () => false): World {
  return new World({
    seed: 1,
    failing: 0,
    jobs: {
      durationMs: (run) => (run.job === 'long' ? 10 * DAY_MS : 5 * MINUTE_MS),
      exitCode: () => 0,
      progressEveryMs: HOUR_MS,
    },
    settings: settings({
      keepRunsMs: KEEP_MS,
      jobs: new Map([['configured', definition('configured')]]),
      rates: {
        ...settings().rates,
        NotifyMigrationTaskState: { perSecond: 50, burst: 100 },
        ImportMigrationTask: { perSecond: 50, burst: 100 },
      },
    }),
    isOut,
  });
}

function submit(made: World, name: string): void {
  made.post({ type: 'job-submitted', definition: definition(name) });
}

test('P12 ended runs of names that the configuration lacks go after keepRuns, all of them within a minute', () => {
  const made = world();
  made.post({ type: 'start-requested', job: 'configured', origin: 'operator' });
  submit(made, 'long');
  made.runUntil(HOUR_MS);
  for (let i = 0; i < 500; i++) submit(made, `once-${i}`);
  made.runUntil(2 * HOUR_MS);
  const endedLatestMs = Math.max(
    ...[...made.state.runs.values()].map((run) => run.endedAt?.bootMs ?? 0),
  );
  expect(made.state.runs.size).toBe(502);
  expect(made.state.hubTasks.size).toBe(502);

  made.runUntil(HOUR_MS + KEEP_MS);
  expect(made.state.runs.size).toBe(502);

  made.runUntil(endedLatestMs + KEEP_MS + MINUTE_MS);
  expect([...made.state.runs.keys()]).toEqual(['configured/1', 'long/1']);
  expect([...made.state.hubTasks.keys()].sort()).toEqual(['configured', 'long']);
  const facts = { version: '0', pid: 1, startedAt: made.time.now(), problems: [] };
  const { jobs } = snapshot(made.planner.view(), facts, made.time.now());
  expect(jobs.map(({ name }) => name)).toEqual(['configured', 'long']);

  // The next agent finds nothing of them either.
  made.crash();
  expect(made.state.runs.size).toBe(2);
});

test('a run of which something is pending stays until it was delivered', () => {
  const made = world((call, ms) => 'task' in call && call.task === 'late' && ms < DAY_MS);
  submit(made, 'late');
  submit(made, 'prompt');
  made.runUntil(20 * HOUR_MS);
  expect([...made.state.runs.keys()]).toEqual(['late/1']);
  made.runUntil(DAY_MS + 2 * HOUR_MS);
  expect(made.state.runs.size).toBe(0);
  expect(made.state.hubTasks.size).toBe(0);
  expect(made.service.lastNotify('late')?.status).toBe('COMPLETED');
});

test('a host that starts with its clock a century ahead forgets nothing', () => {
  const made = world();
  submit(made, 'once');
  made.runUntil(HOUR_MS);
  made.time.stepWall(36_500 * DAY_MS);
  made.crash();
  made.runUntil(3 * HOUR_MS);
  expect(made.state.runs.size).toBe(1);
});

test('a host that starts 30 years ahead forgets nothing before a service has shown the time, and later only what is old', () => {
  const made = world();
  submit(made, 'once');
  made.runUntil(HOUR_MS);
  made.time.stepWall(30 * 365 * DAY_MS);
  // As after a reboot into that clock: the offset that an earlier agent knew no longer fits.
  delete made.state.metadata.clock;
  made.state.metadata.clock = { offsetMs: 0, at: made.time.now() };
  for (const run of made.state.runs.values()) {
    run.endedAt = { wallMs: run.endedAt?.wallMs ?? 0, bootMs: -30 * 365 * DAY_MS };
  }
  made.crash();
  made.runUntil(3 * HOUR_MS);
  expect([...made.state.runs.keys()]).toEqual(['once/1']);
  // The answers to the reports of another run show the time.
  submit(made, 'more');
  made.runUntil(4 * HOUR_MS);
  expect([...made.state.runs.keys()]).toEqual(['once/1', 'more/1']);
  made.runUntil(3 * HOUR_MS + KEEP_MS);
  expect([...made.state.runs.keys()]).toEqual(['more/1']);
});
