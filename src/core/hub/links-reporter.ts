/**
 * Reports everything else about a task, each once: the server that it migrates, its source resources, the artifacts that
 * it created, the state of its application. It is not part of the task's reporter, so that a link that fails (because a
 * Discovery role is missing, for example) never delays a heartbeat.
 */
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { Call, Outcome } from '../model/call.ts';
import { quarantine } from '../model/hub-task.ts';
import type { HubLink, HubTask } from '../model/hub-task.ts';
import type { Run } from '../model/job.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { PendingCall } from '../scheduling/call-queue.ts';
import type { Reporter } from '../scheduling/reporter.ts';
import { hubLinksKey, hubTaskKey } from '../scheduling/reporter-keys.ts';
import type { Reporters } from '../scheduling/reporters.ts';
import { again } from '../scheduling/retry.ts';
import type { Retry } from '../scheduling/retry.ts';
import type { ServiceClock } from '../scheduling/service-clock.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { Timeline } from '../state/timeline.ts';
import type { HubConnection } from './connection.ts';

/** Shared by the reporters of all tasks. */
export interface HubLinksParts {
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
  readonly hub: HubConnection;
  readonly clock: ServiceClock;
  readonly reporters: Reporters;
  readonly timeline: Timeline;
  readonly random: () => number;
}

export class HubLinksReporter implements Reporter {
  readonly key: string;
  readonly #parts: HubLinksParts;
  readonly #task: HubTask;
  /** Each link has its own next try: one that fails delays no other. */
  readonly #retries = new Map<HubLink, Retry>();
  /** Links that found their task missing: the task is imported again for each of them once. */
  readonly #missed = new WeakSet<HubLink>();
  #inFlight: HubLink | undefined;

  constructor(parts: HubLinksParts, task: HubTask) {
    this.key = hubLinksKey(task.name);
    this.#parts = parts;
    this.#task = task;
  }

  blockedBy(link?: HubLink): Retry | undefined {
    return link && this.#retries.get(link);
  }

  retry(): void {
    this.#retries.clear();
  }

  next(now: Now): PendingCall | undefined {
    const link = this.#nextLink(now);
    if (link === undefined || !this.#task.imported || !this.#parts.hub.isReady) return undefined;
    const isStamped = link.operation === 'NotifyApplicationState';
    if (isStamped && !this.#parts.clock.isBelieved(now)) return undefined;
    const readyAtMs = this.#readyAtMs(link);
    return { operation: link.operation, readyAtMs, sinceMs: readyAtMs };
  }

  call(now: Now): Call | undefined {
    const { clock, hub, settings } = this.#parts;
    const link = this.#nextLink(now);
    const { region } = hub;
    const stream = settings.current.migrationHub?.stream;
    if (link === undefined || region === undefined || stream === undefined) return undefined;
    if (this.#readyAtMs(link) > now.bootMs) return undefined;
    this.#inFlight = link;
    if (link.operation === 'NotifyApplicationState') {
      return { ...link, region, stampS: Math.floor(clock.nowMs(now) / SECOND_MS) };
    }
    return { ...link, region, stream, task: this.#task.name };
  }

  settled(call: Call, outcome: Outcome, now: Now): undefined {
    const link = this.#inFlight;
    if (link === undefined) return;
    if (outcome.kind === 'accepted') this.#done(link);
    else this.#failed(link, call, outcome, now);
  }

  #failed(
    link: HubLink,
    call: Call,
    { kind, reason }: Exclude<Outcome, { kind: 'accepted' }>,
    now: Now,
  ): void {
    const { hub, random, timeline } = this.#parts;
    if (kind === 'disabled') {
      hub.disable(call.operation, reason, now);
      return;
    }
    const before = this.#retries.get(link);
    const retry = again(before, reason, Infinity, now, random);
    this.#retries.set(link, retry);
    if (kind === 'missing' && this.#importAgain(link)) return;
    if (kind !== 'refused' && kind !== 'missing') return;
    // Only by an answer since the first refusal: the region may have moved in an outage before it.
    retry.refusedAtMs = before?.refusedAtMs ?? now.bootMs;
    if (!hub.confirmRegion(retry.refusedAtMs)) return;
    const run = this.#run();
    const fields = { task: this.#task.name, operation: call.operation, reason };
    timeline.add('report.refused', now, fields, run);
    quarantine(this.#task, { run: run?.id ?? '', link, reason, at: now });
    this.#done(link);
  }

  /**
   * "Not found" may mean the task or the resource. The task is imported again first; if the error stays, it is the
   * resource. An application belongs to no task.
   */
  #importAgain(link: HubLink): boolean {
    if (link.operation === 'NotifyApplicationState' || this.#missed.has(link)) return false;
    const { reporters, state } = this.#parts;
    this.#missed.add(link);
    this.#task.imported = false;
    state.saveHubTask(this.#task);
    reporters.touch(hubTaskKey(this.#task.name));
    return true;
  }

  /** The first link that may be sent now; else the one that may be sent soonest. */
  #nextLink(now: Now): HubLink | undefined {
    let next: HubLink | undefined;
    let nextMs = Infinity;
    for (const link of this.#task.links) {
      const readyMs = Math.max(this.#readyAtMs(link), now.bootMs);
      if (readyMs < nextMs) [next, nextMs] = [link, readyMs];
    }
    return next;
  }

  #readyAtMs(link: HubLink): number {
    const retryAtMs = this.#retries.get(link)?.retryAtMs ?? 0;
    return Math.max(retryAtMs, this.#parts.hub.disabledUntilMs(link.operation));
  }

  #done(link: HubLink): void {
    this.#task.links = this.#task.links.filter((one) => one !== link);
    this.#retries.delete(link);
    this.#parts.state.saveHubTask(this.#task);
  }

  #run(): Run | undefined {
    return this.#parts.state.runs.get(this.#task.run ?? this.#task.promise?.run ?? '');
  }
}
