/**
 * What the Hub is told of a task beside its state, each once: who the source server is, which resources it
 * stands for, what came out of it, how its application stands. Kept apart from the task's own speaker, so that
 * a link that fails (a missing Discovery role, say) never holds up a heartbeat.
 */
import type { PendingCall } from '../scheduling/call-queue.ts';
import type { Call, Outcome } from '../model/call.ts';
import type { Context } from '../scheduling/context.ts';
import { hubLinksKey, hubTaskKey } from '../scheduling/reporter-keys.ts';
import { quarantine } from '../model/hub-task.ts';
import type { HubLink, HubTask } from '../model/hub-task.ts';
import type { HubJobSettings, Run } from '../model/job.ts';
import type { Reporter } from '../scheduling/reporter.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import { again } from '../scheduling/retry.ts';
import type { Retry } from '../scheduling/retry.ts';

/** What is owed when a run begins. Attributes first: without them the console maps the task to no server. */
export function linksAtStart(hub: HubJobSettings): HubLink[] {
  return [
    ...(hub.resourceAttributes.length === 0
      ? []
      : [{ operation: 'PutResourceAttributes' as const, attributes: hub.resourceAttributes }]),
    ...(hub.discoveredResource === undefined
      ? []
      : [
          {
            operation: 'AssociateDiscoveredResource' as const,
            configurationId: hub.discoveredResource,
          },
        ]),
    ...hub.sourceResources.map((source) => ({
      operation: 'AssociateSourceResource' as const,
      ...source,
    })),
    ...applicationLink(hub, 'IN_PROGRESS'),
  ];
}

/**
 * Adds links to those that wait. What waits already is not said twice, and of an application only the newest state
 * counts: the runs of a year may come and go while a permission is missing.
 */
export function addLinks(task: HubTask, links: readonly HubLink[]): void {
  for (const link of links) {
    if (link.operation === 'NotifyApplicationState') {
      task.links = task.links.filter(
        (one) => one.operation !== link.operation || one.application !== link.application,
      );
    } else if (task.links.some((one) => isSame(one, link))) {
      continue;
    }
    task.links.push(link);
  }
}

/** What is owed when a run has succeeded. */
export function linksAtSuccess(hub: HubJobSettings): HubLink[] {
  return [
    ...hub.artifacts.map((artifact) => ({
      operation: 'AssociateCreatedArtifact' as const,
      artifact,
    })),
    ...applicationLink(hub, 'COMPLETED'),
  ];
}

export class HubLinksReporter implements Reporter {
  readonly key: string;
  readonly #context: Context;
  readonly #task: HubTask;
  /** One that fails holds up no other: each has its own next try. */
  readonly #problems = new Map<HubLink, Retry>();
  /** Links whose task was said to be missing: it is made again for each of them once. */
  readonly #missed = new WeakSet<HubLink>();
  #saying: HubLink | undefined;

  constructor(context: Context, task: HubTask) {
    this.key = hubLinksKey(task.name);
    this.#context = context;
    this.#task = task;
  }

  /** What stands in the way of a link, for the outbox. */
  troubleOf(link: HubLink): Retry | undefined {
    return this.#problems.get(link);
  }

  /** An operator wants what is owed tried again now. */
  retry(): void {
    this.#problems.clear();
  }

  next(now: Now): PendingCall | undefined {
    const link = this.#next(now);
    if (link === undefined || !this.#task.imported || !this.#context.hubIsReady()) return undefined;
    const readyAtMs = this.#readyAtMs(link);
    return { operation: link.operation, readyAtMs, sinceMs: readyAtMs };
  }

  call(now: Now): Call | undefined {
    const link = this.#next(now);
    const region = this.#context.hubRegion();
    const stream = this.#context.settings.migrationHub?.stream;
    if (link === undefined || region === undefined || stream === undefined) return undefined;
    if (this.#readyAtMs(link) > now.bootMs) return undefined;
    this.#saying = link;
    if (link.operation === 'NotifyApplicationState') {
      const stampS = Math.floor(this.#context.serviceMs(now) / SECOND_MS);
      return { ...link, region, stampS };
    }
    return { ...link, region, stream, task: this.#task.name };
  }

  settled(call: Call, outcome: Outcome, now: Now): void {
    const link = this.#saying;
    if (link === undefined) return;
    if (outcome.kind === 'accepted') {
      this.#done(link);
      return;
    }
    const { reason } = outcome;
    if (outcome.kind === 'disabled') {
      this.#context.disable(call.operation, reason, now);
      return;
    }
    const trouble = again(this.#problems.get(link), reason, Infinity, now, this.#context.random);
    this.#problems.set(link, trouble);
    if (outcome.kind === 'missing' && this.#makeAgain(link)) return;
    if (outcome.kind !== 'refused' && outcome.kind !== 'missing') return;
    if (!this.#context.isRegionSure(trouble.firstAtMs)) return;
    const fields = { task: this.#task.name, operation: call.operation, reason };
    this.#context.addEvent('report.refused', now, fields, this.#run());
    quarantine(this.#task, { run: this.#run()?.id ?? '', link, reason, at: now });
    this.#done(link);
  }

  /**
   * The task is not there, or what it is to be tied to: first the one is made again, and then it is the other. An
   * application is no part of a task.
   */
  #makeAgain(link: HubLink): boolean {
    if (link.operation === 'NotifyApplicationState' || this.#missed.has(link)) return false;
    this.#missed.add(link);
    this.#task.imported = false;
    this.#context.state.saveHubTask(this.#task);
    this.#context.touch(hubTaskKey(this.#task.name));
    return true;
  }

  /** The first link that may be said now; else the one that may be soonest. */
  #next(now: Now): HubLink | undefined {
    let next: HubLink | undefined;
    let nextMs = Infinity;
    for (const link of this.#task.links) {
      const readyMs = Math.max(this.#readyAtMs(link), now.bootMs);
      if (readyMs < nextMs) [next, nextMs] = [link, readyMs];
    }
    return next;
  }

  #readyAtMs(link: HubLink): number {
    const restsUntilMs = this.#context.disabled.get(link.operation)?.untilMs ?? 0;
    return Math.max(this.#problems.get(link)?.retryAtMs ?? 0, restsUntilMs);
  }

  #done(link: HubLink): void {
    this.#task.links = this.#task.links.filter((one) => one !== link);
    this.#problems.delete(link);
    this.#context.state.saveHubTask(this.#task);
  }

  #run(): Run | undefined {
    return this.#context.state.runs.get(this.#task.run ?? this.#task.promise?.run ?? '');
  }
}

function isSame(a: HubLink, b: HubLink): boolean {
  return a.operation === b.operation && JSON.stringify(a) === JSON.stringify(b);
}

function applicationLink(hub: HubJobSettings, status: 'IN_PROGRESS' | 'COMPLETED'): HubLink[] {
  return hub.application === undefined
    ? []
    : [{ operation: 'NotifyApplicationState', application: hub.application, status }];
}
