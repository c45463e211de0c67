/** What the scenarios of the promises share: a world with some jobs, tasks for it, and what its services received. */
import { expect } from 'vitest';
import type { Call, NotifyCall, PolledTask } from '../../../src/core/model/call.ts';
import type { HubTask } from '../../../src/core/model/hub-task.ts';
import type { JobDefinition, Run } from '../../../src/core/model/job.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import type { PipelineSettings } from '../../../src/core/model/settings.ts';
import { HOUR_MS, SECOND_MS } from '../../../src/core/lib/time.ts';
import { PIPELINE, definition, rates, settings } from '../../support/settings.ts';
import { World } from '../../support/world.ts';
import type { WorldOptions } from '../../support/world.ts';

export function world(jobs: readonly JobDefinition[], over: Partial<WorldOptions> = {}): World {
  const made = new World({
    seed: 1,
    failing: 0,
    jobs: { durationMs: () => 10 * HOUR_MS, exitCode: () => 0, progressEveryMs: 10 * SECOND_MS },
    settings: settings({
      jobs: new Map(jobs.map((job) => [job.name, job])),
      dataPipeline: {
        ...PIPELINE,
        activities: jobs.map((job) => ({ match: { name: job.name }, job: job.name })),
      },
    }),
    ...over,
  });
  made.calls = [];
  return made;
}

export function task(job: string, attempt = 1): PolledTask {
  const attemptId = `@${job}_1_Attempt=${attempt}`;
  const fields = [
    { key: '@componentParent', refValue: job },
    { key: '@instanceParent', refValue: `@${job}_1` },
  ];
  return {
    taskId: '',
    pipelineId: 'df-1',
    attemptId,
    objects: [{ id: attemptId, name: attemptId, fields }],
  };
}

export function start(made: World, job: string): void {
  made.post({ type: 'start-requested', job, origin: 'operator' });
}

export function operationsOf(made: World): string[] {
  return (made.calls ?? []).map(({ call }) => call.operation);
}

export function timesOf(made: World, operation: Call['operation']): number[] {
  return (made.calls ?? [])
    .filter(({ call }) => call.operation === operation)
    .map(({ atMs }) => atMs);
}

/** Reports to the Hub, each with the true time of its arrival. */
export function notifies(made: World): { readonly call: NotifyCall; readonly trueMs: number }[] {
  const shiftMs = made.time.trueMs() - made.time.now().bootMs;
  return (made.calls ?? []).flatMap(({ call, atMs }) =>
    call.operation === 'NotifyMigrationTaskState' ? [{ call, trueMs: atMs + shiftMs }] : [],
  );
}

export function largestGapMs(times: readonly number[]): number {
  return Math.max(...times.slice(1).map((at, i) => at - times[i]!));
}

/** A world with other settings of the pipeline side; each job is an activity of its own name. */
export function pipelineWorld(
  jobs: readonly JobDefinition[],
  pipeline: Partial<PipelineSettings>,
  over: Partial<WorldOptions> = {},
  limits: Parameters<typeof rates>[0] = {},
): World {
  return world(jobs, {
    settings: settings({
      jobs: new Map(jobs.map((job) => [job.name, job])),
      rates: rates(limits),
      dataPipeline: {
        ...PIPELINE,
        activities: jobs.map((job) => ({ match: { name: job.name }, job: job.name })),
        ...pipeline,
      },
    }),
    ...over,
  });
}

/** A disk that holds exactly what was committed: what `crash` leaves is all that the next agent has. */
export function withDisk(made: World): { crash(meanwhile?: () => void): void } {
  const runs = new Map<string, Run>();
  const hubTasks = new Map<string, HubTask>();
  let facts = structuredClone(made.state.metadata);
  const tap = (): void => {
    const { planner } = made;
    const takeChanges = planner.takeChanges.bind(planner);
    planner.takeChanges = (now) => {
      const changes = takeChanges(now);
      for (const run of changes.runs) runs.set(run.id, structuredClone(run));
      for (const id of changes.droppedRuns) runs.delete(id);
      for (const task of changes.hubTasks) hubTasks.set(task.name, structuredClone(task));
      for (const name of changes.droppedHubTasks) hubTasks.delete(name);
      if (changes.metadata !== undefined) facts = structuredClone(changes.metadata);
      return changes;
    };
  };
  tap();
  return {
    crash(meanwhile = () => undefined) {
      made.state = new PersistentState();
      for (const run of runs.values()) made.state.recoverRun(run);
      for (const task of hubTasks.values()) made.state.recoverHubTask(task);
      made.state.metadata = facts;
      meanwhile();
      made.crash();
      tap();
    },
  };
}

/** A job that only the pipeline hears of: no report to the Hub puts its run onto the disk by the way. */
export function withoutHub(name: string): JobDefinition {
  const { migrationHub, ...rest } = definition(name);
  expect(migrationHub).toBeDefined();
  return rest;
}

export const SILENT = {
  durationMs: () => 10 * HOUR_MS,
  exitCode: () => 0,
  progressEveryMs: 100 * HOUR_MS,
};
