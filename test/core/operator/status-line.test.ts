/** The line of `systemctl status`, as the planner's state makes it. */
import { expect, test } from 'vitest';
import { after } from '../../../src/core/lib/time.ts';
import { problems } from '../../../src/core/operator/health.ts';
import { statusLine } from '../../../src/core/operator/status-line.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../src/core/lib/time.ts';
import { definition, settings } from '../../support/settings.ts';
import { Desk, accepted, aRun } from '../../support/desk.ts';
import { World } from '../../support/world.ts';

test('shows health, what runs, the nearest deadline and what is pending', () => {
  const jobs = ['a', 'b', 'c'].map((name) => definition(name));
  const world = new World({
    seed: 1,
    failing: 0,
    jobs: { durationMs: () => 10 * HOUR_MS, exitCode: () => 0, progressEveryMs: 100 * HOUR_MS },
    settings: settings({ jobs: new Map(jobs.map((job) => [job.name, job])) }),
    isOut: (_call, bootMs) => bootMs > 20 * MINUTE_MS,
  });
  const line = () => {
    const now = world.time.now();
    return statusLine(world.planner.view(), problems(world.planner.view(), now), now);
  };
  expect(line()).toBe('healthy; 0 running, outbox 0');

  for (const job of ['a', 'b', 'c']) {
    world.post({ type: 'start-requested', job, origin: 'operator' });
  }
  world.runUntil(10 * SECOND_MS);
  expect(line()).toMatch(/^healthy; 3 running, nearest deadline 4:[45]\d, outbox 0$/);

  // An outage: a job's end waits, and promises run out.
  world.runUntil(21 * MINUTE_MS);
  world.post({ type: 'run-exited', run: 'a/1', exitCode: 0 });
  world.post({ type: 'drain-requested' });
  world.runUntil(21 * MINUTE_MS + SECOND_MS);
  expect(line()).toMatch(
    /^degraded: .*; 2 running, nearest deadline [0-4]:\d\d, outbox 1, draining$/,
  );
  world.runUntil(30 * MINUTE_MS);
  world.post({ type: 'stop-requested' });
  world.runUntil(30 * MINUTE_MS + SECOND_MS);
  expect(line()).toMatch(
    /^degraded: NotifyMigrationTaskState fails: .* \(and 1 more\); 2 running, nearest deadline over, outbox 1, draining, stopping$/,
  );
});

test('runs are counted by their state, those that run always', () => {
  const desk = new Desk({ answers: () => undefined });
  const { runs } = desk.planner.view();
  const states = ['starting', 'starting', 'queued', 'canceling'] as const;
  for (const [number, state] of states.entries()) {
    const run = aRun({ job: `job${number}`, state });
    runs.add(run);
    desk.state.saveRun(run);
  }
  expect(statusLine(desk.planner.view(), [], desk.now)).toBe(
    'healthy; 0 running, 2 starting, 1 canceling, 1 queued, outbox 0',
  );
});

test.each([
  [1, '0:00'],
  [59_999, '0:59'],
  [60_000, '1:00'],
  [599_000, '9:59'],
  [3_599_999, '59:59'],
  [3_600_000, '1:00:00'],
  [3_661_000, '1:01:01'],
  [36_000_000, '10:00:00'],
  [0, 'over'],
  [-1, 'over'],
])('a deadline in %i ms is shown as %s', (ms, shown) => {
  const desk = new Desk({ jobs: [definition('copy')], answers: accepted });
  desk.start('copy');
  const task = desk.task('copy');
  Object.assign(task, { promise: { ...task.promise, until: after(desk.now, ms) } });
  expect(statusLine(desk.planner.view(), ['x'], desk.now)).toBe(
    `degraded: x; 1 running, nearest deadline ${shown}, outbox 0`,
  );
});
