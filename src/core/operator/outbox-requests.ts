/** What an operator does with the outbox: retry or drop. Both are on disk before they have an effect. */
import type { HubConnection } from '../hub/connection.ts';
import type { HubTaskReporters } from '../hub/task-reporters.ts';
import type { Now } from '../lib/time.ts';
import type { Reply } from '../model/action.ts';
import type { Event } from '../model/event.ts';
import { isFinalStatus } from '../model/hub-task.ts';
import type { FinalReport, HubTask, Quarantined } from '../model/hub-task.ts';
import type { Delivery, Run } from '../model/job.ts';
import type { DestinationName, OutboxChoice } from '../model/outbox.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { Pacing } from '../scheduling/pacing.ts';
import { pipelineTaskKey } from '../scheduling/reporter-keys.ts';
import type { Reporters } from '../scheduling/reporters.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { RunIndex } from '../state/run-index.ts';
import type { Timeline } from '../state/timeline.ts';

interface Parts {
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
  readonly pacing: Pacing;
  readonly hub: HubConnection;
  readonly hubTasks: HubTaskReporters;
  readonly reporters: Reporters;
  readonly timeline: Timeline;
  readonly index: RunIndex;
}

export class OutboxRequests {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  request({ action, by, choice }: Extract<Event, { type: 'outbox-requested' }>, now: Now): Reply {
    const unknown = this.#unknownJob(choice);
    if (unknown !== undefined) return unknown;
    return action === 'retry' ? this.#retry(choice, now) : this.#drop(choice, by, now);
  }

  /** Tries again now what is pending, and what is quarantined once more, whole. */
  #retry(choice: OutboxChoice, now: Now): Reply {
    const { hub, hubTasks, pacing, reporters, state } = this.#parts;
    let tried = 0;
    let overtaken = 0;
    for (const task of this.#hubTasks(choice)) {
      const { again, late } = split(task, this.#chosen(task, choice));
      for (const refused of again) this.#requeue(task, refused);
      overtaken += late.length;
      state.saveHubTask(task);
      hubTasks.retry(task);
      tried += task.finalReports.length + task.links.length;
    }
    for (const run of this.#pipelineRuns(choice)) {
      if (run.pipeline?.delivery.state === 'refused') run.pipeline.delivery = { state: 'pending' };
      const key = pipelineTaskKey(run.id);
      reporters.get(key)?.retry?.();
      reporters.touch(key);
      state.saveRun(run);
      tried++;
    }
    // The operator has probably removed a cause. A pause that the service itself asked for (throttling) stays.
    for (const failure of ['unavailable', 'denied', 'no-home-region'] as const) {
      pacing.recovered(failure, now.bootMs);
    }
    hub.enableAll();
    const late =
      overtaken === 0
        ? ''
        : `; ${overtaken} cannot be sent any more, for later ones have been: outbox drop discards them`;
    const verb = tried === 1 ? 'is' : 'are';
    return { ok: true, message: `${count(tried)} ${verb} tried now${late}` };
  }

  /** Discards pending reports of a job's ended runs; without a job only what is quarantined. */
  #drop(choice: OutboxChoice, by: string, now: Now): Reply {
    const { reporters, state } = this.#parts;
    let dropped = 0;
    for (const task of this.#hubTasks(choice)) dropped += this.#dropHub(task, choice, by, now);
    for (const run of this.#pipelineRuns(choice)) {
      if (run.pipeline === undefined) continue;
      if (choice.job === undefined && run.pipeline.delivery.state !== 'refused') continue;
      run.pipeline.delivery = droppedBy(by);
      this.#addEvent(run, 'dataPipeline', 'SetTaskStatus', by, now);
      reporters.touch(pipelineTaskKey(run.id));
      state.saveRun(run);
      dropped++;
    }
    return { ok: true, message: `${count(dropped)} dropped` };
  }

  #dropHub(task: HubTask, choice: OutboxChoice, by: string, now: Now): number {
    const { hubTasks, state } = this.#parts;
    const refused = this.#chosen(task, choice);
    const isNamed = choice.job !== undefined;
    const reports = isNamed ? task.finalReports.filter(({ run }) => this.#isOf(run, choice)) : [];
    const owner = ownerOf(task);
    const links = isNamed && this.#isOf(owner, choice) ? task.links : [];
    const dropped = refused.length + reports.length + links.length;
    if (dropped === 0) return 0;
    setQuarantine(
      task,
      (task.quarantine ?? []).filter((one) => !refused.includes(one)),
    );
    task.finalReports = task.finalReports.filter((report) => !reports.includes(report));
    if (links.length > 0) task.links = [];
    for (const { run: id, kind } of [
      ...reports,
      ...refused.flatMap(({ report }) => report ?? []),
    ]) {
      const run = state.runs.get(id);
      if (run?.hub !== undefined && kind === 'end') run.hub.delivery = droppedBy(by);
      if (run !== undefined) state.saveRun(run);
      this.#addEvent(run, 'migrationHub', 'NotifyMigrationTaskState', by, now);
    }
    const ofRuns = [
      ...links.map((link) => ({ link, run: owner })),
      ...refused.map(({ link, run }) => ({ link, run })),
    ];
    for (const { link, run } of ofRuns) {
      if (link === undefined) continue;
      this.#addEvent(state.runs.get(run ?? ''), 'migrationHub', link.operation, by, now);
    }
    state.saveHubTask(task);
    hubTasks.retry(task);
    return dropped;
  }

  /** Back into the line of its task, in the order of time. */
  #requeue(task: HubTask, refused: Quarantined): void {
    const { link, report } = refused;
    setQuarantine(
      task,
      (task.quarantine ?? []).filter((one) => one !== refused),
    );
    if (link !== undefined) task.links.push(link);
    if (report === undefined) return;
    task.finalReports = [...task.finalReports, report].sort((a, b) => a.stampS - b.stampS);
    const run = this.#parts.state.runs.get(report.run);
    if (run?.hub === undefined || report.kind !== 'end') return;
    run.hub.delivery = { state: 'pending' };
    this.#parts.state.saveRun(run);
  }

  /** Tasks that have something to do with the choice. */
  *#hubTasks(choice: OutboxChoice): Iterable<HubTask> {
    if (choice.destination === 'dataPipeline') return;
    for (const task of this.#parts.state.hubTasks.values()) {
      const runs = [
        ...task.finalReports.map(({ run }) => run),
        ...(task.quarantine ?? []).map(({ run }) => run),
        ...(task.links.length > 0 || task.run !== undefined ? [ownerOf(task)] : []),
      ];
      if (runs.some((run) => this.#isOf(run, choice))) yield task;
    }
  }

  *#pipelineRuns(choice: OutboxChoice): Iterable<Run> {
    if (choice.destination === 'migrationHub') return;
    for (const run of [...this.#parts.state.outboxRuns]) {
      if (this.#isOf(run.id, choice)) yield run;
    }
  }

  #chosen(task: HubTask, choice: OutboxChoice): Quarantined[] {
    return (task.quarantine ?? []).filter((one) => this.#isOf(one.run, choice));
  }

  #isOf(run: string | undefined, { job }: OutboxChoice): boolean {
    return job === undefined || this.#parts.state.runs.get(run ?? '')?.job === job;
  }

  #unknownJob({ job }: OutboxChoice): Reply | undefined {
    if (job === undefined || this.#parts.index.of(job).length > 0) return undefined;
    if (this.#parts.settings.current.jobs.has(job)) return undefined;
    return { ok: false, code: 'no-such-job', message: `there is no job "${job}"` };
  }

  #addEvent(
    run: Run | undefined,
    to: DestinationName,
    operation: string,
    by: string,
    now: Now,
  ): void {
    this.#parts.timeline.add('report.dropped', now, { to, operation, by }, run);
  }
}

/** A refused report that later ones have overtaken must not be sent after them: it would undo what they reported. */
function split(
  task: HubTask,
  refused: readonly Quarantined[],
): { readonly again: Quarantined[]; readonly late: Quarantined[] } {
  const isLate = ({ report, at }: Quarantined): boolean =>
    report !== undefined && isOvertaken(task, report, at.bootMs);
  return { again: refused.filter((one) => !isLate(one)), late: refused.filter(isLate) };
}

function isOvertaken({ promise }: HubTask, report: FinalReport, refusedAtMs: number): boolean {
  if (promise === undefined) return false;
  if (promise.run === report.run) return isFinalStatus(promise);
  return promise.madeAt.bootMs >= refusedAtMs;
}

function ownerOf(task: HubTask): string | undefined {
  return task.run ?? task.promise?.run ?? task.finalReports[0]?.run;
}

function setQuarantine(task: HubTask, left: Quarantined[]): void {
  if (left.length === 0) delete task.quarantine;
  else task.quarantine = left;
}

function droppedBy(by: string): Delivery {
  return { state: 'withheld', reason: `dropped from the outbox by ${by}` };
}

function count(reports: number): string {
  return reports === 1 ? '1 report' : `${reports} reports`;
}
