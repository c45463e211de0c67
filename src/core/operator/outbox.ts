/**
 * The outbox: what is owed to a destination of runs that have ended and of links, as an operator reads it. What a live
 * job shows is no part of it, for that is told from the newest state; its refused state is.
 */
import type { OutboxEntry } from '../model/outbox.ts';
import type { Operation } from '../model/call.ts';
import { HubLinksReporter } from '../hub/links-reporter.ts';
import { hubLinksKey, hubTaskKey } from '../scheduling/reporter-keys.ts';
import type { HubLink, HubTask, FinalReport } from '../model/hub-task.ts';
import { HubTaskReporter } from '../hub/task-reporter.ts';
import { isFinal } from '../model/job.ts';
import type { Run } from '../model/job.ts';
import { PipelineTaskReporter } from '../pipeline/task-reporter.ts';
import { isPending } from '../model/job.ts';
import { pipelineTaskKey } from '../scheduling/reporter-keys.ts';
import type { PlannerView } from './planner-view.ts';
import { endText, finalTaskStatus } from '../model/report.ts';
import { iso } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { Retry } from '../scheduling/retry.ts';

/** Everything that is owed; the oldest of each task first. */
export function outbox(view: PlannerView, now: Now): OutboxEntry[] {
  const { hubTasks, runs } = view.context.state;
  const entries: OutboxEntry[] = [];
  for (const task of hubTasks.values()) entries.push(...hubEntries(view, task, now));
  for (const run of runs.values()) {
    const entry = pipelineEntry(view, run, now);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** How many entries there are; cheaper than making them. */
export function outboxSize(view: PlannerView): number {
  let owed = 0;
  for (const {
    finalReports: lastWords,
    links,
    quarantine,
  } of view.context.state.hubTasks.values()) {
    owed += lastWords.length + links.length + (quarantine?.length ?? 0);
  }
  for (const run of view.context.state.runs.values()) if (isPendingForPipeline(run)) owed++;
  return owed;
}

/** When the oldest last word came to wait, on the boot clock; `undefined`: none waits. */
export function oldestPendingMs(view: PlannerView): number | undefined {
  let oldestMs = Infinity;
  for (const { finalReports: lastWords } of view.context.state.hubTasks.values()) {
    oldestMs = Math.min(oldestMs, lastWords[0]?.since.bootMs ?? Infinity);
  }
  for (const run of view.context.state.runs.values()) {
    if (isPendingForPipeline(run)) oldestMs = Math.min(oldestMs, run.endedAt?.bootMs ?? Infinity);
  }
  return oldestMs === Infinity ? undefined : oldestMs;
}

export function isPendingForPipeline(run: Run): boolean {
  return run.pipeline !== undefined && isFinal(run.state) && isPending(run.pipeline.delivery);
}

function hubEntries(view: PlannerView, task: HubTask, now: Now): OutboxEntry[] {
  const { finalReports: lastWords, links, quarantine = [] } = task;
  const speaker = view.context.reporter(hubTaskKey(task.name));
  const trouble = speaker instanceof HubTaskReporter ? speaker.trouble : undefined;
  if (lastWords.length + links.length + quarantine.length === 0) {
    const run = view.context.state.runs.get(task.run ?? '');
    if (trouble?.isQuarantined !== true || run === undefined) return [];
  }
  const linkSpeaker = view.context.reporter(hubLinksKey(task.name));
  const troubleOf = (link: HubLink): Retry | undefined =>
    linkSpeaker instanceof HubLinksReporter ? linkSpeaker.troubleOf(link) : undefined;
  const about = (run: string | undefined) => ({
    ...runOf(view, run, task),
    destination: 'migrationHub' as const,
    task: task.name,
  });
  const owner = task.run ?? task.promise?.run ?? lastWords[0]?.run;
  const live = trouble?.isQuarantined === true && lastWords.length === 0 && task.run !== undefined;
  return [
    ...quarantine.map(({ run, report: word, link, reason, at }) => ({
      ...about(run),
      operation: link?.operation ?? ('NotifyMigrationTaskState' as const),
      message: word === undefined ? linkWords(link) : wordWords(word),
      since: iso((word?.since ?? at).wallMs),
      attempts: 0,
      lastError: reason,
      quarantined: true,
    })),
    ...(live
      ? [
          {
            ...about(task.run),
            operation: 'NotifyMigrationTaskState' as const,
            message: 'the state of the running job',
            ...troubleFields(view, 'NotifyMigrationTaskState', trouble, now),
            quarantined: true,
          },
        ]
      : []),
    ...lastWords.map((word, index) => ({
      ...about(word.run),
      operation: 'NotifyMigrationTaskState' as const,
      message: wordWords(word),
      since: iso(word.since.wallMs),
      ...troubleFields(view, headOperation(task), index === 0 ? trouble : undefined, now),
      quarantined: false,
    })),
    ...links.map((link) => ({
      ...about(owner),
      operation: link.operation,
      message: linkWords(link),
      ...troubleFields(view, link.operation, troubleOf(link), now),
      quarantined: false,
    })),
  ];
}

/** A task that is not imported yet has that before its words. */
function headOperation(task: HubTask): Operation {
  return task.imported ? 'NotifyMigrationTaskState' : 'ImportMigrationTask';
}

function pipelineEntry(view: PlannerView, run: Run, now: Now): OutboxEntry | undefined {
  if (run.pipeline === undefined || !isPendingForPipeline(run)) return undefined;
  const speaker = view.context.reporter(pipelineTaskKey(run.id));
  const trouble = speaker instanceof PipelineTaskReporter ? speaker.trouble : undefined;
  const { delivery, task } = run.pipeline;
  return {
    job: run.job,
    run: run.number,
    destination: 'dataPipeline',
    operation: 'SetTaskStatus',
    task: task.taskId,
    message: `${finalTaskStatus(run, task.taskId).status} (${endText(run)})`,
    since: iso((run.endedAt ?? run.requestedAt).wallMs),
    ...troubleFields(view, 'SetTaskStatus', trouble, now),
    ...('reason' in delivery ? { lastError: delivery.reason } : {}),
    quarantined: delivery.state === 'refused',
  };
}

function runOf(
  view: PlannerView,
  id: string | undefined,
  task: HubTask,
): { readonly job: string; readonly run?: number } {
  const run = view.context.state.runs.get(id ?? '');
  return run === undefined ? { job: task.name } : { job: run.job, run: run.number };
}

/** A pause of the whole operation stands in the way as much as the entry's own failure. */
function troubleFields(
  view: PlannerView,
  operation: Operation,
  trouble: Retry | undefined,
  now: Now,
): Pick<OutboxEntry, 'attempts' | 'nextTryAt' | 'lastError'> {
  const pace = view.pacing.of(operation);
  const restsUntilMs = view.context.disabled.get(operation)?.untilMs ?? 0;
  const nextMs = Math.max(trouble?.retryAtMs ?? 0, pace.pausedUntilMs, restsUntilMs);
  const error =
    trouble?.reason ??
    view.context.hubObstacle ??
    setupError(view, operation) ??
    view.context.disabled.get(operation)?.reason ??
    pace.because;
  return {
    attempts: trouble?.attempts ?? 0,
    ...(nextMs > now.bootMs ? { nextTryAt: iso(now.wallMs + nextMs - now.bootMs) } : {}),
    ...(error === undefined ? {} : { lastError: error }),
  };
}

/** Before the region is known and the stream is there, nothing else is tried: what fails is that. */
function setupError(view: PlannerView, operation: Operation): string | undefined {
  if (operation === 'SetTaskStatus' || view.context.hubIsReady()) return undefined;
  const { pacing } = view;
  return pacing.of('GetHomeRegion').because ?? pacing.of('CreateProgressUpdateStream').because;
}

function wordWords({ kind, payload: message }: FinalReport): string {
  const { status, detail } = message;
  if (kind === 'opening') return `${status} (that it ran)`;
  return detail === undefined ? status : `${status} (${detail})`;
}

function linkWords(link: HubLink | undefined): string {
  switch (link?.operation) {
    case 'PutResourceAttributes':
      return link.attributes.map(({ type, value }) => `${type}=${value}`).join(', ');
    case 'AssociateDiscoveredResource':
      return link.configurationId;
    case 'AssociateSourceResource':
      return link.name;
    case 'AssociateCreatedArtifact':
      return link.artifact;
    case 'NotifyApplicationState':
      return `${link.application} ${link.status}`;
    case undefined:
      return '';
  }
}
