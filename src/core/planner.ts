/**
 * The planner: facts in, decisions out. It does no I/O, reads no clock and holds no promise.
 *
 *   observe(event, now)   takes in what happened; all durable changes are made here
 *   takeChanges()         what must be on disk before anything follows from it
 *   decide(now)           what is to be done; changes nothing that must outlive the process
 *   wakeAtMs(now)         when time alone will make a difference
 *
 * Calling any of these too early, too late or twice does no harm. A gate pulls: when an operation has a call to
 * give, the most urgent speaker is chosen at that moment and speaks from the newest state.
 */
import type { Action, Reply } from './action.ts';
import { Agenda } from './agenda.ts';
import type { Call, Operation, PolledTask } from './call.ts';
import { Context } from './context.ts';
import type { Event } from './event.ts';
import { HUB_SETUP_KEY, HubSetupSpeaker } from './hub-setup.ts';
import type { Ledger } from './ledger.ts';
import type { Changes } from './ledger.ts';
import { Pacing } from './pacing.ts';
import { PollerSpeaker, pollerKey } from './poller.ts';
import { RUNNER_KEY, RunnerSpeaker } from './runner.ts';
import { Runs } from './runs.ts';
import type { Settings } from './settings.ts';
import type { Speaker } from './speaker.ts';
import { SECOND_MS } from './time.ts';
import type { Now } from './time.ts';

/** Terminated by the service: no restart (DESIGN.md, section 5). */
const EXIT_TERMINATED = 75;
/** A step of the wall clock against the boot clock that is worth telling. */
const CLOCK_STEP_MS = 2 * SECOND_MS;

export class Planner {
  readonly #context: Context;
  readonly #agenda = new Agenda();
  readonly #pacing = new Pacing();
  readonly #runs: Runs;
  /** Calls that a gate was asked for and has not given yet; and those it gave that are not used yet. */
  readonly #asked = new Map<Operation, number>();
  readonly #granted = new Map<Operation, number>();
  readonly #inFlight = new Map<number, Speaker>();
  readonly #speaking = new Set<string>();
  #pollsInFlight = 0;
  #nextCallId = 1;
  #actions: Action[] = [];
  #isDraining = false;
  #isTerminated = false;
  #wallLessBootMs: number;

  constructor(ledger: Ledger, settings: Settings, now: Now, random: () => number) {
    this.#context = new Context(ledger, settings, random);
    this.#wallLessBootMs = now.wallMs - now.bootMs;
    this.#runs = new Runs(this.#context, now);
    this.#addServiceSpeakers();
    this.#runs.autostart(now);
    this.#refresh(now);
  }

  observe(event: Event, now: Now): void {
    this.#watchClock(now);
    this.#takeIn(event, now);
    this.#refresh(now);
  }

  takeChanges(): Changes {
    return this.#context.ledger.takeChanges();
  }

  decide(now: Now): Action[] {
    const actions = [...this.#actions, ...this.#runs.takeActions()];
    this.#actions = [];
    for (const operation of this.#agenda.operations()) this.#serve(operation, now, actions);
    if (this.#isTerminated && this.#pipelineIsDone()) {
      this.#isTerminated = false;
      actions.push({ type: 'exit', code: EXIT_TERMINATED });
    }
    return actions;
  }

  /** On the boot clock; `undefined`: only an event can make a difference. */
  wakeAtMs(now: Now): number | undefined {
    let wakeMs = this.#runs.wakeAtMs() ?? Infinity;
    for (const operation of this.#agenda.operations()) {
      const pace = this.#pacing.of(operation);
      const readyAtMs =
        this.#agenda.ready(operation, now.bootMs) > 0
          ? pace.pausedUntilMs
          : this.#agenda.nextReadyAtMs(operation);
      // A ready speaker whose operation is not paused waits for a gate or an answer: an event, not a time.
      if (readyAtMs !== undefined && readyAtMs > now.bootMs) {
        wakeMs = Math.min(wakeMs, Math.max(readyAtMs, pace.pausedUntilMs));
      }
    }
    return wakeMs === Infinity ? undefined : wakeMs;
  }

  /** The parts that `snapshot.ts` reads for an operator. Read-only. */
  view(): PlannerView {
    return {
      context: this.#context,
      runs: this.#runs,
      pacing: this.#pacing,
      isDraining: this.#isDraining,
    };
  }

  #takeIn(event: Event, now: Now): void {
    switch (event.type) {
      case 'time-passed':
        this.#runs.timePassed(now);
        break;
      case 'start-requested':
        this.#start(event, now);
        break;
      case 'job-submitted':
        this.#answer(event.request, this.#runs.submit(event.definition, now));
        break;
      case 'cancel-requested':
        this.#answer(event.request, this.#runs.cancel(event.job, event.by, event.graceMs, now));
        break;
      case 'drain-requested':
        this.#drain(now);
        this.#answer(event.request, { ok: true, words: 'no more pipeline tasks are taken' });
        break;
      case 'resume-requested':
        this.#isDraining = false;
        this.#context.note('agent.resumed', now, {});
        this.#answer(event.request, { ok: true, words: 'pipeline tasks are taken again' });
        break;
      case 'settings-changed':
        this.#changeSettings(event.settings, now);
        this.#answer(event.request, { ok: true, words: 'settings applied' });
        break;
      case 'run-started':
        this.#runs.started(event.run, event.process, now);
        break;
      case 'run-start-failed':
        this.#runs.startFailed(event.run, event.reason, now);
        break;
      case 'run-never-started':
        this.#runs.neverStarted(event.run, now);
        break;
      case 'progress-read':
        this.#runs.progress(event.run, event.percent, event.detail, now);
        break;
      case 'run-exited':
        this.#runs.exited(event.run, event.exitCode, event.signal, event.errorTail, now);
        break;
      case 'run-lost':
        this.#runs.lost(event.run, event.reason, now);
        break;
      case 'tree-signalled':
        this.#runs.signalled(event.run, event.signal, event.processes, now);
        break;
      case 'tree-checked':
        this.#runs.checked(event.run, event.survivors, now);
        break;
      case 'gate-opened':
        add(this.#asked, event.operation, -event.slots);
        add(this.#granted, event.operation, event.slots);
        break;
      case 'call-settled':
        this.#settle(event, now);
        break;
    }
  }

  /** Asks an operation's gate for what its ready speakers need, and spends what it gave. */
  #serve(operation: Operation, now: Now, actions: Action[]): void {
    const granted = this.#granted.get(operation) ?? 0;
    let left = Math.min(granted, Math.max(0, this.#pacing.room(operation, now.bootMs)));
    const spare = granted - left;
    while (left > 0) {
      const call = this.#nextCall(operation, now);
      if (call === undefined) break;
      actions.push({ type: 'call', ...call });
      left--;
    }
    if (left + spare > 0) actions.push({ type: 'return-slots', operation, slots: left + spare });
    this.#granted.delete(operation);

    const asked = this.#asked.get(operation) ?? 0;
    const ready = this.#agenda.ready(operation, now.bootMs);
    const wanted = Math.min(ready, this.#pacing.room(operation, now.bootMs)) - asked;
    if (wanted > 0) {
      add(this.#asked, operation, wanted);
      actions.push({ type: 'ask-gate', operation, slots: wanted });
    }
  }

  /** The call of the most urgent speaker that has one. */
  #nextCall(operation: Operation, now: Now): { id: number; call: Call } | undefined {
    for (;;) {
      const key = this.#agenda.take(operation, now.bootMs);
      if (key === undefined) return undefined;
      const speaker = this.#context.speakers.get(key);
      const call = speaker?.call(now);
      if (speaker === undefined || call?.operation !== operation) {
        this.#context.touched.add(key);
        continue;
      }
      const id = this.#nextCallId++;
      this.#inFlight.set(id, speaker);
      this.#speaking.add(key);
      this.#pacing.of(operation).inFlight++;
      if (operation === 'PollForTask') this.#pollsInFlight++;
      return { id, call };
    }
  }

  #settle(event: Extract<Event, { type: 'call-settled' }>, now: Now): void {
    const { call, outcome, sentAt } = event;
    const speaker = this.#inFlight.get(event.id);
    if (speaker === undefined) return;
    this.#inFlight.delete(event.id);
    this.#speaking.delete(speaker.key);
    this.#pacing.of(call.operation).inFlight--;
    if (call.operation === 'PollForTask') this.#pollsInFlight--;
    if (outcome.serverDateMs !== undefined) {
      this.#learnClock(outcome.serverDateMs, sentAt, now);
    }
    const change = this.#pacing.settled(call.operation, outcome, now.bootMs, this.#context.random);
    speaker.settled(call, outcome, now, sentAt);
    this.#context.touched.add(speaker.key);

    const { operation } = call;
    if (outcome.kind !== 'accepted') {
      const event = outcome.kind === 'throttled' ? 'report.throttled' : 'report.failed';
      const fields = { operation, outcome: outcome.kind, reason: outcome.reason };
      const retryInMs = Math.round(this.#pacing.of(operation).pausedUntilMs - now.bootMs);
      this.#context.note(
        event,
        now,
        retryInMs > 0 ? { ...fields, pausedForMs: retryInMs } : fields,
      );
    }
    if (change === 'failing' && outcome.kind !== 'accepted') {
      this.#context.note('service.failing', now, {
        operation,
        outcome: outcome.kind,
        reason: outcome.reason,
      });
    }
    if (change === 'recovered') this.#context.note('service.recovered', now, { operation });
  }

  /** Puts what changed in this turn onto the agenda. A speaker with a call in flight waits for its answer. */
  #refresh(now: Now): void {
    const { touched, speakers } = this.#context;
    if (this.#context.hubChanged) {
      this.#context.hubChanged = false;
      touched.add(HUB_SETUP_KEY);
      for (const task of this.#context.ledger.hubTasks.keys()) {
        touched.add(`hub:${task}`);
        touched.add(`links:${task}`);
      }
    }
    for (const group of this.#context.settings.dataPipeline?.workerGroups ?? []) {
      touched.add(pollerKey(group));
    }
    for (const key of touched) {
      const speaker = this.#speaking.has(key) ? undefined : speakers.get(key);
      this.#agenda.set(key, speaker?.duty(now));
    }
    touched.clear();
  }

  #addServiceSpeakers(): void {
    const { settings } = this.#context;
    this.#context.addSpeaker(new HubSetupSpeaker(this.#context));
    this.#context.addSpeaker(
      new RunnerSpeaker(this.#context, (now) => {
        this.#terminate(now);
      }),
    );
    for (const group of settings.dataPipeline?.workerGroups ?? []) {
      if (this.#context.speakers.has(pollerKey(group))) continue;
      this.#context.addSpeaker(
        new PollerSpeaker(
          this.#context,
          group,
          () => this.#mayPoll(group),
          (task: PolledTask, workerGroup: string, now: Now) => {
            this.#runs.receive(task, workerGroup, now);
          },
        ),
      );
    }
  }

  /** A polled task is owned at once, so a poll in flight takes a place already. */
  #mayPoll(group: string): boolean {
    const { dataPipeline } = this.#context.settings;
    return (
      dataPipeline !== undefined &&
      !this.#isDraining &&
      dataPipeline.workerGroups.includes(group) &&
      this.#runs.book.livePipelineRuns() + this.#pollsInFlight < dataPipeline.concurrency
    );
  }

  #terminate(now: Now): void {
    if (this.#isTerminated) return;
    this.#isTerminated = true;
    const { dataPipeline } = this.#context.settings;
    this.#context.note('agent.terminated', now, { policy: dataPipeline?.onTerminate });
    this.#drain(now);
    if (dataPipeline?.onTerminate === 'stop') {
      this.#runs.cancelPipelineRuns('the service told the task runner to terminate', now);
    }
  }

  #drain(now: Now): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#context.note('agent.draining', now, {});
  }

  /** No pipeline run lives here, and none has anything left to say. */
  #pipelineIsDone(): boolean {
    for (const run of this.#context.ledger.runs.values()) {
      if (run.pipeline?.delivery.state === 'pending' || this.#isLivePipelineRun(run.id))
        return false;
    }
    return true;
  }

  #isLivePipelineRun(id: string): boolean {
    return this.#context.ledger.liveRuns.get(id)?.pipeline !== undefined;
  }

  #changeSettings(settings: Settings, now: Now): void {
    this.#context.settings = settings;
    this.#context.hubChanged = true;
    this.#addServiceSpeakers();
    this.#runs.reschedule(now);
    this.#context.touched.add(RUNNER_KEY);
    for (const key of this.#context.speakers.keys()) this.#context.touched.add(key);
    this.#context.note('settings.changed', now, { jobs: settings.jobs.size });
  }

  #learnClock(serverDateMs: number, sentAt: Now, now: Now): void {
    const before = this.#context.offset.ms;
    this.#context.offset.learn(serverDateMs, sentAt, now);
    const offsetMs = this.#context.offset.ms;
    if (Math.abs(offsetMs - before) >= CLOCK_STEP_MS) {
      this.#context.note('clock.offset', now, { offsetS: Math.round(offsetMs / SECOND_MS) });
    }
  }

  /** The two clocks drift by slewing; a jump between them is a step of the wall clock. */
  #watchClock(now: Now): void {
    const stepMs = now.wallMs - now.bootMs - this.#wallLessBootMs;
    if (Math.abs(stepMs) < CLOCK_STEP_MS) return;
    this.#wallLessBootMs += stepMs;
    this.#context.offset.stepped(stepMs);
    this.#context.note('clock.jumped', now, { stepS: Math.round(stepMs / SECOND_MS) });
  }

  #start(event: Extract<Event, { type: 'start-requested' }>, now: Now): void {
    const reply = this.#runs.start(event.job, event.origin, now);
    this.#answer(event.request, reply);
    if (!reply.ok && event.origin === 'schedule') {
      this.#context.ledger.note({
        event: 'run.skipped',
        at: now,
        job: event.job,
        fields: { reason: reply.words },
      });
    }
  }

  #answer(request: number | undefined, reply: Reply): void {
    if (request !== undefined) this.#actions.push({ type: 'answer', request, reply });
  }
}

/** What an operator's view is made from; nobody outside the core writes to it. */
export interface PlannerView {
  readonly context: Context;
  readonly runs: Runs;
  readonly pacing: Pacing;
  readonly isDraining: boolean;
}

function add(counts: Map<Operation, number>, operation: Operation, by: number): void {
  counts.set(operation, Math.max(0, (counts.get(operation) ?? 0) + by));
}
