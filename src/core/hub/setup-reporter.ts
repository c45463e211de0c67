/**
 * What must be known before a task can be told to the Hub: the home region, and that the stream is there.
 * Writes outside the home region are refused, so the region is asked for first (API reference, GetHomeRegion:
 * "at least once before you call any other"); it is kept, and asked again when a write is refused.
 */
import { HUB_SETUP_KEY } from '../scheduling/reporter-keys.ts';
import type { PendingCall } from '../scheduling/call-queue.ts';
import type { Call, Outcome } from '../model/call.ts';
import type { Context } from '../scheduling/context.ts';
import { retryDelayMs } from '../scheduling/pacing.ts';
import type { Reporter } from '../scheduling/reporter.ts';
import { MINUTE_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

/** An account without home region is looked at again so often; somebody has to set it. */
const HOMELESS_RETRY_MS = 2 * MINUTE_MS;

export class HubSetupReporter implements Reporter {
  readonly key = HUB_SETUP_KEY;
  readonly #context: Context;
  #attempts = 0;
  #retryAtMs = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  next(): PendingCall | undefined {
    const operation = this.#next();
    if (operation === undefined) return undefined;
    return { operation, readyAtMs: this.#retryAtMs, sinceMs: this.#retryAtMs };
  }

  call(): Call | undefined {
    const hub = this.#context.settings.migrationHub;
    const region = this.#context.hubRegion();
    switch (this.#next()) {
      case 'GetHomeRegion':
        return { operation: 'GetHomeRegion' };
      case 'CreateProgressUpdateStream':
        return hub === undefined || region === undefined
          ? undefined
          : { operation: 'CreateProgressUpdateStream', region, stream: hub.stream };
      case undefined:
        return undefined;
    }
  }

  settled(call: Call, outcome: Outcome, now: Now): void {
    if (outcome.kind !== 'accepted') {
      this.#attempts++;
      this.#retryAtMs = now.bootMs + retryDelayMs(this.#attempts, Infinity, this.#context.random);
      this.#failed(call, outcome, now);
      return;
    }
    this.#attempts = 0;
    this.#retryAtMs = 0;
    if (call.operation === 'GetHomeRegion') {
      const region = outcome.answer.homeRegion;
      if (region === undefined) this.#homeless('GetHomeRegion answered that none is set', now);
      else this.#context.regionAnswered(region, now);
    }
    if (call.operation === 'CreateProgressUpdateStream') {
      this.#context.streamCreated(`${call.region}/${call.stream}`, now);
      this.#context.addEvent('hub.stream_ready', now, { stream: call.stream, region: call.region });
    }
  }

  #failed(call: Call, outcome: Exclude<Outcome, { kind: 'accepted' }>, now: Now): void {
    if (outcome.kind === 'no-home-region') this.#homeless(outcome.reason, now);
    if (call.operation === 'GetHomeRegion') {
      // Who may not ask learns nothing by waiting: what was known before has to do.
      if (outcome.kind === 'denied' && this.#context.hubRegion() !== undefined) {
        this.#context.isRegionDoubtful = false;
        this.#context.regionKnownAtMs = now.bootMs;
      }
    } else if (outcome.kind === 'refused') {
      this.#context.isRegionSure(now.bootMs);
    }
  }

  #next(): 'GetHomeRegion' | 'CreateProgressUpdateStream' | undefined {
    const hub = this.#context.settings.migrationHub;
    if (hub === undefined) return undefined;
    if (hub.region === undefined) {
      if (this.#context.hubRegion() === undefined || this.#context.isRegionDoubtful) {
        return 'GetHomeRegion';
      }
    }
    return this.#context.hubIsReady() ? undefined : 'CreateProgressUpdateStream';
  }

  #homeless(reason: string, now: Now): void {
    this.#retryAtMs = now.bootMs + HOMELESS_RETRY_MS;
    this.#context.isRegionDoubtful = false;
    this.#context.noHomeRegion(reason, now);
  }
}
