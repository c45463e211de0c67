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
import type { Ledger } from './ledger.ts';
import { isOwed } from '../model/job.ts';
import type { Now } from '../lib/time.ts';

/** Compares the host with the state's, and sets aside what is another host's. Call before a planner is made. */
export function recogniseHost(ledger: Ledger, identity: HostIdentity, now: Now): void {
  const { facts } = ledger;
  const known = facts.hostIdentity ?? {};
  if (!isSameHost(known, identity)) becomeCopy(ledger, known, now);
  const merged = isSameHost(known, identity) ? { ...known, ...identity } : identity;
  if (JSON.stringify(merged) !== JSON.stringify(facts.hostIdentity ?? {})) {
    facts.hostIdentity = merged;
    ledger.keepFacts();
  }
  for (const run of [...ledger.runs.values()]) if (run.foreign === true) ledger.setRunAside(run);
  for (const task of [...ledger.hubTasks.values()]) {
    if (task.foreign === true) ledger.setHubTaskAside(task);
  }
}

/** The state is this host's after all. Returns what was set aside, for the planner to go on with. */
export function claimState(ledger: Ledger): { readonly runs: Run[]; readonly tasks: HubTask[] } {
  const { copiedFrom } = ledger.facts;
  if (copiedFrom?.taskRunnerId !== undefined) ledger.facts.taskRunnerId = copiedFrom.taskRunnerId;
  delete ledger.facts.copiedFrom;
  ledger.keepFacts();
  const runs = [...ledger.foreignRuns.values()];
  const tasks = [...ledger.foreignHubTasks.values()];
  for (const run of runs) {
    delete run.foreign;
    ledger.keepRun(run);
  }
  for (const task of tasks) {
    delete task.foreign;
    ledger.keepHubTask(task);
  }
  ledger.foreignRuns.clear();
  ledger.foreignHubTasks.clear();
  return { runs, tasks };
}

/** Hosts are the same where no part that is known of both differs: a part may be unreadable for one agent. */
export function isSameHost(a: HostIdentity, b: HostIdentity): boolean {
  return (['machine', 'hardware', 'instance'] as const).every(
    (part) => a[part] === undefined || b[part] === undefined || a[part] === b[part],
  );
}

function becomeCopy(ledger: Ledger, identity: HostIdentity, now: Now): void {
  const { facts } = ledger;
  const { taskRunnerId } = facts;
  facts.copiedFrom ??= { identity, ...(taskRunnerId === undefined ? {} : { taskRunnerId }) };
  delete facts.taskRunnerId;
  ledger.keepFacts();
  let withheld = 0;
  for (const run of ledger.runs.values()) {
    const isEnded = isFinal(run.state);
    const owes =
      run.hub?.delivery.state === 'pending' ||
      (run.pipeline !== undefined && isOwed(run.pipeline.delivery));
    if (isEnded && !owes) continue;
    run.foreign = true;
    withheld++;
    ledger.note({
      event: 'host.copied',
      at: now,
      job: run.job,
      run: run.id,
      fields: { state: run.state },
    });
  }
  for (const task of ledger.hubTasks.values()) task.foreign = true;
  ledger.note({ event: 'host.copied', at: now, fields: { withheld } });
}
