/**
 * What the Hub is told of a task beside its state, each once: who the source server is, which resources it
 * stands for, what came out of it, how its application stands. Kept apart from the task's own speaker, so that
 * a link that fails (a missing Discovery role, say) never holds up a heartbeat.
 */
import type { Duty } from './agenda.ts';
import type { Call, Outcome } from './call.ts';
import type { Context } from './context.ts';
import type { HubLink, HubTask } from './hub-record.ts';
import type { HubJobSettings, Run } from './job.ts';
import { retryDelayMs } from './pacing.ts';
import type { Speaker } from './speaker.ts';
import { SECOND_MS } from './time.ts';
import type { Now } from './time.ts';

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
  #attempts = 0;
  #retryAtMs = 0;

  constructor(context: Context, task: HubTask) {
    this.key = hubLinksKey(task.name);
    this.#context = context;
    this.#task = task;
  }

  duty(): Duty | undefined {
    const link = this.#task.links[0];
    if (link === undefined || !this.#task.imported || !this.#context.hubIsReady()) return undefined;
    return {
      operation: link.operation,
      readyAtMs: this.#retryAtMs,
      sinceMs: this.#retryAtMs,
    };
  }

  call(now: Now): Call | undefined {
    const link = this.#task.links[0];
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
    if (outcome.kind === 'accepted') {
      this.#done();
      return;
    }
    this.#attempts++;
    this.#retryAtMs = now.bootMs + retryDelayMs(this.#attempts, Infinity, this.#context.random);
    if (outcome.kind === 'refused') {
      const run = this.#run();
      const fields = { task: this.#task.name, operation: call.operation, reason: outcome.reason };
      this.#context.note('report.refused', now, fields, run);
      this.#done();
    }
  }

  #done(): void {
    this.#task.links.shift();
    this.#attempts = 0;
    this.#retryAtMs = 0;
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
