/** What keeps the agent from doing its work, one sentence each. An empty list is what `status` calls healthy. */
import type { Now } from '../lib/time.ts';
import type { PlannerView } from './planner-view.ts';

/** Failures in a row before an operation is a problem. */
const FAILURES_MIN = 3;

export function problems(view: PlannerView, now: Now): string[] {
  return [
    ...failingOperations(view),
    ...hubProblems(view, now),
    ...copiedHost(view),
    ...quarantined(view),
    ...waiting(view),
    ...stale(view, now),
  ];
}

function failingOperations({ pacing }: PlannerView): string[] {
  return [...pacing.all()].flatMap(([operation, { problems: failures, because }]) =>
    failures >= FAILURES_MIN && because !== undefined ? [`${operation} fails: ${because}`] : [],
  );
}

function hubProblems({ hub }: PlannerView, now: Now): string[] {
  const disabled = [...hub.disabled]
    .filter(([, { untilMs }]) => untilMs > now.bootMs)
    .map(([operation, { reason }]) => `${operation} is not called, a policy is missing: ${reason}`);
  return hub.obstacle === undefined ? disabled : [hub.obstacle, ...disabled];
}

function copiedHost({ state: { copiedHostRuns } }: PlannerView): string[] {
  if (copiedHostRuns.size === 0) return [];
  return [
    `this state was copied from another host: ${copiedHostRuns.size} of its runs are withheld; if it was moved here, migration-agent claim; else see "A copied host" in the README`,
  ];
}

/** Reports that wait until an operator retries or drops them. */
function quarantined({ state }: PlannerView): string[] {
  let count = 0;
  for (const task of state.hubTasks.values()) count += task.quarantine?.length ?? 0;
  for (const { pipeline } of state.runs.values()) {
    if (pipeline?.delivery.state === 'refused' && pipeline.delivery.isRetained === true) count++;
  }
  return count === 0 ? [] : [`${count} reports were refused for good: see migration-agent outbox`];
}

function waiting({ promises }: PlannerView): string[] {
  if (promises.waiting === 0) return [];
  return [
    `the budget of NotifyMigrationTaskState keeps ${promises.promised} promises; ${promises.waiting} jobs wait unreported`,
  ];
}

function stale({ state }: PlannerView, now: Now): string[] {
  return [...state.liveRuns.values()].flatMap((run) => {
    const promise = state.hubTasks.get(run.hub?.task ?? '')?.promise;
    const isStale = promise?.run === run.id && promise.until.bootMs < now.bootMs;
    return isStale ? [`${run.job} is stale in Migration Hub`] : [];
  });
}
