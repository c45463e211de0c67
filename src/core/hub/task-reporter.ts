/**
 * One MigrationTask: imported once, then told how the run under its name stands, with a promise for the next
 * report. Last words of ended runs wait here in order and go first, exactly as they were made.
 */
import type { PendingCall } from '../scheduling/call-queue.ts';
import type { Call, HubOperation, NotifyCall, Outcome } from '../model/call.ts';
import type { Context } from '../scheduling/context.ts';
import {
  deadlineOf,
  shutdownNextUpdateS,
  finalNextUpdateS,
  freshnessMs,
  nextUpdateS,
  renewAtMs,
  takeBackAtMs,
} from '../scheduling/deadlines.ts';
import { needsShutdownReport } from '../scheduling/farewell.ts';
import { hubLinksKey, hubTaskKey } from '../scheduling/reporter-keys.ts';
import { isFinalStatus, isPromised, nextStampS } from '../model/hub-task.ts';
import type { HubPromise, HubTask } from '../model/hub-task.ts';
import { hubRetryAfter, payloadOf } from './failures.ts';
import type { HubRetry } from './failures.ts';
import type { Run } from '../model/job.ts';
import { hubPayload } from '../model/report.ts';
import type { HubPayload } from '../model/report.ts';
import type { HubSettings, Rate } from '../model/settings.ts';
import type { Reporter } from '../scheduling/reporter.ts';
import { SECOND_MS, after } from '../lib/time.ts';
import type { Instant, Now } from '../lib/time.ts';
import type { Retry } from '../scheduling/retry.ts';

export class HubTaskReporter implements Reporter {
  readonly key: string;
  readonly #context: Context;
  readonly #task: HubTask;
  readonly #early: number;
  #trouble: HubRetry | undefined;
  /** The run that the call in flight is about: another may hold the task when its answer comes. */
  #spokenOf: string | undefined;
  /** The highest percent that the live run may have been told with. */
  #percentSaid: number | undefined;
  /** Something was told that the disk does not know of: after a crash it is told again, and nothing may have followed. */
  #isAhead = false;
  /** The call in flight carries the promise of an agent that stops. */
  #isFarewell = false;

  constructor(context: Context, task: HubTask) {
    this.key = hubTaskKey(task.name);
    this.#context = context;
    this.#task = task;
    this.#early = context.random();
    this.#percentSaid = context.state.runs.get(task.run ?? '')?.percent;
  }

  /** What stands in the way of the next report, for `status` and the outbox. */
  get trouble(): Retry | undefined {
    return this.#trouble;
  }

  /** An operator wants it tried again: now, and whole. */
  retry(): void {
    this.#trouble = undefined;
  }

  next(now: Now): PendingCall | undefined {
    const task = this.#task;
    if (!this.#context.hubIsReady()) return undefined;
    if (this.#trouble !== undefined && this.#trouble.region !== this.#context.hubRegion()) {
      this.retry();
    }
    const lastWord = task.finalReports[0];
    const run = this.#liveRun();
    if (lastWord === undefined && run === undefined && task.links.length === 0) return undefined;
    if (!task.imported) {
      return this.#word('ImportMigrationTask', lastWord?.since ?? run?.requestedAt ?? now);
    }
    this.#isAhead &&= this.#context.isBehind;
    const repeated = this.#repeated();
    if (repeated !== undefined) return this.#heartbeat(repeated, false);
    if (lastWord !== undefined) {
      const word = this.#word('NotifyMigrationTaskState', lastWord.since);
      const isHeld = this.#isAhead || this.#context.isEndHeld(lastWord.run);
      return isHeld ? word : { ...word, isDurable: true };
    }
    if (run === undefined) return undefined;

    const { promise } = task;
    const message = this.#reduce(hubPayload(run));
    // After an end the task is opened again with IN_PROGRESS, so a run that only waits has nothing to say yet.
    if (message.status === 'NOT_STARTED' && promise !== undefined && isFinalStatus(promise)) {
      return undefined;
    }
    if (promise?.run !== run.id && !this.#mayPromise(run, now)) return undefined;
    if (promise?.run !== run.id || promise.payload.status !== message.status) {
      const duty = this.#word('NotifyMigrationTaskState', run.startedAt ?? run.requestedAt);
      return { ...duty, readyAtMs: Math.max(duty.readyAtMs, this.#nextSecondMs(now)) };
    }
    const isChanged =
      promise.payload.percent !== message.percent || promise.payload.detail !== message.detail;
    return this.#heartbeat(promise, isChanged);
  }

  call(now: Now): Call | undefined {
    const { migrationHub } = this.#context.settings;
    const region = this.#context.hubRegion();
    if (migrationHub === undefined || region === undefined) return undefined;
    const task = this.#task;
    const address = { region, stream: migrationHub.stream, task: task.name };
    if (!task.imported) return { operation: 'ImportMigrationTask', ...address };

    const repeated = this.#repeated();
    const lastWord = task.finalReports[0];
    this.#spokenOf = repeated?.run ?? lastWord?.run ?? task.run;
    this.#isFarewell = this.#context.stopRequestedAt !== undefined;
    if (repeated === undefined && lastWord !== undefined) {
      return {
        operation: 'NotifyMigrationTaskState',
        ...address,
        ...this.#reduce(lastWord.payload),
        stampS: lastWord.stampS,
        // Of an opening too: its run has ended, and how is told next, whenever that gets through.
        nextUpdateS: finalNextUpdateS(migrationHub),
      };
    }
    const run = this.#liveRun();
    const message = repeated?.payload ?? (run === undefined ? undefined : hubPayload(run));
    if (message === undefined) return undefined;
    this.#percentSaid = message.percent;
    return {
      operation: 'NotifyMigrationTaskState',
      ...address,
      ...this.#reduce(message),
      stampS: nextStampS(task, this.#context.serviceMs(now)),
      nextUpdateS: this.#isFarewell
        ? shutdownNextUpdateS(migrationHub)
        : this.#nextUpdateS(migrationHub),
    };
  }

  settled(call: Call, outcome: Outcome, now: Now, sentAt: Now): void {
    if (outcome.kind === 'accepted') {
      if (call.operation === 'ImportMigrationTask') {
        this.#task.imported = true;
        this.#context.touch(hubLinksKey(this.#task.name));
      }
      if (call.operation === 'NotifyMigrationTaskState') {
        this.#accepted(call, now, sentAt);
        // Only here: a task that is imported and still missing must not be tried without a pause.
        const afresh = { attempts: 0, retryAtMs: 0, isQuarantined: false };
        this.#trouble = this.#trouble?.refused && { ...this.#trouble, ...afresh };
      }
      this.#context.state.saveHubTask(this.#task);
      return;
    }
    this.#trouble = hubRetryAfter(this.#context, this.#task, this.#trouble, call, outcome, now);
  }

  #accepted(call: NotifyCall, now: Now, sentAt: Now): void {
    const { state: ledger } = this.#context;
    const task = this.#task;
    const before = task.promise;
    this.#isAhead = this.#context.isBehind;
    if (isPromised(task)) this.#context.promisedHubTasks--;
    task.offered = undefined;
    const lateMs = before === undefined ? 0 : now.bootMs - before.until.bootMs;
    const lastWord =
      task.finalReports[0]?.stampS === call.stampS ? task.finalReports.shift() : undefined;
    const run = lastWord?.run ?? this.#spokenOf;
    if (run === undefined) return;
    const untilInMs = (call.stampS + call.nextUpdateS) * SECOND_MS - this.#context.serviceMs(now);
    task.promise = {
      run,
      payload: payloadOf(call),
      madeAt: sentAt,
      until: after(now, untilInMs),
      nextUpdateS: call.nextUpdateS,
      ...(this.#isFarewell ? { isShutdown: true } : {}),
    };
    if (isPromised(task)) this.#context.promisedHubTasks++;
    this.#context.offerPromise();
    const told = ledger.runs.get(run);
    const fields = { task: task.name, status: call.status, percent: call.percent };
    if (lastWord?.kind === 'end') {
      if (told?.hub !== undefined) {
        told.hub.delivery = { state: 'delivered', at: now };
        ledger.saveRun(told);
      }
      const lateS = Math.max(0, Math.round((now.bootMs - lastWord.since.bootMs) / SECOND_MS));
      const delivered = { ...fields, to: 'migrationHub', afterS: lateS };
      this.#context.addEvent('report.delivered', now, delivered, told);
    } else {
      const accepted = { ...fields, nextUpdateS: call.nextUpdateS };
      this.#context.addEvent('report.accepted', now, accepted, told);
    }
    if (told !== undefined) ledger.saveTouchedRun(told);
    if (lateMs > 0 && before !== undefined && !isFinalStatus(before)) {
      const broken = { task: task.name, lateS: Math.round(lateMs / SECOND_MS) };
      this.#context.addEvent('promise.broken', now, broken, told);
    }
  }

  /** While the disk refuses, what is new is not said, or a crash would forget it: the promise is said again as it was. */
  #repeated(): HubPromise | undefined {
    const { finalReports: lastWords, promise, run } = this.#task;
    if (!this.#context.isBehind || promise === undefined || isFinalStatus(promise))
      return undefined;
    const [word] = lastWords;
    if (!(word === undefined ? promise.run === run : this.#context.isEndHeld(word.run))) {
      return undefined;
    }
    const percent = this.#percentSaid;
    return percent === undefined
      ? promise
      : { ...promise, payload: { ...promise.payload, percent } };
  }

  #heartbeat(promise: HubPromise, isChanged: boolean): PendingCall {
    const readyAtMs = renewAtMs(promise, this.#early);
    const freshAtMs = isChanged ? promise.madeAt.bootMs + this.#freshnessMs() : readyAtMs;
    const earliestMs = Math.min(readyAtMs, freshAtMs, this.#outOfPlaceAtMs(promise));
    return {
      operation: 'NotifyMigrationTaskState',
      readyAtMs: Math.max(earliestMs, this.#trouble?.retryAtMs ?? 0),
      deadline: deadlineOf(promise),
    };
  }

  /** Too short for an agent that stops, or, made by one that stopped, too long for one that is here. */
  #outOfPlaceAtMs(promise: HubPromise): number {
    if (needsShutdownReport(this.#context, promise.madeAt)) return promise.madeAt.bootMs;
    const isLeft = this.#context.stopRequestedAt === undefined && promise.isShutdown === true;
    return isLeft ? takeBackAtMs(this.#context.startedAt, this.#early) : Infinity;
  }

  /**
   * Beyond what the budget can keep no promise is made: the task waits its turn, and the agent says so. A promise counts
   * from when it is offered, and that is on disk before it is made: an answer that is lost, by a crash too, may have been
   * good, and such a promise is kept before another is made.
   */
  #mayPromise(run: Run, now: Now): boolean {
    const task = this.#task;
    if (task.offered === run.id) return true;
    const { state: ledger, waitingHubTasks } = this.#context;
    if (this.#context.hasRoomForPromise()) {
      waitingHubTasks.delete(this.key);
      task.offered = run.id;
      this.#context.promisedHubTasks++;
      this.#context.offerPromise();
      ledger.saveHubTask(task);
      return true;
    }
    if (waitingHubTasks.size === 0) {
      this.#context.addEvent('promise.stretched', now, {
        promised: this.#context.promisedHubTasks,
        live: this.#context.liveHubTasks,
      });
    }
    waitingHubTasks.add(this.key);
    return false;
  }

  #nextUpdateS(hub: HubSettings): number {
    return nextUpdateS(hub, this.#context.liveHubTasks, this.#rate());
  }

  #word(operation: HubOperation, since: Instant): PendingCall {
    const { promise } = this.#task;
    // Whoever shows a promise must not break it, however many words are owed elsewhere.
    const isPromising = promise !== undefined && !isFinalStatus(promise);
    return {
      operation,
      readyAtMs: this.#trouble?.retryAtMs ?? 0,
      sinceMs: since.bootMs,
      ...(isPromising ? { deadline: deadlineOf(promise) } : {}),
    };
  }

  /** Two reports in one second could not be told apart: UpdateDateTime travels in whole seconds. */
  #nextSecondMs(now: Now): number {
    const waitMs = (this.#task.lastStampS + 1) * SECOND_MS - this.#context.serviceMs(now);
    return waitMs > 0 && waitMs <= SECOND_MS ? now.bootMs + waitMs : 0;
  }

  #freshnessMs(): number {
    return freshnessMs(this.#context.liveHubTasks, this.#rate());
  }

  #rate(): Rate {
    return this.#context.rateOf('NotifyMigrationTaskState');
  }

  /** Status alone, where such words were refused; a percent that has risen makes no difference to that. */
  #reduce(message: HubPayload): HubPayload {
    const refused = this.#trouble?.refused;
    const isLike = refused?.status === message.status && refused.detail === message.detail;
    return isLike ? { status: message.status } : message;
  }

  #liveRun(): Run | undefined {
    return this.#task.run === undefined
      ? undefined
      : this.#context.state.liveRuns.get(this.#task.run);
  }
}
