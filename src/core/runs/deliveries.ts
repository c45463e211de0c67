/**
 * Ties runs to their destinations: opens a Hub task and a pipeline task's reporter when a run begins, makes the final
 * report when it ends, and lets go of what has nothing left to report.
 */
import { linksAtStart, linksAtSuccess } from '../hub/links.ts';
import type { PromiseBudget } from '../hub/promise-budget.ts';
import { hubTaskName, legalName } from '../hub/task-name.ts';
import type { HubTaskReporters } from '../hub/task-reporters.ts';
import { DAY_MS, SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import { addFinalReport } from '../model/hub-task.ts';
import type { HubTask } from '../model/hub-task.ts';
import { isFinal, isPending } from '../model/job.ts';
import type { Run } from '../model/job.ts';
import type { SettingsHolder } from '../model/settings.ts';
import { PipelineTaskReporter } from '../pipeline/task-reporter.ts';
import type { PipelineTaskParts } from '../pipeline/task-reporter.ts';
import { pipelineTaskKey } from '../scheduling/reporter-keys.ts';
import type { Reporters } from '../scheduling/reporters.ts';
import type { ServiceClock } from '../scheduling/service-clock.ts';
import type { PersistentState } from '../state/persistent-state.ts';

export interface DeliveriesParts {
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
  readonly clock: ServiceClock;
  readonly promises: PromiseBudget;
  readonly reporters: Reporters;
  readonly hubTasks: HubTaskReporters;
  /** For the reporters of pipeline tasks. */
  readonly pipelineTasks: PipelineTaskParts;
}

export class Deliveries {
  readonly #parts: DeliveriesParts;

  constructor(parts: DeliveriesParts, now: Now) {
    this.#parts = parts;
    for (const task of parts.state.hubTasks.values()) this.recoverTask(task, now);
  }

  recoverTask(task: HubTask, now: Now): void {
    if (isIdle(task)) return;
    // An earlier agent may have died with a report in flight: its stamp is not on disk, and was no later than now. Of a task
    // with pending final reports nothing else was sent.
    const isEnding = task.finalReports.length > 0;
    const stampS = Math.floor(this.#parts.clock.nowMs(now) / SECOND_MS);
    // Not by a clock that is far ahead of the last stamp, or of the run's request: it may be wrong, and a stamp never goes back.
    const isNear = stampS - this.#lastSureS(task) < DAY_MS / SECOND_MS;
    if (!isEnding && isNear && this.#isSure(now))
      task.lastStampS = Math.max(task.lastStampS, stampS);
    this.#parts.hubTasks.ensure(task);
  }

  #isSure(now: Now): boolean {
    const { clock } = this.#parts;
    return clock.isBelieved(now) && clock.isVouchedFor(now);
  }

  /** The last moment of a task that is known, by the service's clock. */
  #lastSureS({ lastStampS, run }: HubTask): number {
    if (lastStampS > 0) return lastStampS;
    const { clock, state } = this.#parts;
    const requestedAt = state.runs.get(run ?? '')?.requestedAt;
    if (requestedAt === undefined) return lastStampS;
    return (requestedAt.wallMs + clock.offsetMs) / SECOND_MS;
  }

  /** A run that an earlier agent left: what it reported counts, what is pending is pending still. */
  recover(run: Run): void {
    const promise = this.#parts.state.hubTasks.get(run.hub?.task ?? '')?.promise;
    if (promise?.run === run.id && !isFinal(run.state)) {
      const { percent } = promise.payload;
      run.percent = Math.max(run.percent ?? 0, percent ?? 0);
      if (run.percent === 0 && percent === undefined) delete run.percent;
    }
    if (run.pipeline !== undefined && isPending(run.pipeline.delivery)) this.addPipelineTask(run);
  }

  open(run: Run): void {
    const { hubTasks, settings, state } = this.#parts;
    const { hostname, migrationHub } = settings.current;
    const hub = run.definition.migrationHub;
    if (hub !== undefined && migrationHub !== undefined) {
      const name = this.#freeName(hubTaskName(hub.task, run, hostname), run);
      const task = state.hubTasks.get(name) ?? newHubTask(name);
      run.hub = { task: name, stampS: task.lastStampS, delivery: { state: 'pending' } };
      task.run = run.id;
      hubTasks.addLinks(task, linksAtStart(hub));
      hubTasks.ensure(task);
      state.saveHubTask(task);
    }
    if (run.pipeline !== undefined) this.addPipelineTask(run);
  }

  addPipelineTask(run: Run): void {
    const { pipelineTasks, reporters } = this.#parts;
    reporters.add(new PipelineTaskReporter(pipelineTasks, run));
  }

  /** The run has ended: its final report is made now and never changes. */
  close(run: Run, now: Now): void {
    const { clock, hubTasks, promises, state } = this.#parts;
    const task = state.hubTasks.get(run.hub?.task ?? '');
    if (task === undefined) return;
    const wasHolder = task.run === run.id;
    addFinalReport(task, run, { serviceMs: clock.nowMs(now), isSure: this.#isSure(now) }, now);
    const hub = run.definition.migrationHub;
    if (run.state === 'succeeded' && hub !== undefined)
      hubTasks.addLinks(task, linksAtSuccess(hub));
    state.saveHubTask(task);
    if (wasHolder) promises.closed(task);
    this.touch(run);
  }

  touch(run: Run): void {
    if (run.hub !== undefined) this.#parts.hubTasks.touch(run.hub.task);
    if (run.pipeline !== undefined) this.#parts.reporters.touch(pipelineTaskKey(run.id));
  }

  /** The run is no longer kept; its Hub task goes with it if nothing else is reported under its name. */
  forget(run: Run): void {
    const { hubTasks, reporters, state } = this.#parts;
    reporters.remove(pipelineTaskKey(run.id));
    const task = state.hubTasks.get(run.hub?.task ?? '');
    if (task === undefined) return;
    if (task.quarantine !== undefined) {
      const left = task.quarantine.filter((one) => one.run !== run.id);
      if (left.length === 0) delete task.quarantine;
      else task.quarantine = left;
      state.saveHubTask(task);
    }
    if (task.quarantine !== undefined || !isIdle(task)) return;
    const last = task.promise?.run;
    // Another run that is kept was reported under the same name.
    if (last !== undefined && state.runs.has(last)) return;
    hubTasks.remove(task.name);
    state.dropHubTask(task);
  }

  /** Two live runs never share a task: each would report over the other's state, and one of them after its end. */
  #freeName(name: string, run: Run): string {
    const { metadata, copiedHostHubTasks, hubTasks } = this.#parts.state;
    const isFree = (one: string): boolean => {
      const holder = hubTasks.get(one)?.run;
      return !copiedHostHubTasks.has(one) && (holder === undefined || holder === run.id);
    };
    // The copied host may report under its names: the last part of this host's own runner id tells the two apart.
    const own = copiedHostHubTasks.has(name)
      ? legalName(`${name}-${metadata.taskRunnerId?.split('-').at(-1) ?? 'copy'}`)
      : name;
    const suffixes = [`${run.number}`, `${run.job}-${run.number}`];
    const candidates = [own, ...suffixes.map((suffix) => legalName(`${own}-${suffix}`))];
    const free = candidates.find(isFree);
    if (free !== undefined) return free;
    for (let count = 2; ; count++) {
      const next = legalName(`${own}-${run.job}-${run.number}-${count}`);
      if (isFree(next)) return next;
    }
  }
}

export function newHubTask(name: string): HubTask {
  return { name, imported: false, lastStampS: 0, finalReports: [], links: [] };
}

function isIdle(task: HubTask): boolean {
  return task.run === undefined && task.finalReports.length === 0 && task.links.length === 0;
}
