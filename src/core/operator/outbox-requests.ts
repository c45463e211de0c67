/** What an operator wants of the outbox: say it again now, or give it up. Both are on disk before they have an effect. */
import type { OutboxChoice } from '../model/outbox.ts';
import type { Reply } from '../model/action.ts';
import type { Context } from '../scheduling/context.ts';
import { HubLinksReporter } from '../hub/links-reporter.ts';
import { hubLinksKey, hubTaskKey } from '../scheduling/reporter-keys.ts';
import { isFinalStatus } from '../model/hub-task.ts';
import type { HubTask, FinalReport, Quarantined } from '../model/hub-task.ts';
import { HubTaskReporter } from '../hub/task-reporter.ts';
import type { Delivery, Run } from '../model/job.ts';
import { isPendingForPipeline } from './outbox.ts';
import type { DestinationName } from '../model/outbox.ts';
import { PipelineTaskReporter } from '../pipeline/task-reporter.ts';
import { pipelineTaskKey } from '../scheduling/reporter-keys.ts';
import type { RunIndex } from '../state/run-index.ts';
import type { Now } from '../lib/time.ts';

export class OutboxRequests {
  readonly #context: Context;
  readonly #book: RunIndex;

  constructor(context: Context, book: RunIndex) {
    this.#context = context;
    this.#book = book;
  }

  /** Tries again now what waits, and what was refused for good once more, whole. */
  retry(choice: OutboxChoice, now: Now): Reply {
    const unknown = this.#unknownJob(choice);
    if (unknown !== undefined) return unknown;
    let tried = 0;
    let overtaken = 0;
    for (const task of this.#hubTasks(choice)) {
      const { again, late } = split(task, this.#chosen(task, choice));
      for (const refused of again) this.#requeue(task, refused);
      overtaken += late.length;
      this.#speakAgain(task);
      tried += task.finalReports.length + task.links.length;
    }
    for (const run of this.#pipelineRuns(choice)) {
      if (run.pipeline?.delivery.state === 'refused') run.pipeline.delivery = { state: 'pending' };
      const key = pipelineTaskKey(run.id);
      const speaker = this.#context.reporter(key);
      if (speaker instanceof PipelineTaskReporter) speaker.retry();
      this.#context.touch(key);
      this.#context.state.saveRun(run);
      tried++;
    }
    // Whoever asks has mended something, as likely as not. What the service itself said (slow down) stands.
    for (const trouble of ['unavailable', 'denied', 'no-home-region'] as const) {
      this.#context.pacing.mended(trouble, now.bootMs);
    }
    this.#context.disabled.clear();
    const late =
      overtaken === 0
        ? ''
        : `; ${overtaken} cannot be told any more, for later ones have been: outbox drop gives them up`;
    return { ok: true, message: `${count(tried)} ${tried === 1 ? 'is' : 'are'} tried now${late}` };
  }

  /** Gives up what is owed of a job's ended runs; without a job only what was refused for good. */
  drop(choice: OutboxChoice, by: string, now: Now): Reply {
    const unknown = this.#unknownJob(choice);
    if (unknown !== undefined) return unknown;
    let dropped = 0;
    for (const task of this.#hubTasks(choice)) dropped += this.#dropHub(task, choice, by, now);
    for (const run of this.#pipelineRuns(choice)) {
      if (run.pipeline === undefined) continue;
      if (choice.job === undefined && run.pipeline.delivery.state !== 'refused') continue;
      run.pipeline.delivery = givenUp(by);
      this.#note(run, 'dataPipeline', 'SetTaskStatus', by, now);
      this.#context.touch(pipelineTaskKey(run.id));
      this.#context.state.saveRun(run);
      dropped++;
    }
    return { ok: true, message: `${count(dropped)} dropped` };
  }

  #dropHub(task: HubTask, choice: OutboxChoice, by: string, now: Now): number {
    const refused = this.#chosen(task, choice);
    const isNamed = choice.job !== undefined;
    const message = isNamed ? task.finalReports.filter((word) => this.#isOf(word.run, choice)) : [];
    const links = isNamed && this.#isOf(ownerOf(task), choice) ? task.links : [];
    const dropped = refused.length + message.length + links.length;
    if (dropped === 0) return 0;
    setQuarantine(
      task,
      (task.quarantine ?? []).filter((one) => !refused.includes(one)),
    );
    task.finalReports = task.finalReports.filter((word) => !message.includes(word));
    if (links.length > 0) task.links = [];
    for (const word of [...message, ...refused.flatMap(({ report: word }) => word ?? [])]) {
      const run = this.#context.state.runs.get(word.run);
      if (run?.hub !== undefined && word.kind === 'end') run.hub.delivery = givenUp(by);
      if (run !== undefined) this.#context.state.saveRun(run);
      this.#note(run, 'migrationHub', 'NotifyMigrationTaskState', by, now);
    }
    const run = this.#context.state.runs.get(ownerOf(task) ?? '');
    for (const link of [...links, ...refused.flatMap(({ link }) => link ?? [])]) {
      this.#note(run, 'migrationHub', link.operation, by, now);
    }
    this.#speakAgain(task);
    return dropped;
  }

  /** Back into the line of its task, in the order of time. */
  #requeue(task: HubTask, refused: Quarantined): void {
    const { link, report: word } = refused;
    setQuarantine(
      task,
      (task.quarantine ?? []).filter((one) => one !== refused),
    );
    if (link !== undefined) task.links.push(link);
    if (word === undefined) return;
    task.finalReports = [...task.finalReports, word].sort((a, b) => a.stampS - b.stampS);
    const run = this.#context.state.runs.get(word.run);
    if (run?.hub === undefined || word.kind !== 'end') return;
    run.hub.delivery = { state: 'pending' };
    this.#context.state.saveRun(run);
  }

  #speakAgain(task: HubTask): void {
    this.#context.state.saveHubTask(task);
    if (task.links.length > 0 && this.#context.reporter(hubLinksKey(task.name)) === undefined) {
      this.#context.addReporter(new HubLinksReporter(this.#context, task));
    }
    if (this.#context.reporter(hubTaskKey(task.name)) === undefined) {
      this.#context.addReporter(new HubTaskReporter(this.#context, task));
    }
    for (const key of [hubTaskKey(task.name), hubLinksKey(task.name)]) {
      const speaker = this.#context.reporter(key);
      if (speaker instanceof HubTaskReporter || speaker instanceof HubLinksReporter)
        speaker.retry();
      this.#context.touch(key);
    }
  }

  /** Tasks that have something to do with the choice. */
  *#hubTasks(choice: OutboxChoice): Iterable<HubTask> {
    if (choice.destination === 'dataPipeline') return;
    for (const task of this.#context.state.hubTasks.values()) {
      const runs = [
        ...task.finalReports.map((word) => word.run),
        ...(task.quarantine ?? []).map((one) => one.run),
        ...(task.links.length > 0 || task.run !== undefined ? [ownerOf(task)] : []),
      ];
      if (runs.some((run) => this.#isOf(run, choice))) yield task;
    }
  }

  *#pipelineRuns(choice: OutboxChoice): Iterable<Run> {
    if (choice.destination === 'migrationHub') return;
    for (const run of this.#context.state.runs.values()) {
      if (isPendingForPipeline(run) && this.#isOf(run.id, choice)) yield run;
    }
  }

  #chosen(task: HubTask, choice: OutboxChoice): Quarantined[] {
    return (task.quarantine ?? []).filter((one) => this.#isOf(one.run, choice));
  }

  #isOf(run: string | undefined, { job }: OutboxChoice): boolean {
    return job === undefined || this.#context.state.runs.get(run ?? '')?.job === job;
  }

  #unknownJob({ job }: OutboxChoice): Reply | undefined {
    if (job === undefined || this.#book.of(job).length > 0) return undefined;
    if (this.#context.settings.jobs.has(job)) return undefined;
    return { ok: false, code: 'no-such-job', message: `there is no job "${job}"` };
  }

  #note(run: Run | undefined, to: DestinationName, operation: string, by: string, now: Now): void {
    this.#context.addEvent('report.dropped', now, { to, operation, by }, run);
  }
}

/** A refused word that later ones have overtaken must not be told after them: it would undo what they said. */
function split(
  task: HubTask,
  refused: readonly Quarantined[],
): { readonly again: Quarantined[]; readonly late: Quarantined[] } {
  const isLate = ({ report: word, at }: Quarantined): boolean =>
    word !== undefined && task.promise !== undefined && isAfter(task, word, at.bootMs);
  return {
    again: refused.filter((one) => !isLate(one)),
    late: refused.filter(isLate),
  };
}

function isAfter({ promise }: HubTask, word: FinalReport, putAsideMs: number): boolean {
  if (promise === undefined) return false;
  if (promise.run === word.run) return isFinalStatus(promise);
  return promise.madeAt.bootMs >= putAsideMs;
}

function ownerOf(task: HubTask): string | undefined {
  return task.run ?? task.promise?.run ?? task.finalReports[0]?.run;
}

function setQuarantine(task: HubTask, left: Quarantined[]): void {
  if (left.length === 0) delete task.quarantine;
  else task.quarantine = left;
}

function givenUp(by: string): Delivery {
  return { state: 'withheld', reason: `dropped from the outbox by ${by}` };
}

function count(reports: number): string {
  return reports === 1 ? '1 report' : `${reports} reports`;
}
