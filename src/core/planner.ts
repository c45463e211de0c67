/**
 * The planner: facts in, decisions out. It does no I/O, reads no clock and holds no promise.
 *
 *   observe(event, now)   takes in what happened; all durable changes are made here
 *   takeChanges()         what must be on disk before anything follows from it
 *   decide(now, durable)  what is to be done; changes nothing that must outlive the process
 *   wakeAtMs()            when time alone will make a difference
 *
 * Calling any of these too early, too late or twice does no harm. A gate pulls: when an operation has a call to
 * give, the most urgent speaker is chosen at that moment and speaks from the newest state.
 */
import type { PlannerView } from './operator/planner-view.ts';
import type { Action, Reply } from './model/action.ts';
import { AgentLifecycle } from './lifecycle/agent-lifecycle.ts';
import { CallScheduler } from './scheduling/call-scheduler.ts';
import type { PolledTask } from './model/call.ts';
import { ClockWatch } from './lifecycle/clock-watch.ts';
import { Context } from './scheduling/context.ts';
import type { Event } from './model/event.ts';
import { HistoryReader } from './hub/history.ts';
import { HubSetupReporter } from './hub/setup-reporter.ts';
import { isFinal } from './model/job.ts';
import type { PersistentState } from './state/ledger.ts';
import type { Changes } from './state/ledger.ts';
import { OutboxRequests } from './operator/outbox-requests.ts';
import { Poller } from './pipeline/poller.ts';
import { pollerKey } from './scheduling/reporter-keys.ts';
import { RunnerHeartbeat } from './pipeline/runner-heartbeat.ts';
import { TaskLeases } from './runs/task-leases.ts';
import { RunLifecycle } from './runs/lifecycle.ts';
import { HostEvents } from './runs/host-events.ts';
import { RunRequests } from './runs/requests.ts';
import { RunTracking } from './runs/tracking.ts';
import { EMPTY_CALENDAR, Schedules } from './runs/schedules.ts';
import type { Calendar } from './runs/schedules.ts';
import type { Settings } from './model/settings.ts';
import type { Now } from './lib/time.ts';

export class Planner {
  readonly #context: Context;
  readonly #calls: CallScheduler;
  readonly #clocks: ClockWatch;
  readonly #life: RunLifecycle;
  readonly #agent: AgentLifecycle;
  readonly #requests: RunRequests;
  readonly #schedules: Schedules;
  readonly #news: HostEvents;
  readonly #tracking: RunTracking;
  readonly #leases: TaskLeases;
  readonly #outbox: OutboxRequests;
  readonly #history: HistoryReader;
  #actions: Action[] = [];
  #decidedAt: Now | undefined;

  constructor(
    ledger: PersistentState,
    settings: Settings,
    now: Now,
    random: () => number,
    calendar: Calendar = EMPTY_CALENDAR,
  ) {
    this.#context = new Context(ledger, settings, random, now);
    this.#calls = new CallScheduler(this.#context);
    this.#clocks = new ClockWatch(this.#context, now);
    this.#life = new RunLifecycle(this.#context, now, (run, news, reason, at) => {
      this.#leases.judge(run, news, reason, at);
    });
    this.#requests = new RunRequests(this.#context, this.#life);
    this.#agent = new AgentLifecycle(this.#context, this.#calls, this.#life, this.#requests);
    this.#schedules = new Schedules(this.#context, this.#requests, calendar, now);
    this.#news = new HostEvents(this.#context, this.#life);
    this.#tracking = new RunTracking(this.#context, this.#life);
    this.#leases = new TaskLeases(this.#context, this.#life);
    this.#outbox = new OutboxRequests(this.#context, this.#life.index);
    this.#history = new HistoryReader(this.#context, this.#life.index);
    this.#addServiceSpeakers();
    this.#requests.autostart(now);
    this.#calls.refresh(now);
  }

  observe(event: Event, now: Now): void {
    // A clock that was set back meets the same minutes again.
    if (this.#clocks.look(now) < 0) this.#schedules.plan(now);
    this.#takeIn(event, now);
    this.#agent.look(now);
    this.#calls.refresh(now);
  }

  takeChanges(): Changes {
    return this.#context.state.takeChanges();
  }

  /**
   * What is to be done. Where the changes are not on disk (it is full, say), only what needs no memory: heartbeats go
   * on with what is kept, so that nobody goes stale, and what must end is ended; nothing is started, and no word is said
   * that is not on disk.
   */
  decide(now: Now, isDurable = true): Action[] {
    this.#decidedAt = now;
    if (this.#context.committed(isDurable)) this.#calls.refresh(now);
    const actions = this.#life.takeActions(isDurable);
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
      this.#life.wakeAtMs() ?? Infinity,
      this.#calls.wakeAtMs(this.#decidedAt),
      this.#schedules.nextMs - this.#clocks.wallLessBootMs,
      this.#agent.endsMs() ?? Infinity,
    );
    return wakeMs === Infinity ? undefined : wakeMs;
  }

  /** The parts that `snapshot.ts` reads for an operator. Read-only. */
  view(): PlannerView {
    return {
      context: this.#context,
      runs: this.#life.index,
      pacing: this.#calls.pacing,
      isDraining: this.#agent.isDraining,
      schedules: this.#schedules,
    };
  }

  #takeIn(event: Event, now: Now): void {
    switch (event.type) {
      case 'time-passed':
        this.#life.timePassed(now);
        this.#schedules.timePassed(now);
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
        this.#history.ask(event, now, (reply) => this.#answer(event.request, reply));
        break;
      case 'outbox-requested': {
        const { choice, action, by, request } = event;
        const isRetry = action === 'retry';
        this.#answer(
          request,
          isRetry ? this.#outbox.retry(choice, now) : this.#outbox.drop(choice, by, now),
        );
        break;
      }
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
        this.#news.take(event, now);
        break;
      case 'gate-opened':
        this.#calls.gateOpened(event.operation, event.slots);
        break;
      case 'call-settled':
        this.#calls.settled(event, now);
        break;
    }
  }

  #addServiceSpeakers(): void {
    const { settings } = this.#context;
    this.#context.addReporter(new HubSetupReporter(this.#context));
    this.#context.addReporter(
      new RunnerHeartbeat(this.#context, (now) => {
        this.#agent.terminate(now);
      }),
    );
    for (const group of settings.dataPipeline?.workerGroups ?? []) {
      if (this.#context.reporter(pollerKey(group)) !== undefined) continue;
      this.#context.addReporter(
        new Poller(
          this.#context,
          group,
          () => this.#mayPoll(group),
          (task: PolledTask, workerGroup: string, now: Now) => {
            this.#leases.receive(task, workerGroup, now);
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
      !this.#agent.isDraining &&
      // A task would wait in line behind a run that may be another host's.
      !this.#isAnotherAtWork() &&
      this.#context.stopRequestedAt === undefined &&
      dataPipeline.workerGroups.includes(group) &&
      this.#context.state.livePipelineRuns.size + this.#calls.pollsInFlight <
        dataPipeline.concurrency
    );
  }

  /** Runs of the host that this state was copied from hold their jobs. */
  #isAnotherAtWork(): boolean {
    const { copiedHostRuns: foreignRuns } = this.#context.state;
    if (foreignRuns.size === 0) return false;
    return [...foreignRuns.values()].some((run) => !isFinal(run.state));
  }

  #changeSettings(settings: Settings, now: Now): void {
    this.#context.settings = settings;
    this.#context.hubChanged = true;
    this.#addServiceSpeakers();
    this.#life.reschedule(now);
    this.#schedules.plan(now);
    this.#context.touchAll();
    this.#context.addEvent('settings.changed', now, { jobs: settings.jobs.size });
  }

  #start(event: Extract<Event, { type: 'start-requested' }>, now: Now): void {
    const reply = this.#requests.start(event.job, event.origin, now);
    this.#answer(event.request, reply);
    if (!reply.ok && event.origin === 'schedule') {
      this.#schedules.skipped(event.job, reply.message, now);
    }
  }

  #answer(request: number | undefined, reply: Reply): void {
    if (request !== undefined) this.#actions.push({ type: 'answer', request, reply });
  }
}
