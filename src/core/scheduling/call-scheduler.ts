/**
 * Calls to the services: who speaks when a gate gives a call, who waits for an answer, how an operation is doing. A
 * gate pulls: the most urgent speaker is chosen when there is a call to give, and speaks from the newest state.
 */
import type { Action } from '../model/action.ts';
import { CallQueue } from './call-queue.ts';
import type { PendingCall } from './call-queue.ts';
import type { Call, Operation } from '../model/call.ts';
import { wakingUntilMs } from './waking.ts';
import type { Context } from './context.ts';
import type { Event } from '../model/event.ts';
import { HUB_SETUP_KEY } from './reporter-keys.ts';
import { hubLinksKey, hubTaskKey } from './reporter-keys.ts';
import type { Pacing } from './pacing.ts';
import { pollerKey } from './reporter-keys.ts';
import type { Reporter, ReporterEntry } from './reporter.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

/** A change of what is known of the service's clock that is worth telling. */
const OFFSET_STEP_MS = 2 * SECOND_MS;

export class CallScheduler {
  readonly pacing: Pacing;
  readonly #context: Context;
  readonly #queue = new CallQueue<Reporter | undefined>();
  /** Calls that a gate was asked for and has not given yet; and those it gave that are not used yet. */
  readonly #asked = new Map<Operation, number>();
  readonly #granted = new Map<Operation, number>();
  readonly #inFlight = new Map<
    number,
    { readonly item: ReporterEntry; readonly speaker: Reporter }
  >();
  readonly #speaking = new Set<ReporterEntry>();
  #nextCallId = 1;

  constructor(context: Context) {
    this.#context = context;
    this.pacing = context.pacing;
  }

  /** A poll in flight may bring a task, which is owned at once. */
  get pollsInFlight(): number {
    return this.pacing.of('PollForTask').inFlight;
  }

  gateOpened(operation: Operation, slots: number): void {
    add(this.#asked, operation, -slots);
    add(this.#granted, operation, slots);
  }

  /** What is to be asked of gates and said to services now. */
  decide(now: Now): Action[] {
    const actions: Action[] = [];
    const isWaking = wakingUntilMs(this.#context, now) !== undefined;
    for (const operation of this.#queue.operations()) {
      if (isWaking && operation !== 'ReportTaskProgress') {
        this.#giveBack(operation, this.#granted.get(operation) ?? 0, actions);
        continue;
      }
      this.#serve(operation, now, actions);
    }
    return actions;
  }

  /** True while something is being said, or could be before `untilMs`. Polls are not waited for: nobody is owed one. */
  isBusy(now: Now, untilMs: number): boolean {
    return [...this.#queue.operations()].some((operation) => {
      if (operation === 'PollForTask') return false;
      const { inFlight, pausedUntilMs } = this.pacing.of(operation);
      if (inFlight > 0) return true;
      return pausedUntilMs < untilMs && this.#queue.ready(operation, now.bootMs) > 0;
    });
  }

  /** When a waiting speaker becomes ready or a pause ends, on the boot clock. */
  wakeAtMs(now: Now): number {
    let wakeMs = wakingUntilMs(this.#context, now) ?? Infinity;
    for (const operation of this.#queue.operations()) {
      const pace = this.pacing.of(operation);
      const readyAtMs =
        this.#queue.ready(operation, now.bootMs) > 0
          ? pace.pausedUntilMs
          : this.#queue.nextReadyAtMs(operation);
      // A ready speaker whose operation is not paused waits for a gate or an answer: an event, not a time.
      if (readyAtMs !== undefined && readyAtMs > now.bootMs) {
        wakeMs = Math.min(wakeMs, Math.max(readyAtMs, pace.pausedUntilMs));
      }
    }
    return wakeMs;
  }

  /** Puts what changed in this turn onto the agenda. A speaker with a call in flight waits for its answer. */
  refresh(now: Now): void {
    if (this.#context.hubChanged) {
      this.#context.hubChanged = false;
      this.#context.touch(HUB_SETUP_KEY);
      for (const task of this.#context.state.hubTasks.keys()) {
        this.#context.touch(hubTaskKey(task));
        this.#context.touch(hubLinksKey(task));
      }
    }
    for (const group of this.#context.settings.dataPipeline?.workerGroups ?? []) {
      this.#context.touch(pollerKey(group));
    }
    for (const item of this.#context.takeTouched()) {
      const speaker = this.#speaking.has(item) ? undefined : item.owner;
      const duty = speaker?.next(now);
      this.#queue.set(item, this.#maySay(duty) ? duty : undefined);
    }
  }

  /** While the disk refuses, heartbeats go on, so that nobody goes stale; of words only those that are on disk. */
  #maySay(duty: PendingCall | undefined): boolean {
    return !this.#context.isBehind || duty?.sinceMs === undefined || duty.isDurable === true;
  }

  /** Asks an operation's gate for what its ready speakers need, and spends what it gave. */
  #serve(operation: Operation, now: Now, actions: Action[]): void {
    const granted = this.#granted.get(operation) ?? 0;
    let left = Math.min(granted, Math.max(0, this.pacing.room(operation, now.bootMs)));
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
    const wanted = Math.min(ready, this.pacing.room(operation, now.bootMs)) - asked;
    if (wanted > 0) {
      add(this.#asked, operation, wanted);
      actions.push({ type: 'ask-gate', operation, slots: wanted });
    }
  }

  /** A call that is not made now must not be kept: made later, it would come on top of what the gate gives then. */
  #giveBack(operation: Operation, slots: number, actions: Action[]): void {
    if (slots > 0) actions.push({ type: 'return-slots', operation, slots });
    this.#granted.delete(operation);
  }

  /** The call of the most urgent speaker that has one. */
  #nextCall(operation: Operation, now: Now): { id: number; call: Call } | undefined {
    for (;;) {
      const item = this.#queue.take(operation, now.bootMs);
      if (item === undefined) return undefined;
      const speaker = item.owner;
      const call = speaker?.call(now);
      if (speaker === undefined || call?.operation !== operation) {
        this.#context.touchItem(item);
        continue;
      }
      const id = this.#nextCallId++;
      this.#inFlight.set(id, { item, speaker });
      this.#speaking.add(item);
      this.pacing.began(operation, now.bootMs, this.#context.settings.rates[operation].perSecond);
      return { id, call };
    }
  }

  settled(event: Extract<Event, { type: 'call-settled' }>, now: Now): void {
    const { call, outcome, sentAt } = event;
    const inFlight = this.#inFlight.get(event.id);
    if (inFlight === undefined) return;
    const { item, speaker } = inFlight;
    this.#inFlight.delete(event.id);
    this.#speaking.delete(item);
    this.pacing.of(call.operation).inFlight--;
    if (outcome.serverDateMs !== undefined) {
      this.#learnClock(outcome.serverDateMs, sentAt, now);
    }
    const change = this.pacing.settled(call.operation, outcome, now.bootMs, this.#context.random);
    if (sentAt.bootMs >= (this.#context.wokeAt?.bootMs ?? 0))
      this.#context.unconfirmed.delete(speaker.key);
    speaker.settled(call, outcome, now, sentAt);
    this.#context.touchItem(item);

    const { operation } = call;
    if (outcome.kind !== 'accepted') {
      const event = outcome.kind === 'throttled' ? 'report.throttled' : 'report.failed';
      const fields = { operation, outcome: outcome.kind, reason: outcome.reason };
      const retryInMs = Math.round(this.pacing.of(operation).pausedUntilMs - now.bootMs);
      this.#context.addEvent(
        event,
        now,
        retryInMs > 0 ? { ...fields, pausedForMs: retryInMs } : fields,
      );
    }
    if (change === 'failing' && outcome.kind !== 'accepted') {
      this.#context.addEvent('service.failing', now, {
        operation,
        outcome: outcome.kind,
        reason: outcome.reason,
      });
    }
    if (change === 'recovered') this.#context.addEvent('service.recovered', now, { operation });
  }

  #learnClock(serverDateMs: number, sentAt: Now, now: Now): void {
    const before = this.#context.offset.ms;
    this.#context.offset.learn(serverDateMs, sentAt, now);
    const offsetMs = this.#context.offset.ms;
    this.#context.saveOffset(now);
    if (Math.abs(offsetMs - before) >= OFFSET_STEP_MS) {
      this.#context.movePromises(offsetMs - before);
      this.#context.addEvent('clock.offset', now, { offsetS: Math.round(offsetMs / SECOND_MS) });
    }
  }
}

function add(counts: Map<Operation, number>, operation: Operation, by: number): void {
  counts.set(operation, Math.max(0, (counts.get(operation) ?? 0) + by));
}
