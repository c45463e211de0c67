/**
 * Whose state this is. A copied machine wakes with the state of another: two agents, one task. The state remembers on
 * which host it was made; on another one everything that lives or is owed there is set aside: not adopted, not fenced,
 * not told, until an operator says that the state was moved (`migration-agent claim`). The copy has a task runner id and
 * task names of its own, and works on.
 */
import type { HostIdentity } from '../model/host-identity.ts';
import { isFinal } from '../model/job.ts';
import type { Run } from '../model/job.ts';
import type { HubTask } from '../model/hub-task.ts';
import type { PersistentState } from './persistent-state.ts';
import { isPending } from '../model/job.ts';
import type { Now } from '../lib/time.ts';

/** Compares the host with the state's, and sets aside what is another host's. Call before a planner is made. */
export function recogniseHost(ledger: PersistentState, identity: HostIdentity, now: Now): void {
  const { metadata: facts } = ledger;
  const known = facts.hostIdentity ?? {};
  if (!isSameHost(known, identity)) becomeCopy(ledger, known, now);
  const merged = isSameHost(known, identity) ? { ...known, ...identity } : identity;
  if (JSON.stringify(merged) !== JSON.stringify(facts.hostIdentity ?? {})) {
    facts.hostIdentity = merged;
    ledger.saveMetadata();
  }
  for (const run of [...ledger.runs.values()]) if (run.copiedHost === true) ledger.setRunAside(run);
  for (const task of [...ledger.hubTasks.values()]) {
    if (task.copiedHost === true) ledger.setHubTaskAside(task);
  }
}

/** The state is this host's after all. Returns what was set aside, for the planner to go on with. */
export function claimState(ledger: PersistentState): {
  readonly runs: Run[];
  readonly tasks: HubTask[];
} {
  const { copiedFrom } = ledger.metadata;
  if (copiedFrom?.taskRunnerId !== undefined)
    ledger.metadata.taskRunnerId = copiedFrom.taskRunnerId;
  delete ledger.metadata.copiedFrom;
  ledger.saveMetadata();
  const runs = [...ledger.copiedHostRuns.values()];
  const tasks = [...ledger.copiedHostHubTasks.values()];
  for (const run of runs) {
    delete run.copiedHost;
    ledger.saveRun(run);
  }
  for (const task of tasks) {
    delete task.copiedHost;
    ledger.saveHubTask(task);
  }
  ledger.copiedHostRuns.clear();
  ledger.copiedHostHubTasks.clear();
  return { runs, tasks };
}

/** Hosts are the same where no part that is known of both differs: a part may be unreadable for one agent. */
export function isSameHost(a: HostIdentity, b: HostIdentity): boolean {
  return (['machine', 'hardware', 'instance'] as const).every(
    (part) => a[part] === undefined || b[part] === undefined || a[part] === b[part],
  );
}

function becomeCopy(ledger: PersistentState, identity: HostIdentity, now: Now): void {
  const { metadata: facts } = ledger;
  const { taskRunnerId } = facts;
  facts.copiedFrom ??= { identity, ...(taskRunnerId === undefined ? {} : { taskRunnerId }) };
  delete facts.taskRunnerId;
  ledger.saveMetadata();
  let withheld = 0;
  for (const run of ledger.runs.values()) {
    const isEnded = isFinal(run.state);
    const owes =
      run.hub?.delivery.state === 'pending' ||
      (run.pipeline !== undefined && isPending(run.pipeline.delivery));
    if (isEnded && !owes) continue;
    run.copiedHost = true;
    withheld++;
    ledger.addEvent({
      event: 'host.copied',
      at: now,
      job: run.job,
      run: run.id,
      fields: { state: run.state },
    });
  }
  for (const task of ledger.hubTasks.values()) task.copiedHost = true;
  ledger.addEvent({ event: 'host.copied', at: now, fields: { withheld } });
}
