/**
 * The outbox as an operator reads it: what is pending for a destination of runs that have ended, and links. Reports of a
 * live run are no part of it, for they are made from the newest state when they are sent; a refused one is.
 */
import { defined } from '../lib/defined.ts';
import { iso } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { Operation } from '../model/call.ts';
import type { FinalReport, HubLink, HubTask, Quarantined } from '../model/hub-task.ts';
import { isPendingForPipeline } from '../model/job.ts';
import type { Run } from '../model/job.ts';
import type { OutboxEntry } from '../model/outbox.ts';
import { endText, finalTaskStatus } from '../model/report.ts';
import { hubLinksKey, hubTaskKey, pipelineTaskKey } from '../scheduling/reporter-keys.ts';
import type { Retry } from '../scheduling/retry.ts';
import type { PlannerView } from './planner-view.ts';

const NOTIFY = 'NotifyMigrationTaskState';

/** Everything that is pending; the oldest of each task first. */
export function outbox(view: PlannerView, now: Now): OutboxEntry[] {
  const { hubTasks, outboxRuns } = view.state;
  const entries: OutboxEntry[] = [];
  for (const task of hubTasks.values()) entries.push(...hubEntries(view, task, now));
  for (const run of outboxRuns) {
    const entry = pipelineEntry(view, run, now);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** What is pending of one job. */
export function outboxOf(view: PlannerView, job: string, now: Now): OutboxEntry[] {
  const runs = view.runs.of(job);
  const tasks = new Set(runs.map(({ hub }) => view.state.hubTasks.get(hub?.task ?? '')));
  return [
    ...[...tasks].flatMap((task) => (task === undefined ? [] : hubEntries(view, task, now))),
    ...runs.flatMap((run) => pipelineEntry(view, run, now) ?? []),
  ].filter((entry) => entry.job === job);
}

/** How many entries there are; cheaper than making them. */
export function outboxSize({ state: { outboxHubTasks, outboxRuns } }: PlannerView): number {
  let pending = outboxRuns.size;
  for (const { finalReports, links, quarantine } of outboxHubTasks) {
    pending += finalReports.length + links.length + (quarantine?.length ?? 0);
  }
  return pending;
}

/** Since when the oldest final report is pending, on the boot clock; `undefined`: none is. */
export function oldestPendingMs({
  state: { outboxHubTasks, outboxRuns },
}: PlannerView): number | undefined {
  let oldestMs = Infinity;
  for (const { finalReports } of outboxHubTasks) {
    oldestMs = Math.min(oldestMs, finalReports[0]?.since.bootMs ?? Infinity);
  }
  for (const { endedAt } of outboxRuns) oldestMs = Math.min(oldestMs, endedAt?.bootMs ?? Infinity);
  return oldestMs === Infinity ? undefined : oldestMs;
}

function hubEntries(view: PlannerView, task: HubTask, now: Now): OutboxEntry[] {
  const { finalReports, links, quarantine = [] } = task;
  const retry = view.reporters.get(hubTaskKey(task.name))?.blockedBy?.();
  return [
    ...quarantine.map((refused) => quarantinedEntry(view, task, refused)),
    ...refusedLiveEntries(view, task, retry, now),
    ...finalReports.map((report, index) =>
      reportEntry(view, task, report, index === 0 ? retry : undefined, now),
    ),
    ...links.map((link) => linkEntry(view, task, link, now)),
  ];
}

function quarantinedEntry(
  view: PlannerView,
  task: HubTask,
  { run, report, link, reason, at }: Quarantined,
): OutboxEntry {
  return {
    ...about(view, task, run),
    operation: link?.operation ?? NOTIFY,
    message: report === undefined ? linkText(link) : reportText(report),
    since: iso((report?.since ?? at).wallMs),
    attempts: 0,
    lastError: reason,
    quarantined: true,
  };
}

/** The state of a live run that was refused twice: it is tried rarely. */
function refusedLiveEntries(
  view: PlannerView,
  task: HubTask,
  retry: Retry | undefined,
  now: Now,
): OutboxEntry[] {
  if (retry?.isQuarantined !== true || task.finalReports.length > 0) return [];
  if (task.run === undefined || !view.state.runs.has(task.run)) return [];
  const message = 'the state of the running job';
  const fields = retryFields(view, NOTIFY, retry, now);
  const run = about(view, task, task.run);
  return [{ ...run, operation: NOTIFY, message, ...fields, quarantined: true }];
}

function reportEntry(
  view: PlannerView,
  task: HubTask,
  report: FinalReport,
  retry: Retry | undefined,
  now: Now,
): OutboxEntry {
  // A task that is not imported yet has that before its reports.
  const next = task.imported ? NOTIFY : 'ImportMigrationTask';
  return {
    ...about(view, task, report.run),
    operation: NOTIFY,
    message: reportText(report),
    since: iso(report.since.wallMs),
    ...retryFields(view, next, retry, now),
    quarantined: false,
  };
}

function linkEntry(view: PlannerView, task: HubTask, link: HubLink, now: Now): OutboxEntry {
  const retry = view.reporters.get(hubLinksKey(task.name))?.blockedBy?.(link);
  return {
    ...about(view, task, task.run ?? task.promise?.run ?? task.finalReports[0]?.run),
    operation: link.operation,
    message: linkText(link),
    ...retryFields(view, link.operation, retry, now),
    quarantined: false,
  };
}

function pipelineEntry(view: PlannerView, run: Run, now: Now): OutboxEntry | undefined {
  if (run.pipeline === undefined || !isPendingForPipeline(run)) return undefined;
  const retry = view.reporters.get(pipelineTaskKey(run.id))?.blockedBy?.();
  const { delivery, task } = run.pipeline;
  return {
    job: run.job,
    run: run.number,
    destination: 'dataPipeline',
    operation: 'SetTaskStatus',
    task: task.taskId,
    message: `${finalTaskStatus(run, task.taskId).status} (${endText(run)})`,
    since: iso((run.endedAt ?? run.requestedAt).wallMs),
    ...retryFields(view, 'SetTaskStatus', retry, now),
    quarantined: delivery.state === 'refused',
  };
}

type About = Pick<OutboxEntry, 'job' | 'run' | 'destination' | 'task'>;

function about(view: PlannerView, task: HubTask, id: string | undefined): About {
  const run = view.state.runs.get(id ?? '');
  const destination = 'migrationHub' as const;
  if (run === undefined) return { job: task.name, destination, task: task.name };
  return { job: run.job, run: run.number, destination, task: task.name };
}

/** A pause of the whole operation blocks an entry as much as its own failure does. */
function retryFields(
  view: PlannerView,
  operation: Operation,
  retry: Retry | undefined,
  now: Now,
): Pick<OutboxEntry, 'attempts' | 'nextTryAt' | 'lastError'> {
  const { because, pausedUntilMs } = view.pacing.of(operation);
  const disabledUntilMs = view.hub.disabledUntilMs(operation);
  const nextMs = Math.max(retry?.retryAtMs ?? 0, pausedUntilMs, disabledUntilMs);
  const nextTryAt = nextMs > now.bootMs ? iso(now.wallMs + nextMs - now.bootMs) : undefined;
  const lastError =
    retry?.reason ??
    view.hub.obstacle ??
    setupError(view, operation) ??
    view.hub.disabled.get(operation)?.reason ??
    because;
  return { attempts: retry?.attempts ?? 0, ...defined({ nextTryAt, lastError }) };
}

/** Before the region is known and the stream exists nothing else is tried: what fails is one of those two. */
function setupError({ hub, pacing }: PlannerView, operation: Operation): string | undefined {
  if (operation === 'SetTaskStatus' || hub.isReady) return undefined;
  return pacing.failureOf('GetHomeRegion') ?? pacing.failureOf('CreateProgressUpdateStream');
}

function reportText({ kind, payload }: FinalReport): string {
  const { status, detail } = payload;
  if (kind === 'opening') return `${status} (that it ran)`;
  return detail === undefined ? status : `${status} (${detail})`;
}

function linkText(link: HubLink | undefined): string {
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
