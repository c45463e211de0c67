/**
 * Ties runs to their destinations: opens a Hub task and a pipeline speaker when a run begins, fixes the last word
 * when it ends, and lets go of what has nothing more to say.
 */
import type { Context } from '../scheduling/context.ts';
import { addLinks, HubLinksReporter, linksAtStart, linksAtSuccess } from '../hub/links-reporter.ts';
import { hubTaskName, legalName } from '../hub/task-name.ts';
import { addFinalReport, isPromised } from '../model/hub-task.ts';
import { hubLinksKey, hubTaskKey } from '../scheduling/reporter-keys.ts';
import { HubTaskReporter } from '../hub/task-reporter.ts';
import type { HubLink, HubTask } from '../model/hub-task.ts';
import { isFinal } from '../model/job.ts';
import type { Run } from '../model/job.ts';
import { PipelineTaskReporter } from '../pipeline/task-reporter.ts';
import { isPending } from '../model/job.ts';
import { pipelineTaskKey } from '../scheduling/reporter-keys.ts';
import type { TaskVerdict } from '../pipeline/task-reporter.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

export class Deliveries {
  readonly #context: Context;
  readonly #leaseNews: (run: Run, news: TaskVerdict, reason: string, now: Now) => void;

  constructor(
    context: Context,
    leaseNews: (run: Run, news: TaskVerdict, reason: string, now: Now) => void,
    now: Now,
  ) {
    this.#context = context;
    this.#leaseNews = leaseNews;
    for (const task of context.state.hubTasks.values()) this.recoverTask(task, now);
  }

  recoverTask(task: HubTask, now: Now): void {
    if (isIdle(task)) return;
    // An earlier agent may have died with a report on its way: its stamp is not on disk, and was no later than now.
    task.lastStampS = Math.max(
      task.lastStampS,
      Math.floor(this.#context.serviceMs(now) / SECOND_MS),
    );
    if (task.run !== undefined) this.#context.liveHubTasks++;
    if (isPromised(task)) this.#context.promisedHubTasks++;
    this.#addHubSpeakers(task);
  }

  /** A run that an earlier agent left: what was told of it stands, what is owed is owed still. */
  recover(run: Run): void {
    const told = this.#context.state.hubTasks.get(run.hub?.task ?? '')?.promise;
    if (told?.run === run.id && !isFinal(run.state)) {
      run.percent = Math.max(run.percent ?? 0, told.payload.percent ?? 0);
      if (run.percent === 0 && told.payload.percent === undefined) delete run.percent;
    }
    if (run.pipeline !== undefined && isPending(run.pipeline.delivery)) this.addPipelineTask(run);
  }

  open(run: Run): void {
    const { settings, state: ledger } = this.#context;
    const hub = run.definition.migrationHub;
    if (hub !== undefined && settings.migrationHub !== undefined) {
      const name = this.#freeName(hubTaskName(hub.task, run, settings.hostname), run);
      run.hub = { task: name, delivery: { state: 'pending' } };
      const task = ledger.hubTasks.get(name) ?? newHubTask(name);
      task.run = run.id;
      this.#context.liveHubTasks++;
      ledger.saveHubTask(task);
      this.#addHubSpeakers(task);
      this.#addLinks(task, linksAtStart(hub));
    }
    if (run.pipeline !== undefined) this.addPipelineTask(run);
    this.#context.state.saveRun(run);
  }

  addPipelineTask(run: Run): void {
    this.#context.addReporter(new PipelineTaskReporter(this.#context, run, this.#leaseNews));
  }

  /** The run has ended: its last word is fixed now and never changes. */
  close(run: Run, now: Now): void {
    const task = this.#context.state.hubTasks.get(run.hub?.task ?? '');
    if (task === undefined) return;
    if (task.run === run.id) {
      this.#context.liveHubTasks--;
      if (isPromised(task)) this.#context.promisedHubTasks--;
      this.#context.waitingHubTasks.delete(hubTaskKey(task.name));
      this.#context.offerPromise();
    }
    addFinalReport(task, run, this.#context.serviceMs(now), now);
    const hub = run.definition.migrationHub;
    if (run.state === 'succeeded' && hub !== undefined) this.#addLinks(task, linksAtSuccess(hub));
    this.#context.state.saveHubTask(task);
    this.touch(run);
  }

  touch(run: Run): void {
    if (run.hub !== undefined) {
      this.#context.touch(hubTaskKey(run.hub.task));
      this.#context.touch(hubLinksKey(run.hub.task));
    }
    if (run.pipeline !== undefined) this.#context.touch(pipelineTaskKey(run.id));
  }

  /** The run is no longer kept; its Hub task goes with it when nothing else lives under its name. */
  forget(run: Run): void {
    this.#context.removeReporter(pipelineTaskKey(run.id));
    const { state: ledger } = this.#context;
    const task = ledger.hubTasks.get(run.hub?.task ?? '');
    if (task?.quarantine !== undefined) {
      const left = task.quarantine.filter((one) => one.run !== run.id);
      if (left.length === 0) delete task.quarantine;
      else task.quarantine = left;
      ledger.saveHubTask(task);
    }
    if (
      task === undefined ||
      task.quarantine !== undefined ||
      !isIdle(task) ||
      task.promise?.run !== run.id
    )
      return;
    this.#context.removeReporter(hubTaskKey(task.name));
    this.#context.removeReporter(hubLinksKey(task.name));
    ledger.dropHubTask(task);
  }

  #addHubSpeakers(task: HubTask): void {
    if (this.#context.reporter(hubTaskKey(task.name)) === undefined) {
      this.#context.addReporter(new HubTaskReporter(this.#context, task));
    }
    if (task.links.length > 0) this.#addLinks(task, []);
  }

  /** Most tasks have none, so their speaker is made when there is something to say. */
  #addLinks(task: HubTask, links: readonly HubLink[]): void {
    addLinks(task, links);
    if (task.links.length === 0) return;
    if (this.#context.reporter(hubLinksKey(task.name)) !== undefined) return;
    this.#context.addReporter(new HubLinksReporter(this.#context, task));
  }

  /** Two live runs cannot share a task: each would tell the other's percent. */
  #freeName(name: string, run: Run): string {
    const { metadata: facts, copiedHostHubTasks: foreignHubTasks, hubTasks } = this.#context.state;
    if (foreignHubTasks.has(name)) {
      // Another host may be telling it: the last part of our own runner id sets us apart.
      return legalName(`${name}-${facts.taskRunnerId?.split('-').at(-1) ?? 'copy'}`);
    }
    const holder = hubTasks.get(name)?.run;
    return holder === undefined || holder === run.id ? name : legalName(`${name}-${run.number}`);
  }
}

function newHubTask(name: string): HubTask {
  return { name, imported: false, lastStampS: 0, finalReports: [], links: [] };
}

function isIdle(task: HubTask): boolean {
  return task.run === undefined && task.finalReports.length === 0 && task.links.length === 0;
}
