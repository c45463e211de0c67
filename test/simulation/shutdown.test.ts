/** A planned stop in virtual time, checked by a service model that knows nothing of the planner. */
import { describe, expect, test } from 'vitest';
import type { NotifyCall, PolledTask } from '../../src/core/model/call.ts';
import { SHUTDOWN_MS_MAX } from '../../src/core/state/shutdown.ts';
import type { JobDefinition } from '../../src/core/model/job.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import { PIPELINE, definition, rates, settings } from '../support/settings.ts';
import { World } from '../support/world.ts';
import type { WorldOptions } from '../support/world.ts';

const names = (count: number) => Array.from({ length: count }, (_, i) => `copy-${i + 1}`);

function world(
  jobs: readonly JobDefinition[],
  over: Partial<WorldOptions> & { limits?: Parameters<typeof rates>[0] } = {},
): World {
  const made = new World({
    seed: 1,
    failing: 0,
    jobs: { durationMs: () => 10 * HOUR_MS, exitCode: () => 0, progressEveryMs: 100 * HOUR_MS },
    settings: settings({
      jobs: new Map(jobs.map((job) => [job.name, job])),
      dataPipeline: {
        ...PIPELINE,
        activities: jobs.map((job) => ({ match: { name: job.name }, job: job.name })),
      },
      ...(over.limits === undefined ? {} : { rates: rates(over.limits) }),
    }),
    ...over,
  });
  made.calls = [];
  return made;
}

function running(count: number, over: Parameters<typeof world>[1] = {}): World {
  const made = world(
    names(count).map((name) => definition(name)),
    over,
  );
  for (const job of names(count)) made.post({ type: 'start-requested', job, origin: 'operator' });
  made.runUntil(10 * MINUTE_MS);
  made.calls = [];
  return made;
}

/** Asks for a stop and turns the loop until the agent ends; how long that took. */
function stop(made: World): number {
  const askedMs = made.time.now().bootMs;
  made.post({ type: 'stop-requested' });
  while (made.exits.length === 0) made.runUntil(made.time.now().bootMs + 10);
  return made.time.now().bootMs - askedMs;
}

function task(job: string): PolledTask {
  const attemptId = `@${job}_1_Attempt=1`;
  const fields = [
    { key: '@componentParent', refValue: job },
    { key: '@instanceParent', refValue: `@${job}_1` },
  ];
  const objects = [{ id: attemptId, name: attemptId, fields }];
  return { taskId: '', pipelineId: 'df-1', attemptId, objects };
}

function notifies(made: World): readonly NotifyCall[] {
  return (made.calls ?? []).flatMap(({ call }) =>
    call.operation === 'NotifyMigrationTaskState' ? [call] : [],
  );
}

function staleIn(made: World): number {
  const now = made.time.now();
  return Math.min(
    ...[...made.state.hubTasks.values()].map(({ promise }) => promise!.until.bootMs - now.bootMs),
  );
}

describe('a planned stop', () => {
  test('leaves every live task the longest promise, within a moment', () => {
    const made = running(5);
    expect(staleIn(made)).toBeLessThan(5 * MINUTE_MS);
    expect(stop(made)).toBeLessThan(SECOND_MS);
    expect(made.exits[0]).toBe(0);
    expect(notifies(made).map(({ nextUpdateS }) => nextUpdateS)).toEqual(Array(5).fill(3600));
    expect(staleIn(made)).toBeGreaterThan(59 * MINUTE_MS);
  });

  test('reports each once, also if its state has just changed', () => {
    const made = running(3);
    made.post({ type: 'progress-read', run: 'copy-1/1', percent: 40 });
    stop(made);
    expect(notifies(made).map((call) => [call.task, call.percent])).toEqual(
      expect.arrayContaining([
        ['copy-1', 40],
        ['copy-2', undefined],
        ['copy-3', undefined],
      ]),
    );
    expect(notifies(made)).toHaveLength(3);
  });

  test('keeps to the budget: the nearest promises go first, and the others stay unchanged', () => {
    const made = running(30, {
      limits: { NotifyMigrationTaskState: { perSecond: 1, burst: 5 } },
    });
    const nearest = [...made.state.hubTasks.values()]
      .toSorted((a, b) => a.promise!.until.bootMs - b.promise!.until.bootMs)
      .map(({ name }) => name);
    expect(stop(made)).toBeLessThanOrEqual(SHUTDOWN_MS_MAX + 10);
    const reported = notifies(made).map(({ task }) => task);
    expect(reported.length).toBeGreaterThan(3);
    expect(reported.length).toBeLessThanOrEqual(5 + SHUTDOWN_MS_MAX / SECOND_MS);
    // Calls that go out together arrive in any order.
    expect(reported.toSorted()).toEqual(nearest.slice(0, reported.length).toSorted());
  });

  test('is not held up by an outage: one try each, and then it is over', () => {
    const made = running(3, { isOut: (_call, bootMs) => bootMs >= 10 * MINUTE_MS });
    expect(stop(made)).toBeLessThan(SHUTDOWN_MS_MAX);
    expect(made.exits[0]).toBe(0);
  });

  test('begins the window of a pipeline task anew, and takes no more of them', () => {
    const made = world([definition('copy-1')]);
    made.service.offer(task('copy-1'));
    made.runUntil(90 * SECOND_MS);
    made.calls = [];
    stop(made);
    const operations = made.calls.map(({ call }) => call.operation);
    expect(operations.filter((one) => one === 'ReportTaskProgress')).toHaveLength(1);
    expect(operations).not.toContain('PollForTask');
    const { pipeline } = made.state.runs.get('copy-1/1')!;
    expect(made.time.now().bootMs - pipeline!.acceptedAt!.bootMs).toBeLessThan(SECOND_MS);
  });

  test('sends the final reports that are ready', () => {
    const made = running(2);
    made.post({ type: 'run-exited', run: 'copy-2/1', exitCode: 3 });
    stop(made);
    expect(notifies(made).map(({ task, status }) => [task, status])).toContainEqual([
      'copy-2',
      'FAILED',
    ]);
    expect(made.state.runs.get('copy-2/1')?.hub?.delivery.state).toBe('delivered');
  });

  test('is undone by the next agent: promises are as short again as they were', () => {
    const made = running(3);
    stop(made);
    made.crash();
    made.calls = [];
    made.runUntil(made.time.now().bootMs + MINUTE_MS);
    expect(notifies(made).map(({ nextUpdateS }) => nextUpdateS)).toEqual([300, 300, 300]);
  });
});
