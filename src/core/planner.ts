/**
 * The planner: events in, actions out. It does no I/O, reads no clock and holds no promise.
 *
 *   observe(event, now)   takes in what happened; all durable changes are made here
 *   takeChanges()         what must be on disk before anything follows from it
 *   decide(now, durable)  what to do; changes nothing that must outlive the process
 *   wakeAtMs()            when time alone will make a difference
 *
 * Calling any of these too early, too late or twice does no harm. A gate pulls: when an operation has a call to give, the
 * most urgent reporter is chosen at that moment and makes its call from the newest state.
 */
import { HubConnection } from './hub/connection.ts';
import { HistoryReader } from './hub/history.ts';
import { PromiseBudget } from './hub/promise-budget.ts';
import { HubSetupReporter } from './hub/setup-reporter.ts';
import { HubTaskReporters } from './hub/task-reporters.ts';
import type { Now } from './lib/time.ts';
import { AgentLifecycle } from './lifecycle/agent-lifecycle.ts';
import { ClockWatch } from './lifecycle/clock-watch.ts';
import type { Action, Reply } from './model/action.ts';
import type { Event } from './model/event.ts';
import type { Fact } from './model/fact.ts';
import type { Settings } from './model/settings.ts';
import { OutboxRequests } from './operator/outbox-requests.ts';
import type { PlannerView } from './operator/planner-view.ts';
import { Poller } from './pipeline/poller.ts';
import { RunnerHeartbeat } from './pipeline/runner-heartbeat.ts';
import { Deliveries } from './runs/deliveries.ts';
import { HostEvents } from './runs/host-events.ts';
import { RunLifecycle } from './runs/lifecycle.ts';
import { RunRequests } from './runs/requests.ts';
import { RunRetention } from './runs/retention.ts';
import { SameWork } from './runs/same-work.ts';

import { EMPTY_CALENDAR, Schedules } from './runs/schedules.ts';
import type { Calendar } from './runs/schedules.ts';
import { TaskLeases } from './runs/task-leases.ts';
import { RunTracking } from './runs/tracking.ts';
import { CallScheduler } from './scheduling/call-scheduler.ts';
import { Pacing } from './scheduling/pacing.ts';
import { pollerKey } from './scheduling/reporter-keys.ts';
import { Reporters } from './scheduling/reporters.ts';
import { ResumeHold } from './scheduling/resume-hold.ts';
import { ServiceClock } from './scheduling/service-clock.ts';
import { Durability } from './state/durability.ts';
import type { Changes, PersistentState } from './state/persistent-state.ts';
import { Shutdown } from './state/shutdown.ts';
import { Timeline } from './state/timeline.ts';

export class Planner {
  readonly #state: PersistentState;
  readonly #settings: { current: Settings };
  readonly #random: () => number;
  readonly #durability = new Durability();
  readonly #shutdown = new Shutdown();
  readonly #pacing = new Pacing();
  readonly #reporters = new Reporters();
  readonly #resumeHold = new ResumeHold();
  readonly #timeline: Timeline;
  readonly #clock: ServiceClock;
  readonly #hub: HubConnection;
  readonly #promises: PromiseBudget;
  readonly #heartbeat: RunnerHeartbeat;
  readonly #calls: CallScheduler;
  readonly #clocks: ClockWatch;
  readonly #runs: RunLifecycle;
  readonly #agent: AgentLifecycle;
  readonly #requests: RunRequests;
  readonly #schedules: Schedules;
  readonly #retention: RunRetention;
  readonly #host: HostEvents;
  readonly #tracking: RunTracking;
  readonly #leases: TaskLeases;
  readonly #outbox: OutboxRequests;
  readonly #history: HistoryReader;
  #actions: Action[] = [];
  #decidedAt: Now | undefined;
  #isClockBelieved = true;

  constructor(
    state: PersistentState,
    current: Settings,
    now: Now,
    random: () => number,
    calendar: Calendar = EMPTY_CALENDAR,
  ) {
    const settings = { current };
    const timeline = new Timeline(state);
    const durability = this.#durability;
    const shutdown = this.#shutdown;
    const pacing = this.#pacing;
    const reporters = this.#reporters;
    const resumeHold = this.#resumeHold;
    const clock = new ServiceClock({ state, timeline }, now);
    const hub = new HubConnection({ state, settings, reporters, timeline });
    const promises = new PromiseBudget({ state, settings, pacing, reporters, timeline });
    this.#state = state;
    this.#settings = settings;
    this.#random = random;
    this.#timeline = timeline;
    this.#clock = clock;
    this.#hub = hub;
    this.#promises = promises;
    this.#calls = new CallScheduler({
      ...{ settings, pacing, reporters, durability, resumeHold, timeline, random },
    });
    this.#clocks = new ClockWatch({ state, clock, pacing, reporters, resumeHold, timeline }, now);
    const hubTasks = new HubTaskReporters({
      ...{ state, settings, hub, promises, durability, shutdown, clock, reporters, timeline },
      ...{ random, startedAt: now },
    });
    const pipelineTasks = {
      ...{ state, settings, durability, shutdown, resumeHold, pacing, timeline, random },
    };
    const deliveries = new Deliveries(
      { state, settings, clock, promises, reporters, hubTasks, pipelineTasks },
      now,
    );
    const sameWork = new SameWork({ state, settings });
    const runs = new RunLifecycle(
      { state, settings, sameWork, deliveries, durability, resumeHold, timeline },
      now,
    );
    const requests = new RunRequests({ state, settings, sameWork }, runs);
    this.#runs = runs;
    this.#requests = requests;
    this.#agent = new AgentLifecycle({
      ...{ state, settings, shutdown, pacing, reporters, timeline },
      ...{ calls: this.#calls, runs, requests },
    });
    this.#schedules = new Schedules({ clock, hub, state, settings }, requests, calendar, now);
    this.#retention = new RunRetention({
      ...{ settings, clock, index: runs.index, forget: (run) => runs.forget(run) },
    });
    this.#host = new HostEvents({ timeline }, runs);
    this.#tracking = new RunTracking({ settings, timeline }, runs);
    this.#leases = new TaskLeases({ state, settings, shutdown, timeline }, runs);
    this.#outbox = new OutboxRequests({
      ...{ state, settings, pacing, hub, hubTasks, reporters, timeline, index: runs.index },
    });
    this.#history = new HistoryReader({ settings, hub, pacing, reporters, index: runs.index });
    reporters.add(new HubSetupReporter({ settings, hub, timeline, random }));
    this.#heartbeat = new RunnerHeartbeat({ state, settings, random });
    reporters.add(this.#heartbeat);
    this.#addPollers();
    requests.autostart(now);
    this.#afterEvent(now);
  }

  observe(event: Event, now: Now): void {
    // A clock that was set back meets the same minutes again.
    const stepMs = this.#clocks.check(now);
    if (stepMs < 0) this.#schedules.plan(now);
    this.#lookAtClock(now);
    this.#takeIn(event, now);
    this.#agent.afterEvent(now);
    this.#afterEvent(now);
  }

  takeChanges(): Changes {
    return this.#state.takeChanges();
  }

  /**
   * What to do. If the changes are not on disk (it is full, for example), only what needs no memory is done: heartbeats
   * repeat the last report, so that no task becomes stale, and runs that must end are ended. Nothing is started, and
   * nothing is reported that is not on disk.
   */
  decide(now: Now, isDurable = true): Action[] {
    this.#decidedAt = now;
    if (this.#durability.committed(isDurable)) {
      this.#reporters.touchAll();
      this.#calls.refresh(now);
    }
    const actions = this.#runs.takeActions(isDurable);
    actions.push(...this.#calls.decide(now));
    const code = this.#agent.ended(now, isDurable);
    if (code !== undefined) actions.push({ type: 'exit', code });
    if (!isDurable) return actions;
    actions.push(...this.#actions);
    this.#actions = [];
    return actions;
  }

  /**
   * On the boot clock; `undefined`: only an event can make a difference. Counted from the last decision, not from the
   * moment of the question: what came due between the two has not been decided upon, and may lie in the past.
   */
  wakeAtMs(): number | undefined {
    if (this.#decidedAt === undefined) return 0;
    const wakeMs = Math.min(
      this.#runs.wakeAtMs() ?? Infinity,
      this.#calls.wakeAtMs(this.#decidedAt),
      this.#schedules.nextMs - this.#clocks.wallLessBootMs,
      this.#shutdown.endsAtMs ?? Infinity,
      this.#retention.nextMs,
      this.#agent.wakeAtMs(this.#decidedAt),
    );
    return wakeMs === Infinity ? undefined : wakeMs;
  }

  /** What the operator's views read. */
  view(): PlannerView {
    return {
      state: this.#state,
      settings: this.#settings.current,
      runs: this.#runs.index,
      reporters: this.#reporters,
      pacing: this.#pacing,
      hub: this.#hub,
      promises: this.#promises,
      clock: this.#clock,
      shutdown: this.#shutdown,
      schedules: this.#schedules,
    };
  }

  // eslint-disable-next-line complexity -- a flat switch: one line or two for each kind of event
  #takeIn(event: Event, now: Now): void {
    switch (event.type) {
      case 'time-passed':
        this.#runs.timePassed(now);
        this.#schedules.timePassed(now);
        this.#retention.timePassed(now);
        break;
      case 'start-requested':
        this.#start(event, now);
        break;
      case 'job-submitted':
        this.#answer(event.request, this.#requests.submit(event.definition, now));
        break;
      case 'track-requested':
        this.#answer(event.request, this.#tracking.track(event.definitions, now));
        break;
      case 'reports-made':
        this.#answer(event.request, this.#tracking.report(event.reports, now));
        break;
      case 'cancel-requested':
        this.#answer(event.request, this.#requests.cancel(event.job, event.by, event.graceMs, now));
        break;
      case 'history-requested':
        this.#answer(event.request, this.#history.request(event, now));
        break;
      case 'outbox-requested':
        this.#answer(event.request, this.#outbox.request(event, now));
        break;
      case 'drain-requested':
        this.#answer(event.request, this.#agent.drain(now));
        break;
      case 'claim-requested':
        this.#answer(event.request, this.#agent.claim(event.by, now));
        break;
      case 'resume-requested':
        this.#answer(event.request, this.#agent.resume(now));
        break;
      case 'stop-requested':
        this.#agent.stop(now);
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
        this.#host.take(event, now);
        break;
      case 'gate-opened':
        this.#calls.gateOpened(event.operation, event.slots);
        break;
      case 'call-settled':
        this.#settled(event, now);
        break;
    }
  }

  #settled(event: Extract<Event, { type: 'call-settled' }>, now: Now): void {
    const { serverDateMs } = event.outcome;
    if (serverDateMs !== undefined) {
      // Before the reporter: a promise that is made now is made by the new clock already.
      const movedMs = this.#clock.learn(serverDateMs, event.sentAt, now);
      if (movedMs !== 0) this.#promises.shift(movedMs);
    }
    this.#lookAtClock(now);
    const fact = this.#calls.settled(event, now);
    if (fact !== undefined) this.#route(fact, now);
  }

  /** What the answer to a call means for somebody else than its reporter. */
  #route(fact: Fact, now: Now): void {
    switch (fact.type) {
      case 'task-received':
        this.#leases.receive(fact.task, fact.workerGroup, now);
        break;
      case 'task-acknowledged':
        this.#leases.acknowledged(fact.run, now);
        break;
      case 'task-canceled':
        this.#leases.canceled(fact.run, fact.reason, now);
        break;
      case 'task-gone':
        this.#leases.gone(fact.run, fact.reason, now);
        break;
      case 'runner-terminated':
        this.#agent.terminate(now);
        break;
      case 'history-read':
        this.#answer(fact.request, fact.reply);
        break;
    }
  }

  /** When the clock becomes believed (or no longer is), every reporter that stamps looks again. */
  #lookAtClock(now: Now): void {
    const isBelieved = this.#clock.isBelieved(now);
    if (isBelieved !== this.#isClockBelieved) this.#reporters.touchAll();
    this.#isClockBelieved = isBelieved;
  }

  #afterEvent(now: Now): void {
    // Whether a poll may be made depends on much (places, drains, polls in flight), and pollers are few.
    for (const group of this.#settings.current.dataPipeline?.workerGroups ?? []) {
      this.#reporters.touch(pollerKey(group));
    }
    this.#calls.refresh(now);
  }

  #addPollers(): void {
    for (const group of this.#settings.current.dataPipeline?.workerGroups ?? []) {
      if (this.#reporters.get(pollerKey(group)) !== undefined) continue;
      const parts = {
        state: this.#state,
        settings: this.#settings,
        shutdown: this.#shutdown,
        pacing: this.#pacing,
        random: this.#random,
        heartbeat: this.#heartbeat,
      };
      this.#reporters.add(new Poller(parts, group));
    }
  }

  #changeSettings(settings: Settings, now: Now): void {
    this.#settings.current = settings;
    this.#addPollers();
    this.#runs.settingsChanged(now);
    this.#schedules.plan(now);
    this.#reporters.touchAll();
    this.#timeline.add('settings.changed', now, { jobs: settings.jobs.size });
  }

  #start(event: Extract<Event, { type: 'start-requested' }>, now: Now): void {
    const reply = this.#requests.start(event.job, event.origin, now, event.adHocRefusal);
    this.#answer(event.request, reply);
    if (!reply.ok && event.origin === 'schedule') {
      this.#schedules.skipped(event.job, reply.message, now);
    }
  }

  /** Without a reply: the answer comes later. */
  #answer(request: number | undefined, reply: Reply | undefined): void {
    if (request === undefined || reply === undefined) return;
    this.#actions.push({ type: 'answer', request, reply });
  }
}
