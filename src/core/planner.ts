/**
 * The planner: events in, actions out. It does no I/O, reads no clock and holds no promise.
 *
 *   observe(event, now)   handles an event; makes all durable changes
 *   takeChanges(now)      returns the changes, to be on disk before they take effect
 *   decide(now, durable)  returns the actions; changes nothing that must outlive the process
 *   wakeAtMs()            returns when something is due because of time
 *
 * Calling any of these too early, too late or twice does no harm. A gate pulls: when it grants a call, the most urgent
 * reporter is chosen at that moment and builds the call from the newest state.
 */
import type { Now } from './lib/time.ts';
import type { Action, Reply } from './model/action.ts';
import type { Event } from './model/event.ts';
import type { Fact } from './model/fact.ts';
import type { Settings } from './model/settings.ts';
import { createOwners } from './owners.ts';
import type { Owners } from './owners.ts';
import type { PlannerView } from './operator/planner-view.ts';
import { Poller } from './pipeline/poller.ts';

import { EMPTY_CALENDAR } from './runs/schedules.ts';
import type { Calendar } from './runs/schedules.ts';
import { pollerKey } from './scheduling/reporter-keys.ts';
import type { Changes, PersistentState } from './state/persistent-state.ts';

export class Planner {
  readonly #owners: Owners;
  #actions: Action[] = [];
  #decidedAt: Now | undefined;
  #isClockBelieved = true;

  constructor(
    state: PersistentState,
    settings: Settings,
    now: Now,
    random: () => number,
    calendar: Calendar = EMPTY_CALENDAR,
  ) {
    this.#owners = createOwners(state, settings, now, random, calendar);
    this.#addPollers();
    this.#owners.requests.autostart(now);
    this.#afterEvent(now);
  }

  observe(event: Event, now: Now): void {
    // After a clock was set back, the same minutes come again.
    const stepMs = this.#owners.clocks.check(now);
    if (stepMs < 0) this.#owners.schedules.plan(now);
    this.#lookAtClock(now);
    this.#handle(event, now);
    this.#owners.agent.afterEvent(now);
    this.#afterEvent(now);
  }

  /** Renewed promises and progress may be left out for some seconds; `wakeAtMs` says when they are due. */
  takeChanges(now: Now): Changes {
    return this.#owners.state.takeChanges(now);
  }

  /** What is left to write when the agent ends: no report is sent after this. */
  takeLastChanges(now: Now): Changes {
    const { clock, stampFloor, state } = this.#owners;
    stampFloor.lower(clock.nowMs(now));
    return state.takeChanges();
  }

  /**
   * The actions to perform now. If the changes are not on disk (because it is full, for example), heartbeats repeat the
   * last report, so that no task becomes stale, and runs that must end are stopped. No job is started, and nothing is
   * reported that is not on disk.
   */
  decide(now: Now, isDurable = true): Action[] {
    this.#decidedAt = now;
    if (this.#owners.durability.committed(isDurable)) {
      this.#owners.reporters.touchAll();
      this.#owners.calls.refresh(now);
    }
    const actions = this.#owners.runs.takeActions(isDurable);
    actions.push(...this.#owners.calls.decide(now));
    const code = this.#owners.agent.ended(now, isDurable);
    if (code !== undefined) actions.push({ type: 'exit', code });
    if (!isDurable) {
      // A refusal promises nothing.
      const isRefusal = (one: Action): boolean => one.type === 'answer' && !one.reply.ok;
      actions.push(...this.#actions.filter(isRefusal));
      this.#actions = this.#actions.filter((one) => !isRefusal(one));
      return actions;
    }
    for (const run of this.#owners.state.takeSettledRuns()) {
      if (run.definition.tracked === undefined) actions.push({ type: 'settle-run', run });
    }
    actions.push(...this.#actions);
    this.#actions = [];
    return actions;
  }

  /**
   * On the boot clock; `undefined`: nothing is due because of time. It is the first due time after the last decision, and
   * may lie in the past: what became due since then has not been decided yet.
   */
  wakeAtMs(): number | undefined {
    if (this.#decidedAt === undefined) return 0;
    const wakeMs = Math.min(
      this.#owners.runs.wakeAtMs() ?? Infinity,
      this.#owners.calls.wakeAtMs(this.#decidedAt),
      this.#owners.schedules.nextMs - this.#owners.clocks.wallLessBootMs,
      this.#owners.shutdown.endsAtMs ?? Infinity,
      this.#owners.retention.nextMs,
      this.#owners.state.heldDueAtMs(),
      this.#owners.agent.wakeAtMs(this.#decidedAt),
    );
    return wakeMs === Infinity ? undefined : wakeMs;
  }

  /** The data of the operator's views. */
  view(): PlannerView {
    const { state, settings, runs, reporters, pacing, hub, promises, clock, shutdown, schedules } =
      this.#owners;
    return {
      ...{ state, settings: settings.current, runs: runs.index, reporters, pacing },
      ...{ hub, promises, clock, shutdown, schedules },
    };
  }

  // eslint-disable-next-line complexity -- a flat switch with a line or two for each kind of event
  #handle(event: Event, now: Now): void {
    switch (event.type) {
      case 'time-passed':
        this.#owners.runs.timePassed(now);
        this.#owners.schedules.timePassed(now);
        this.#owners.retention.timePassed(now);
        break;
      case 'start-requested':
        this.#start(event, now);
        break;
      case 'job-submitted':
        this.#answer(event.request, this.#owners.requests.submit(event.definition, now));
        break;
      case 'track-requested':
        this.#answer(event.request, this.#owners.tracking.track(event.definitions, now));
        break;
      case 'reports-made':
        this.#answer(event.request, this.#owners.tracking.report(event.reports, now));
        break;
      case 'cancel-requested':
        this.#answer(
          event.request,
          this.#owners.requests.cancel(event.job, event.by, event.graceMs, now),
        );
        break;
      case 'history-requested':
        this.#answer(event.request, this.#owners.history.request(event, now));
        break;
      case 'outbox-requested':
        this.#answer(event.request, this.#owners.outbox.request(event, now));
        break;
      case 'drain-requested':
        this.#answer(event.request, this.#owners.agent.drain(now));
        break;
      case 'claim-requested':
        this.#answer(event.request, this.#owners.agent.claim(event.by, now));
        break;
      case 'resume-requested':
        this.#answer(event.request, this.#owners.agent.resume(now));
        break;
      case 'stop-requested':
        this.#owners.agent.stop(now);
        break;
      case 'settings-changed':
        this.#changeSettings(event.settings, now);
        this.#answer(event.request, { ok: true, message: 'settings applied' });
        break;
      case 'run-started':
      case 'run-start-failed':
      case 'run-never-started':
      case 'progress-read':
      case 'run-exited':
      case 'run-orphaned':
      case 'run-lost':
      case 'run-seen':
      case 'run-concluded':
      case 'watch-problem':
      case 'tree-signalled':
      case 'tree-checked':
        this.#owners.host.take(event, now);
        break;
      case 'gate-opened':
        this.#owners.state.expectReports();
        this.#owners.calls.gateOpened(event.operation, event.slots);
        break;
      case 'call-settled':
        this.#settled(event, now);
        break;
    }
  }

  #settled(event: Extract<Event, { type: 'call-settled' }>, now: Now): void {
    const { serverDateMs } = event.outcome;
    if (serverDateMs !== undefined) {
      // Before the reporter, so that a promise that is made now is made by the corrected clock.
      const movedMs = this.#owners.clock.learn(serverDateMs, event.sentAt, now);
      if (movedMs !== 0) this.#owners.promises.shift(movedMs);
    }
    this.#lookAtClock(now);
    const fact = this.#owners.calls.settled(event, now);
    if (fact !== undefined) this.#route(fact, now);
  }

  /** Routes what a call's outcome means beyond its reporter. */
  #route(fact: Fact, now: Now): void {
    switch (fact.type) {
      case 'task-received':
        this.#owners.leases.receive(fact.task, fact.workerGroup, now);
        break;
      case 'task-acknowledged':
        this.#owners.leases.acknowledged(fact.run, now);
        break;
      case 'task-confirmed':
        this.#owners.leases.confirmed(fact.run, now);
        break;
      case 'task-canceled':
        this.#owners.leases.canceled(fact.run, fact.reason, now);
        break;
      case 'task-gone':
        this.#owners.leases.gone(fact.run, fact.reason, now);
        break;
      case 'runner-terminated':
        this.#owners.agent.terminate(now);
        break;
      case 'history-read':
        this.#answer(fact.request, fact.reply);
        break;
    }
  }

  /** When the clock becomes believed, or no longer is, all reporters are touched, since reports are stamped by it. */
  #lookAtClock(now: Now): void {
    const isBelieved = this.#owners.clock.isBelieved(now);
    if (isBelieved !== this.#isClockBelieved) this.#owners.reporters.touchAll();
    this.#isClockBelieved = isBelieved;
  }

  #afterEvent(now: Now): void {
    // Many changes decide whether a poll may be made, and pollers are few: they are touched after every event.
    for (const group of this.#owners.settings.current.dataPipeline?.workerGroups ?? []) {
      this.#owners.reporters.touch(pollerKey(group));
    }
    this.#owners.calls.refresh(now);
  }

  #addPollers(): void {
    for (const group of this.#owners.settings.current.dataPipeline?.workerGroups ?? []) {
      if (this.#owners.reporters.get(pollerKey(group)) !== undefined) continue;
      const { state, settings, shutdown, pacing, random, heartbeat } = this.#owners;
      const parts = { state, settings, shutdown, pacing, random, heartbeat };
      this.#owners.reporters.add(new Poller(parts, group));
    }
  }

  #changeSettings(settings: Settings, now: Now): void {
    this.#owners.settings.current = settings;
    this.#addPollers();
    this.#owners.runs.settingsChanged(now);
    this.#owners.schedules.plan(now);
    this.#owners.reporters.touchAll();
    this.#owners.timeline.add('settings.changed', now, { jobs: settings.jobs.size });
  }

  #start(event: Extract<Event, { type: 'start-requested' }>, now: Now): void {
    const reply = this.#owners.requests.start(event.job, event.origin, now, event.adHocRefusal);
    this.#answer(event.request, reply);
    if (!reply.ok && event.origin === 'schedule') {
      this.#owners.schedules.skipped(event.job, reply.message, now);
    }
  }

  /** Without a reply, the answer comes later. */
  #answer(request: number | undefined, reply: Reply | undefined): void {
    if (request === undefined || reply === undefined) return;
    this.#actions.push({ type: 'answer', request, reply });
  }
}
