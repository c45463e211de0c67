/**
 * What the Hub is told of a task beside its state, each once: who the source server is, which resources it
 * stands for, what came out of it, how its application stands. Kept apart from the task's own speaker, so that
 * a link that fails (a missing Discovery role, say) never holds up a heartbeat.
 */
import type { Duty } from './agenda.ts';
import type { Call, Outcome } from './call.ts';
import type { Context } from './context.ts';
import { quarantine } from './hub-record.ts';
import type { HubLink, HubTask } from './hub-record.ts';
import type { HubJobSettings, Run } from './job.ts';
import type { Speaker } from './speaker.ts';
import { SECOND_MS } from './time.ts';
import type { Now } from './time.ts';
import { again } from './trouble.ts';
import type { Trouble } from './trouble.ts';

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

export class HubLinksSpeaker implements Speaker {
  readonly key: string;
  readonly #context: Context;
  readonly #task: HubTask;
  #trouble: Trouble | undefined;

  constructor(context: Context, task: HubTask) {
    this.key = hubLinksKey(task.name);
    this.#context = context;
    this.#task = task;
  }

  /** What stands in the way of the first link, for the outbox. */
  get trouble(): Trouble | undefined {
    return this.#trouble;
  }

  /** An operator wants the first link tried again now. */
  retry(): void {
    this.#trouble = undefined;
  }

  duty(now: Now): Duty | undefined {
    const link = this.#next(now);
    if (link === undefined || !this.#task.imported || !this.#context.hubIsReady()) return undefined;
    const restsUntilMs = this.#context.disabled.get(link.operation)?.untilMs ?? 0;
    const readyAtMs = Math.max(this.#trouble?.retryAtMs ?? 0, restsUntilMs);
    return { operation: link.operation, readyAtMs, sinceMs: readyAtMs };
  }

  call(now: Now): Call | undefined {
    const link = this.#next(now);
    const region = this.#context.hubRegion();
    const stream = this.#context.settings.migrationHub?.stream;
    if (link === undefined || region === undefined || stream === undefined) return undefined;
    if (link.operation === 'NotifyApplicationState') {
      const stampS = Math.floor(this.#context.serviceMs(now) / SECOND_MS);
      return { ...link, region, stampS };
    }
    return { ...link, region, stream, task: this.#task.name };
  }

  settled(call: Call, outcome: Outcome, now: Now): void {
    const link = this.#task.links.find((one) => one.operation === call.operation);
    if (outcome.kind === 'accepted') {
      this.#done(link);
      return;
    }
    const { reason } = outcome;
    if (outcome.kind === 'disabled') {
      this.#context.disable(call.operation, reason, now);
      return;
    }
    this.#trouble = again(this.#trouble, reason, Infinity, now, this.#context.random);
    if (outcome.kind !== 'refused' || link === undefined) return;
    if (!this.#context.isRegionSure(this.#trouble.firstAtMs)) return;
    const fields = { task: this.#task.name, operation: call.operation, reason };
    this.#context.note('report.refused', now, fields, this.#run());
    quarantine(this.#task, { run: this.#run()?.id ?? '', link, reason, at: now });
    this.#done(link);
  }

  /** The first link that may be said; a feature that rests holds up no other. */
  #next(now: Now): HubLink | undefined {
    const { links } = this.#task;
    const rests = ({ operation }: HubLink): boolean =>
      (this.#context.disabled.get(operation)?.untilMs ?? 0) > now.bootMs;
    return links.find((link) => !rests(link)) ?? links[0];
  }

  #done(link: HubLink | undefined): void {
    this.#task.links = this.#task.links.filter((one) => one !== link);
    this.#trouble = undefined;
    this.#context.ledger.keepHubTask(this.#task);
  }

  #run(): Run | undefined {
    return this.#context.ledger.runs.get(this.#task.run ?? this.#task.promise?.run ?? '');
  }
}

export function hubLinksKey(name: string): string {
  return `links:${name}`;
}

function applicationLink(hub: HubJobSettings, status: 'IN_PROGRESS' | 'COMPLETED'): HubLink[] {
  return hub.application === undefined
    ? []
    : [{ operation: 'NotifyApplicationState', application: hub.application, status }];
}
