/**
 * A simulated day of a fleet that wants a part of a budget, or more than all of it, with failing calls, and the books of
 * the service at the end of it.
 *
 * A demand of 1 is the most that any scheduler could keep: every job promised the longest time, each promise renewed in
 * its last moment, every call that fails made once more, at the rate that the gate gives.
 */
import { isFinalStatus } from '../../src/core/model/hub-task.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import { HUB, definition, rates, settings } from '../support/settings.ts';
import { GATE_PART } from '../support/outside.ts';
import { World } from '../support/world.ts';

const FAILING = 0.1;
/** With 100,000 jobs five calls a second are about what such a promise needs. */
const NEXT_UPDATE_MAX_MS = 6 * HOUR_MS;

export interface Capacity {
  readonly jobs: number;
  readonly demand: number;
  readonly seed: number;
  readonly perSecond: number;
  readonly promised: number;
  readonly waiting: number;
  readonly medianPromiseS: number;
  readonly staleMs: number;
  readonly missed: number;
  readonly overLimit: number;
  readonly calls: number;
  readonly cpuS: number;
}

/** A simulated day of so many running jobs that are reported. */
export function simulateDay(jobs: number, demand: number, seed: number): Capacity {
  const names = Array.from({ length: jobs }, (_, i) => `job-${i}`);
  const perSecond = jobs / ((NEXT_UPDATE_MAX_MS / SECOND_MS) * GATE_PART * (1 - FAILING) * demand);
  const burst = Math.max(10, Math.ceil(perSecond * 2));
  const world = new World({
    seed,
    failing: FAILING,
    jobs: {
      durationMs: () => 100 * DAY_MS,
      exitCode: () => 0,
      progressEveryMs: 10 * DAY_MS,
    },
    settings: settings({
      migrationHub: { ...HUB, nextUpdateMaxMs: NEXT_UPDATE_MAX_MS },
      jobs: new Map(names.map((name) => [name, definition(name)])),
      rates: rates({
        ImportMigrationTask: { perSecond, burst },
        NotifyMigrationTaskState: { perSecond, burst },
      }),
    }),
  });
  let missed = 0;
  world.onNote = ({ event }) => {
    if (event === 'promise.broken') missed++;
  };
  world.keepNotes = false;
  const beganAt = process.cpuUsage();
  for (const job of names) world.post({ type: 'start-requested', job, origin: 'operator' });
  world.runUntil(DAY_MS);
  const { calls, overLimit, staleMs } = world.service.close();
  const cpu = process.cpuUsage(beganAt);
  const promises = [...world.state.hubTasks.values()].flatMap(({ promise }) =>
    promise === undefined || isFinalStatus(promise) ? [] : [promise.nextUpdateS],
  );
  promises.sort((a, b) => a - b);
  return {
    jobs,
    demand,
    seed,
    perSecond,
    promised: promises.length,
    waiting: jobs - promises.length,
    medianPromiseS: promises[promises.length >> 1] ?? 0,
    staleMs,
    missed,
    overLimit,
    calls,
    cpuS: (cpu.user + cpu.system) / 1e6,
  };
}
