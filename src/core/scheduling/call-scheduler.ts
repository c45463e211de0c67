/**
 * Which reporter makes the next call of an operation, which calls are in flight, and what their answers mean for the
 * operation's health. A gate pulls: the most urgent reporter is chosen when the gate grants a call, and builds it from
 * the newest state.
 */
import { defined } from '../lib/defined.ts';
import type { Now } from '../lib/time.ts';
import type { Action } from '../model/action.ts';
import type { Call, Operation } from '../model/call.ts';
import type { Event } from '../model/event.ts';
import type { Fact } from '../model/fact.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { Durability } from '../state/durability.ts';
import type { Timeline } from '../state/timeline.ts';
import { CallQueue } from './call-queue.ts';
import type { PendingCall } from './call-queue.ts';
import type { Pacing } from './pacing.ts';
import type { Reporter, ReporterEntry } from './reporter.ts';
import type { Reporters } from './reporters.ts';
import type { ResumeHold } from './resume-hold.ts';

interface Parts {
  readonly settings: SettingsHolder;
  readonly pacing: Pacing;
  readonly reporters: Reporters;
  readonly durability: Durability;
  readonly resumeHold: ResumeHold;
  readonly timeline: Timeline;
  readonly random: () => number;
}

interface InFlight {
  readonly entry: ReporterEntry;
  readonly reporter: Reporter;
}

export class CallScheduler {
  readonly #parts: Parts;
  readonly #queue = new CallQueue<Reporter | undefined>();
  /** Calls that a gate was asked for and has not granted yet; and granted calls that are not used yet. */
  readonly #asked = new Map<Operation, number>();
  readonly #granted = new Map<Operation, number>();
  readonly #inFlight = new Map<number, InFlight>();
  readonly #calling = new Set<ReporterEntry>();
  #nextCallId = 1;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  gateOpened(operation: Operation, slots: number): void {
    add(this.#asked, operation, -slots);
    add(this.#granted, operation, slots);
  }

  /** What to ask the gates for, and which calls to make, now. */
  decide(now: Now): Action[] {
    const actions: Action[] = [];
    const isHeld = this.#parts.resumeHold.untilMs(now) !== undefined;
    for (const operation of this.#queue.operations()) {
      if (isHeld && operation !== 'ReportTaskProgress') {
        this.#giveBack(operation, this.#granted.get(operation) ?? 0, actions);
        continue;
      }
      this.#serve(operation, now, actions);
    }
    return actions;
  }

  /** True while a call is in flight or could be made before `untilMs`. Polls do not count: no status depends on them. */
  isBusy(now: Now, untilMs: number): boolean {
    return [...this.#queue.operations()].some((operation) => {
      if (operation === 'PollForTask') return false;
      const { inFlight, pausedUntilMs } = this.#parts.pacing.of(operation);
      if (inFlight > 0) return true;
      return pausedUntilMs < untilMs && this.#queue.ready(operation, now.bootMs) > 0;
    });
  }

  /** When a waiting reporter becomes ready or a pause ends, on the boot clock. */
  wakeAtMs(now: Now): number {
    let wakeMs = this.#parts.resumeHold.untilMs(now) ?? Infinity;
    for (const operation of this.#queue.operations()) {
      const { pausedUntilMs } = this.#parts.pacing.of(operation);
      const readyAtMs =
        this.#queue.ready(operation, now.bootMs) > 0
          ? pausedUntilMs
          : this.#queue.nextReadyAtMs(operation);
      // A ready reporter whose operation is not paused waits for a gate or an answer: an event, not a time.
      if (readyAtMs !== undefined && readyAtMs > now.bootMs) {
        wakeMs = Math.min(wakeMs, Math.max(readyAtMs, pausedUntilMs));
      }
    }
    return wakeMs;
  }

  /** Updates the queue for the reporters touched in this turn. A reporter with a call in flight waits for its answer. */
  refresh(now: Now): void {
    for (const entry of this.#parts.reporters.takeTouched()) {
      const reporter = this.#calling.has(entry) ? undefined : entry.owner;
      const pending = reporter?.next(now);
      this.#queue.set(entry, this.#mayBeMade(pending) ? pending : undefined, now.bootMs);
    }
  }

  /** Handles a call's outcome. Returns what it means beyond its reporter. */
  settled(event: Extract<Event, { type: 'call-settled' }>, now: Now): Fact | undefined {
    const { call, outcome, sentAt } = event;
    const inFlight = this.#inFlight.get(event.id);
    if (inFlight === undefined) return undefined;
    const { entry, reporter } = inFlight;
    const { operation } = call;
    const { pacing, random, reporters, resumeHold, timeline } = this.#parts;
    this.#inFlight.delete(event.id);
    this.#calling.delete(entry);
    pacing.of(operation).inFlight--;
    const change = pacing.settled(operation, outcome, now.bootMs, random);
    resumeHold.answered(reporter.key, sentAt);
    const fact = reporter.settled(call, outcome, now, sentAt);
    reporters.touchEntry(entry);
    if (outcome.kind !== 'accepted') {
      const { kind, reason } = outcome;
      const pausedForMs = Math.round(pacing.of(operation).pausedUntilMs - now.bootMs);
      timeline.add(kind === 'throttled' ? 'report.throttled' : 'report.failed', now, {
        operation,
        outcome: kind,
        reason,
        ...defined({ pausedForMs: pausedForMs > 0 ? pausedForMs : undefined }),
      });
      if (change === 'failing') {
        timeline.add('service.failing', now, { operation, outcome: kind, reason });
      }
    }
    if (change === 'recovered') timeline.add('service.recovered', now, { operation });
    return fact;
  }

  /** While the store refuses changes, heartbeats go on; of reports of a change, only those that are on disk. */
  #mayBeMade(pending: PendingCall | undefined): boolean {
    if (!this.#parts.durability.isBehind) return true;
    return pending?.sinceMs === undefined || pending.isDurable === true;
  }

  /** Asks an operation's gate for the calls that ready reporters need, and uses the calls it granted. */
  #serve(operation: Operation, now: Now, actions: Action[]): void {
    const { pacing, settings } = this.#parts;
    const { perSecond } = settings.current.rates[operation];
    const granted = this.#granted.get(operation) ?? 0;
    let left = Math.min(granted, Math.max(0, pacing.room(operation, now.bootMs, perSecond)));
    const spare = granted - left;
    while (left > 0) {
      const call = this.#nextCall(operation, now);
      if (call === undefined) break;
      actions.push({ type: 'call', ...call });
      left--;
    }
    this.#giveBack(operation, left + spare, actions);

    const asked = this.#asked.get(operation) ?? 0;
    const ready = this.#queue.ready(operation, now.bootMs);
    const wanted = Math.min(ready, pacing.room(operation, now.bootMs, perSecond)) - asked;
    if (wanted > 0) {
      add(this.#asked, operation, wanted);
      actions.push({ type: 'ask-gate', operation, slots: wanted });
    }
  }

  /** Returns unused calls now; using them later would exceed the rate limit. */
  #giveBack(operation: Operation, slots: number, actions: Action[]): void {
    if (slots > 0) actions.push({ type: 'return-slots', operation, slots });
    this.#granted.delete(operation);
  }

  /** The call of the most urgent reporter that has one. */
  #nextCall(operation: Operation, now: Now): { id: number; call: Call } | undefined {
    const { pacing, reporters, settings } = this.#parts;
    for (;;) {
      const entry = this.#queue.take(operation, now.bootMs);
      if (entry === undefined) return undefined;
      const reporter = entry.owner;
      const call = reporter?.call(now);
      if (reporter === undefined || call?.operation !== operation) {
        reporters.touchEntry(entry);
        continue;
      }
      const id = this.#nextCallId++;
      this.#inFlight.set(id, { entry, reporter });
      this.#calling.add(entry);
      pacing.began(operation, now.bootMs, settings.current.rates[operation].perSecond);
      return { id, call };
    }
  }
}

function add(counts: Map<Operation, number>, operation: Operation, by: number): void {
  counts.set(operation, Math.max(0, (counts.get(operation) ?? 0) + by));
}
