/**
 * Reports one MigrationTask: imports it once, then reports the state of its run, with a promise (NextUpdateSeconds) for
 * the next report. Final reports of ended runs wait here in order and go first, exactly as they were made.
 */
import { defined } from '../lib/defined.ts';
import { DAY_MS, SECOND_MS, after } from '../lib/time.ts';
import type { Instant, Now } from '../lib/time.ts';
import type { Call, HubOperation, NotifyCall, Outcome } from '../model/call.ts';
import { isFinalStatus, nextStampS, restampFinalReports } from '../model/hub-task.ts';
import type { FinalReport, HubPromise, HubTask } from '../model/hub-task.ts';
import type { Run } from '../model/job.ts';
import { hubPayload } from '../model/report.ts';
import type { HubPayload } from '../model/report.ts';
import { timingText } from '../model/run-time.ts';
import type { HubSettings, SettingsHolder } from '../model/settings.ts';
import type { PendingCall } from '../scheduling/call-queue.ts';
import {
  deadlineOf,
  finalNextUpdateS,
  freshnessMs,
  nextUpdateS,
  renewAtMs,
  shutdownNextUpdateS,
  takeBackAtMs,
} from '../scheduling/deadlines.ts';
import type { Reporter } from '../scheduling/reporter.ts';
import { hubLinksKey, hubTaskKey } from '../scheduling/reporter-keys.ts';
import type { Reporters } from '../scheduling/reporters.ts';
import type { Retry } from '../scheduling/retry.ts';
import type { ServiceClock } from '../scheduling/service-clock.ts';
import type { Durability } from '../state/durability.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { Shutdown } from '../state/shutdown.ts';
import type { StampFloor } from '../state/stamp-floor.ts';
import type { Timeline } from '../state/timeline.ts';
import type { HubConnection } from './connection.ts';
import { hubRetryAfter, payloadOf } from './failures.ts';
import type { HubRetry } from './failures.ts';
import type { PromiseBudget } from './promise-budget.ts';

/** How often the service's time is asked for while the clock is not believed. */
const ASK_CLOCK_MS = 5 * SECOND_MS;

/** Shared by the reporters of all tasks. */
export interface HubTaskParts {
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
  readonly hub: HubConnection;
  readonly promises: PromiseBudget;
  readonly durability: Durability;
  readonly shutdown: Shutdown;
  readonly clock: ServiceClock;
  readonly stampFloor: StampFloor;
  readonly reporters: Reporters;
  readonly timeline: Timeline;
  readonly random: () => number;
  /** When this agent started. */
  readonly startedAt: Now;
}

export class HubTaskReporter implements Reporter {
  readonly key: string;
  readonly #parts: HubTaskParts;
  readonly #task: HubTask;
  readonly #jitter: number;
  #retry: HubRetry | undefined;
  /** The run that the call in flight is about: another may hold the task when the answer comes. */
  #reportedRun: string | undefined;
  /** The highest percent that may have been reported of the live run. */
  #reportedPercent: number | undefined;
  /** An import was answered by now: if there was no Date header, the host's clock has to do. */
  #isClockAsked = false;
  #askAgainAtMs = 0;
  /** The call in flight is a shutdown report. */
  #isShutdownReport = false;

  constructor(parts: HubTaskParts, task: HubTask) {
    this.key = hubTaskKey(task.name);
    this.#parts = parts;
    this.#task = task;
    this.#jitter = parts.random();
    this.#reportedPercent = parts.state.runs.get(task.run ?? '')?.percent;
  }

  blockedBy(): Retry | undefined {
    return this.#retry;
  }

  /** Now, and with the whole payload. */
  retry(): void {
    this.#retry = undefined;
  }

  next(now: Now): PendingCall | undefined {
    const { hub } = this.#parts;
    const task = this.#task;
    if (!hub.isReady) return undefined;
    this.#forgetOtherRegion();
    const [final] = task.finalReports;
    const run = this.#liveRun();
    if (final === undefined && run === undefined && task.links.length === 0) return undefined;
    if (this.#needsImport(now)) return this.#import(final?.since ?? run?.requestedAt ?? now);
    const repeated = this.#repeatedPromise();
    if (repeated !== undefined) return this.#heartbeat(repeated, false);
    if (final !== undefined) return this.#finalReport(final, now);
    return run && this.#report(run, now);
  }

  call(now: Now): Call | undefined {
    const { clock, hub, settings, shutdown } = this.#parts;
    const { migrationHub } = settings.current;
    const { region } = hub;
    if (migrationHub === undefined || region === undefined) return undefined;
    const task = this.#task;
    const address = { region, stream: migrationHub.stream, task: task.name };
    if (this.#needsImport(now)) return { operation: 'ImportMigrationTask', ...address };

    const repeated = this.#repeatedPromise();
    const [final] = task.finalReports;
    this.#reportedRun = repeated?.run ?? final?.run ?? task.run;
    this.#isShutdownReport = shutdown.requestedAt !== undefined;
    if (repeated === undefined && final !== undefined) {
      return {
        operation: 'NotifyMigrationTaskState',
        ...address,
        ...this.#reduced(final.payload),
        stampS: final.stampS,
        // Also for an opening: its run has ended, and nobody knows when the report of its end will be accepted.
        nextUpdateS: finalNextUpdateS(migrationHub),
      };
    }
    const run = this.#liveRun();
    const payload = repeated?.payload ?? (run && hubPayload(run));
    if (payload === undefined) return undefined;
    this.#reportedPercent = payload.percent;
    return {
      operation: 'NotifyMigrationTaskState',
      ...address,
      // A repeated report stays as it was.
      ...this.#timed(payload, repeated === undefined ? run : undefined, now),
      stampS: nextStampS(task, clock.nowMs(now)),
      nextUpdateS: this.#nextUpdateS(migrationHub),
    };
  }

  settled(call: Call, outcome: Outcome, now: Now, sentAt: Now): undefined {
    const { reporters, state } = this.#parts;
    const task = this.#task;
    if (outcome.kind !== 'accepted') {
      this.#retry = hubRetryAfter(this.#parts, task, this.#retry, call, outcome, now);
      return;
    }
    if (call.operation === 'ImportMigrationTask') {
      task.imported = true;
      this.#isClockAsked = true;
      this.#askAgainAtMs = now.bootMs + ASK_CLOCK_MS;
      state.saveHubTask(task);
      reporters.touch(hubLinksKey(task.name));
    } else if (call.operation === 'NotifyMigrationTaskState') {
      this.#accepted(call, now, sentAt);
      // Not after an import: a task that is imported and still missing must not be tried without a pause.
      const reset = { attempts: 0, retryAtMs: 0, isQuarantined: false };
      this.#retry = this.#retry?.refused && { ...this.#retry, ...reset };
    }
  }

  #accepted(call: NotifyCall, now: Now, sentAt: Now): void {
    const { durability, promises, state } = this.#parts;
    const task = this.#task;
    const before = task.promise;
    durability.reportChanged(this.key);
    const wasOffered = task.offered !== undefined;
    task.offered = undefined;
    const isFinal = task.finalReports[0]?.stampS === call.stampS;
    const final = isFinal ? task.finalReports.shift() : undefined;
    const id = final?.run ?? this.#reportedRun;
    if (id !== undefined) task.promise = this.#promiseOf(call, id, now, sentAt);
    const run = id === undefined ? undefined : state.runs.get(id);
    const isRenewal = !wasOffered && !isFinal && this.#isRenewal(before, run);
    this.#save(isRenewal, call.stampS, now);
    promises.offerToNext();
    if (id === undefined) return;
    if (final?.kind === 'end') this.#delivered(call, final, run, now);
    else this.#reported(call, run, now);
    if (before !== undefined) this.#checkPromise(before, run, now);
  }

  /** The disk may show the earlier promise for a while: it ends sooner, and everything else is the same. */
  #isRenewal(before: HubPromise | undefined, run: Run | undefined): boolean {
    const { promise } = this.#task;
    if (before === undefined || promise === undefined || run === undefined) return false;
    if (this.#parts.durability.isBehind || this.#isShutdownReport) return false;
    if (before.run !== promise.run || before.payload.status !== promise.payload.status)
      return false;
    return before.until.bootMs <= promise.until.bootMs;
  }

  #save(isRenewal: boolean, stampS: number, now: Now): void {
    const { stampFloor, state } = this.#parts;
    if (!isRenewal) state.saveHubTask(this.#task);
    else if (stampFloor.covers(stampS)) state.renewHubTask(this.#task, now);
    else {
      stampFloor.raise(stampS);
      state.saveHubTask(this.#task);
    }
  }

  #promiseOf(call: NotifyCall, run: string, now: Now, madeAt: Now): HubPromise {
    const endsMs = (call.stampS + call.nextUpdateS) * SECOND_MS;
    return {
      run,
      payload: payloadOf(call),
      madeAt,
      until: after(now, endsMs - this.#parts.clock.nowMs(now)),
      nextUpdateS: call.nextUpdateS,
      ...(this.#isShutdownReport ? { isShutdown: true } : {}),
    };
  }

  /** What one region refused, another may accept. */
  #forgetOtherRegion(): void {
    if (this.#retry !== undefined && this.#retry.region !== this.#parts.hub.region) this.retry();
  }

  #reported({ status, percent, nextUpdateS }: NotifyCall, run: Run | undefined, now: Now): void {
    const fields = { task: this.#task.name, status, percent, nextUpdateS };
    this.#parts.timeline.add('report.accepted', now, fields, run);
  }

  #delivered(
    { status, percent }: NotifyCall,
    { since }: FinalReport,
    run: Run | undefined,
    now: Now,
  ): void {
    if (run?.hub !== undefined) {
      run.hub.delivery = { state: 'delivered', at: now };
      this.#parts.state.saveRun(run);
    }
    const afterS = Math.max(0, Math.round((now.bootMs - since.bootMs) / SECOND_MS));
    const fields = { task: this.#task.name, status, percent, to: 'migrationHub', afterS };
    this.#parts.timeline.add('report.delivered', now, fields, run);
  }

  #checkPromise(before: HubPromise, run: Run | undefined, now: Now): void {
    const lateMs = now.bootMs - before.until.bootMs;
    if (lateMs <= 0 || isFinalStatus(before)) return;
    if (now.bootMs <= this.#renewedUntilMs(before)) {
      this.#parts.timeline.add('promise.unconfirmed', now, { task: this.#task.name }, run);
      return;
    }
    const fields = { task: this.#task.name, lateS: Math.round(lateMs / SECOND_MS) };
    this.#parts.timeline.add('promise.broken', now, fields, run);
  }

  /**
   * Until when a promise may hold, for all that is known here: an earlier agent may have renewed it until its death, while the
   * store refused changes.
   */
  #renewedUntilMs({ isShutdown, madeAt }: HubPromise): number {
    const { settings, startedAt } = this.#parts;
    const longestMs = settings.current.migrationHub?.nextUpdateMaxMs ?? 0;
    // Of an earlier boot, `madeAt` is known from wall clocks alone.
    const isEarlier = madeAt.bootMs < startedAt.bootMs || isShutdown === true;
    return isEarlier ? startedAt.bootMs + longestMs : -Infinity;
  }

  /**
   * A task is imported once, and again (which changes nothing in Migration Hub) to see the service's clock, while the
   * host's may be wrong by far: a stamp never goes back, so a task that was stamped in 2099 could show nothing more.
   */
  #needsImport(now: Now): boolean {
    return !this.#task.imported || !this.#mayStamp(now);
  }

  #mayStamp(now: Now): boolean {
    const { clock } = this.#parts;
    if (!clock.isBelieved(now)) return false;
    if (clock.isConfirmed || this.#isClockAsked) return true;
    // Final reports were stamped when their runs ended, by whatever clock the host had then: nothing vouches for it yet.
    if (this.#task.finalReports.length > 0) return false;
    const sinceLastMs = clock.nowMs(now) - this.#task.lastStampS * SECOND_MS;
    return Math.abs(sinceLastMs) < DAY_MS;
  }

  #import(since: Instant): PendingCall {
    const pending = this.#statusChange('ImportMigrationTask', since);
    const readyAtMs = Math.max(pending.readyAtMs, this.#askAgainAtMs);
    // Another import of an imported task only asks for the time: it needs no disk, and heartbeats wait for it.
    return { ...pending, readyAtMs, ...(this.#task.imported ? { isDurable: true } : {}) };
  }

  #finalReport(final: FinalReport, now: Now): PendingCall {
    const { clock, durability, state } = this.#parts;
    const change = this.#statusChange('NotifyMigrationTaskState', final.since);
    let pending = change;
    if (restampFinalReports(this.#task, clock.nowMs(now), now)) {
      state.saveHubTask(this.#task);
      durability.reportChanged(this.key);
      // Not in this turn, whose changes are on disk already: the stamp is written in the next one.
      pending = { ...change, readyAtMs: Math.max(change.readyAtMs, now.bootMs + 1) };
    }
    const isHeld = durability.isUnrecorded(this.key) || durability.isEndHeld(final.run);
    return isHeld ? pending : { ...pending, isDurable: true };
  }

  /** The next report of the live run. */
  #report(run: Run, now: Now): PendingCall | undefined {
    const { promise } = this.#task;
    const payload = this.#reduced(hubPayload(run));
    // A task whose earlier run has ended is opened again with IN_PROGRESS; a queued run has nothing to report yet.
    const hasEnded = promise !== undefined && isFinalStatus(promise);
    if (payload.status === 'NOT_STARTED' && hasEnded) return undefined;
    const isFirst = promise?.run !== run.id;
    if (isFirst && !this.#parts.promises.tryReserve(this.#task, run.id, now)) return undefined;
    if (isFirst || promise.payload.status !== payload.status) {
      const since = run.startedAt ?? run.requestedAt;
      const pending = this.#statusChange('NotifyMigrationTaskState', since);
      return { ...pending, readyAtMs: Math.max(pending.readyAtMs, this.#nextSecondMs(now)) };
    }
    const { percent, detail } = promise.payload;
    return this.#heartbeat(promise, percent !== payload.percent || detail !== payload.detail);
  }

  /**
   * While the store refuses changes, nothing new is reported, since a crash would forget it: the last report is
   * repeated.
   */
  #repeatedPromise(): HubPromise | undefined {
    const { durability } = this.#parts;
    const { finalReports, promise, run } = this.#task;
    if (!durability.isBehind || promise === undefined || isFinalStatus(promise)) return undefined;
    const [final] = finalReports;
    const isRepeated = final === undefined ? promise.run === run : durability.isEndHeld(final.run);
    if (!isRepeated) return undefined;
    const percent = this.#reportedPercent;
    if (percent === undefined) return promise;
    return { ...promise, payload: { ...promise.payload, percent } };
  }

  #heartbeat(promise: HubPromise, isChanged: boolean): PendingCall {
    const renewMs = renewAtMs(promise, this.#jitter);
    const freshMs = isChanged ? promise.madeAt.bootMs + this.#freshnessMs() : renewMs;
    const earliestMs = Math.min(renewMs, freshMs, this.#replaceAtMs(promise));
    return {
      operation: 'NotifyMigrationTaskState',
      readyAtMs: Math.max(earliestMs, this.#retry?.retryAtMs ?? 0),
      deadline: deadlineOf(promise),
    };
  }

  /** When the promise is replaced early: too short for an agent that ends, or too long, since one that ended made it. */
  #replaceAtMs(promise: HubPromise): number {
    const { shutdown, startedAt } = this.#parts;
    if (shutdown.needsReport(promise.madeAt)) return promise.madeAt.bootMs;
    const isLeft = shutdown.requestedAt === undefined && promise.isShutdown === true;
    return isLeft ? takeBackAtMs(startedAt, this.#jitter) : Infinity;
  }

  #nextUpdateS(hub: HubSettings): number {
    if (this.#isShutdownReport) return shutdownNextUpdateS(hub);
    const { promises } = this.#parts;
    return nextUpdateS(hub, promises.live, promises.rate());
  }

  #statusChange(operation: HubOperation, since: Instant): PendingCall {
    const { promise } = this.#task;
    // A task with a promise must keep it, however many status changes others have.
    const isPromised = promise !== undefined && !isFinalStatus(promise);
    return {
      operation,
      readyAtMs: this.#retry?.retryAtMs ?? 0,
      sinceMs: since.bootMs,
      ...defined({ deadline: isPromised ? deadlineOf(promise) : undefined }),
    };
  }

  /** UpdateDateTime has whole seconds: two reports within one second would have the same stamp. */
  #nextSecondMs(now: Now): number {
    const waitMs = (this.#task.lastStampS + 1) * SECOND_MS - this.#parts.clock.nowMs(now);
    return waitMs > 0 && waitMs <= SECOND_MS ? now.bootMs + waitMs : 0;
  }

  #freshnessMs(): number {
    const { promises } = this.#parts;
    return freshnessMs(promises.live, promises.rate());
  }

  /** The status alone, if a payload with this status and detail was refused. A higher percent changes nothing there. */
  #reduced(payload: HubPayload): HubPayload {
    const refused = this.#retry?.refused;
    const isLike = refused?.status === payload.status && refused.detail === payload.detail;
    return isLike ? { status: payload.status } : payload;
  }

  #timed(
    payload: HubPayload,
    run: Run | undefined,
    now: Now,
  ): HubPayload & { readonly timing?: string } {
    const reduced = this.#reduced(payload);
    // After a refusal the status alone is sent.
    if (run === undefined || reduced !== payload) return reduced;
    return { ...payload, ...defined({ timing: timingText(run, now) }) };
  }

  #liveRun(): Run | undefined {
    const { run } = this.#task;
    return run === undefined ? undefined : this.#parts.state.liveRuns.get(run);
  }
}
