/** Jobs for the benchmarks: each with a definition of its own, a Hub task, a percent and a line of detail. */
import type { JobDefinition } from '../../src/core/model/job.ts';
import { PersistentState } from '../../src/core/state/persistent-state.ts';
import { Planner } from '../../src/core/planner.ts';
import type { PipelineSettings, Settings } from '../../src/core/model/settings.ts';
import { HUB, HUB_JOB, PIPELINE, definition, rates, settings } from '../support/settings.ts';
import { Driver } from './planner-driver.ts';
import type { Turning } from './planner-driver.ts';

/** Budgets that never stand in the way: what is measured is the agent, not the waiting. */
const AMPLE = { perSecond: 1e6, burst: 1e6 };

export function ampleSettings(over: Partial<Settings> = {}): Settings {
  const operations = Object.keys(rates()).map((operation) => [operation, AMPLE]);
  return settings({
    hostname: 'bench-host',
    migrationHub: { ...HUB, region: 'eu-central-1', createStream: false },
    rates: Object.fromEntries(operations) as Settings['rates'],
    ...over,
  });
}

/** A worker group, and no place for a task of it: as if all places were taken. */
export const FULL_HOST: { readonly dataPipeline: PipelineSettings } = {
  dataPipeline: { ...PIPELINE, concurrency: 0 },
};

/** As `POST /v1/jobs` makes one: nothing in it is shared with another job. */
export function trackedDefinition(index: number): JobDefinition {
  const name = `migration-${index}`;
  const posted = definition(name, {
    command: ['rsync', '-a', `/srv/volume-${index}/`, `backup:/srv/volume-${index}/`],
    migrationHub: {
      ...HUB_JOB,
      resourceAttributes: [],
      sourceResources: [],
      artifacts: [],
    },
  });
  return JSON.parse(JSON.stringify(posted)) as JobDefinition;
}

/** A planner with so many live jobs, each imported and reported once, with nothing pending. Returned with its driver. */
export function driverWithJobs(
  jobs: number,
  over: Partial<Settings> = {},
): { readonly driver: Driver; readonly state: PersistentState } {
  const state = new PersistentState();
  const driver = new Driver(
    (now): Turning => new Planner(state, ampleSettings(over), now, () => 0.5),
  );
  for (let i = 0; i < jobs; i++) {
    driver.post({ type: 'job-submitted', definition: trackedDefinition(i) });
  }
  driver.settle();
  for (let i = 0; i < jobs; i++) {
    const run = `migration-${i}/1`;
    driver.post({ type: 'progress-read', run, percent: i % 99, detail: `copying volume ${i}` });
  }
  driver.settle();
  driver.deliver(jobs);
  driver.settle();
  return { driver, state };
}
