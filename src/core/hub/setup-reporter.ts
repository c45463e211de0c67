/**
 * Sets up what every report needs: the home region, and the stream. Migration Hub refuses writes outside the home region,
 * so GetHomeRegion is called first (API reference: "at least once before you call any other"). The region is kept, and
 * GetHomeRegion is called again when a write is refused.
 */
import { MINUTE_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { Call, Outcome } from '../model/call.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { PendingCall } from '../scheduling/call-queue.ts';
import { retryDelayMs } from '../scheduling/pacing.ts';
import type { Reporter } from '../scheduling/reporter.ts';
import { HUB_SETUP_KEY } from '../scheduling/reporter-keys.ts';
import type { Timeline } from '../state/timeline.ts';
import type { HubConnection } from './connection.ts';

/** How often an account without a home region is asked again; an administrator has to set one. */
const NO_REGION_RETRY_MS = 2 * MINUTE_MS;

interface Parts {
  readonly settings: SettingsHolder;
  readonly hub: HubConnection;
  readonly timeline: Timeline;
  readonly random: () => number;
}

export class HubSetupReporter implements Reporter {
  readonly key = HUB_SETUP_KEY;
  readonly #parts: Parts;
  #attempts = 0;
  #retryAtMs = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  next(): PendingCall | undefined {
    const operation = this.#operation();
    if (operation === undefined) return undefined;
    // Also while the store refuses changes: heartbeats wait for it, and an answer that is forgotten is asked for again.
    return { operation, readyAtMs: this.#retryAtMs, sinceMs: this.#retryAtMs, isDurable: true };
  }

  call(): Call | undefined {
    const { hub, settings } = this.#parts;
    const { region } = hub;
    const stream = settings.current.migrationHub?.stream;
    switch (this.#operation()) {
      case 'GetHomeRegion':
        return { operation: 'GetHomeRegion' };
      case 'CreateProgressUpdateStream':
        return stream === undefined || region === undefined
          ? undefined
          : { operation: 'CreateProgressUpdateStream', region, stream };
      case undefined:
        return undefined;
    }
  }

  settled(call: Call, outcome: Outcome, now: Now): undefined {
    const { hub, settings, timeline } = this.#parts;
    if (outcome.serverDateMs !== undefined) hub.timeAnswered();
    // Asked for the time alone, and for nothing that an answer without it could still bring.
    const isForTime =
      call.operation === 'GetHomeRegion' && settings.current.migrationHub?.region !== undefined;
    if (isForTime && outcome.kind !== 'unavailable' && outcome.kind !== 'throttled') {
      hub.timeAnswered();
      this.#hasAnswered();
      return;
    }
    if (outcome.kind !== 'accepted') {
      this.#attempts++;
      this.#retryAtMs = now.bootMs + retryDelayMs(this.#attempts, Infinity, this.#parts.random);
      this.#failed(call, outcome, now);
      return;
    }
    this.#hasAnswered();
    if (call.operation === 'GetHomeRegion') {
      const region = outcome.answer.homeRegion;
      if (region === undefined) this.#noRegion('GetHomeRegion answered that none is set', now);
      else hub.regionAnswered(region, now);
    }
    if (call.operation === 'CreateProgressUpdateStream') {
      const { region, stream } = call;
      hub.streamCreated(`${region}/${stream}`, now);
      timeline.add('hub.stream_ready', now, { stream, region });
    }
  }

  #hasAnswered(): void {
    this.#attempts = 0;
    this.#retryAtMs = 0;
  }

  #failed(call: Call, outcome: Exclude<Outcome, { kind: 'accepted' }>, now: Now): void {
    const { hub } = this.#parts;
    if (outcome.kind === 'no-home-region') this.#noRegion(outcome.reason, now);
    if (call.operation === 'GetHomeRegion') {
      if (outcome.kind === 'denied') hub.regionUnavailable(now);
    } else if (call.operation === 'CreateProgressUpdateStream' && outcome.kind === 'denied') {
      hub.streamDenied(`${call.region}/${call.stream}`, outcome.reason);
    } else if (outcome.kind === 'refused') {
      hub.confirmRegion(now.bootMs);
    }
  }

  #operation(): 'GetHomeRegion' | 'CreateProgressUpdateStream' | undefined {
    const { hub, settings } = this.#parts;
    const { migrationHub } = settings.current;
    if (migrationHub === undefined) return undefined;
    const isAsked = migrationHub.region === undefined;
    if (isAsked && (hub.region === undefined || hub.isRegionDoubtful)) return 'GetHomeRegion';
    if (!hub.isReady) return 'CreateProgressUpdateStream';
    return hub.isTimeAsked ? 'GetHomeRegion' : undefined;
  }

  #noRegion(reason: string, now: Now): void {
    this.#retryAtMs = now.bootMs + NO_REGION_RETRY_MS;
    this.#parts.hub.homeRegionAbsent(reason, now);
  }
}
