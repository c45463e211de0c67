/**
 * Which host the state belongs to. If a virtual machine is copied, two agents have the same state and the same tasks. The
 * state therefore records the identity of its host. On another host all live runs and pending reports are set aside: not
 * adopted, not fenced, not reported, until an operator confirms that the state was moved (`migration-agent claim`). The
 * copy gets a task runner id and task names of its own, and goes on working.
 */
import { defined } from '../lib/defined.ts';
import type { HostIdentity } from '../model/host-identity.ts';
import { isFinal } from '../model/job.ts';
import type { Run } from '../model/job.ts';
import type { HubTask } from '../model/hub-task.ts';
import type { PersistentState } from './persistent-state.ts';
import { isPending } from '../model/job.ts';
import type { Now } from '../lib/time.ts';

/** Compares the host with the state's host, and sets aside what belongs to another. Call before a planner is made. */
export function recogniseHost(state: PersistentState, identity: HostIdentity, now: Now): void {
  const { metadata } = state;
  const known = metadata.hostIdentity ?? {};
  if (!isSameHost(known, identity)) becomeCopy(state, known, now);
  const merged = isSameHost(known, identity) ? { ...known, ...identity } : identity;
  if (JSON.stringify(merged) !== JSON.stringify(metadata.hostIdentity ?? {})) {
    metadata.hostIdentity = merged;
    state.saveMetadata();
  }
  for (const run of [...state.runs.values()]) if (run.copiedHost === true) state.setRunAside(run);
  for (const task of [...state.hubTasks.values()]) {
    if (task.copiedHost === true) state.setHubTaskAside(task);
  }
}

/** Takes the state over for this host. Returns what was set aside, for the planner to continue. */
export function claimState(state: PersistentState): {
  readonly runs: Run[];
  readonly tasks: HubTask[];
} {
  const { copiedFrom } = state.metadata;
  if (copiedFrom?.taskRunnerId !== undefined) state.metadata.taskRunnerId = copiedFrom.taskRunnerId;
  delete state.metadata.copiedFrom;
  state.saveMetadata();
  const runs = [...state.copiedHostRuns.values()];
  const tasks = [...state.copiedHostHubTasks.values()];
  for (const run of runs) {
    delete run.copiedHost;
    state.saveRun(run);
  }
  for (const task of tasks) {
    delete task.copiedHost;
    state.saveHubTask(task);
  }
  state.copiedHostRuns.clear();
  state.copiedHostHubTasks.clear();
  return { runs, tasks };
}

/** True if no part that is known of both hosts differs. A part may be unreadable for one agent. */
export function isSameHost(a: HostIdentity, b: HostIdentity): boolean {
  return (['machine', 'hardware', 'instance'] as const).every(
    (part) => a[part] === undefined || b[part] === undefined || a[part] === b[part],
  );
}

function becomeCopy(state: PersistentState, identity: HostIdentity, now: Now): void {
  const { metadata } = state;
  metadata.copiedFrom ??= { identity, ...defined({ taskRunnerId: metadata.taskRunnerId }) };
  delete metadata.taskRunnerId;
  state.saveMetadata();
  let withheld = 0;
  for (const run of state.runs.values()) {
    const isEnded = isFinal(run.state);
    const hasPendingReport =
      run.hub?.delivery.state === 'pending' ||
      (run.pipeline !== undefined && isPending(run.pipeline.delivery));
    if (isEnded && !hasPendingReport) continue;
    run.copiedHost = true;
    withheld++;
    state.addEvent({
      event: 'host.copied',
      at: now,
      job: run.job,
      run: run.id,
      fields: { state: run.state },
    });
  }
  for (const task of state.hubTasks.values()) task.copiedHost = true;
  state.addEvent({ event: 'host.copied', at: now, fields: { withheld } });
}
