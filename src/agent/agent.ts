/**
 * The agent's life in one read: recover the state of an earlier agent, run the loop, shut down. It knows ports, not
 * adapters. Jobs outlive it (P7).
 */
import type { Reply } from '../core/model/action.ts';
import type { Event } from '../core/model/event.ts';
import { SHUTDOWN_MS_MAX } from '../core/state/shutdown.ts';
import { EVENTS } from '../core/model/timeline.ts';
import type { TimelineEvent } from '../core/model/timeline.ts';
import { recogniseHost } from '../core/state/host-identity.ts';
import type { HostIdentity } from '../core/model/host-identity.ts';
import { outbox } from '../core/operator/outbox.ts';
import type { OutboxEntry } from '../core/model/outbox.ts';
import { Planner } from '../core/planner.ts';
import type { Calendar } from '../core/runs/schedules.ts';
import { recoverUnrecorded } from '../core/runs/unrecorded.ts';
import type { UnrecordedRun } from '../core/model/job.ts';
import type { Settings } from '../core/model/settings.ts';
import { defined } from '../core/lib/defined.ts';
import { healthOf, problems } from '../core/operator/health.ts';
import type { Health } from '../core/operator/health.ts';
import { jobDetailOf } from '../core/operator/job-detail.ts';
import {
  agentStatus,
  budgets,
  jobNames,
  jobStatusOf,
  snapshot,
} from '../core/operator/status-document.ts';
import type { AgentDetails } from '../core/operator/status-document.ts';
import { statusLine } from '../core/operator/status-line.ts';
import type {
  AgentStatus,
  BudgetStatus,
  JobDetail,
  JobStatus,
  Status,
} from '../core/model/status.ts';
import type { Now } from '../core/lib/time.ts';
import type {
  Clock,
  Gates,
  JobHost,
  Log,
  Operator,
  OperatorRequest,
  Random,
  ReportRecord,
  ServiceNotifier,
  Services,
  Store,
  TimelineEntry,
  TrackedWork,
} from '../ports.ts';
import { createAct } from './act.ts';
import type { Inbox } from './inbox.ts';
import { Journal } from './journal.ts';
import { runLoop } from './loop.ts';
import { OpenRequests } from './open-requests.ts';
import { toEvent } from './operator-request.ts';
import { ReportHistory } from './report-history.ts';
import { Watchdog } from './watchdog.ts';

export interface AgentParts {
  readonly version: string;
  readonly pid: number;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly inbox: Inbox;
  readonly store: Store;
  readonly gates: Gates;
  readonly services: Services;
  readonly jobs: JobHost;
  readonly tracked: TrackedWork;
  /** Absent: copies of this host cannot be recognised. */
  readonly hostIdentity?: HostIdentity;
  readonly notifier: ServiceNotifier;
  readonly log: Log;
  /** Reads the configuration file again and posts what changed. */
  readonly reload: () => Promise<Reply>;
  readonly calendar: Calendar;
}

/** Gates, connections and watchers close within their own limits, a second or two each. */
const CLOSE_MS_MAX = 10_000;

type Listener = (entry: TimelineEntry & { readonly job?: string }) => void;

export class Agent implements Operator {
  readonly #parts: AgentParts;
  readonly #planner: Planner;
  readonly #journal: Journal;
  readonly #startedAt: Now;
  /** Runs that the store did not have. */
  readonly #recovered: readonly UnrecordedRun[];
  readonly #requests = new OpenRequests();
  readonly #listeners = new Set<Listener>();
  readonly #reports = new ReportHistory();
  #reloadProblem: string | undefined;
  #health: Health = 'healthy';
  #exitCode = 0;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#startedAt = parts.clock.now();
    const state = parts.store.load(this.#startedAt);
    recogniseHost(state, parts.hostIdentity ?? {}, this.#startedAt);
    const isKnown = (id: string): boolean => state.runs.has(id) || state.copiedHostRuns.has(id);
    this.#recovered = parts.jobs.unrecorded?.(isKnown) ?? [];
    recoverUnrecorded(state, this.#recovered, this.#startedAt);
    if (state.metadata.taskRunnerId === undefined) {
      state.metadata.taskRunnerId = makeRunnerId(parts.settings.hostname, parts.random);
      state.saveMetadata();
    }
    const { calendar, random, settings } = parts;
    this.#planner = new Planner(state, settings, this.#startedAt, random, calendar);
    this.#journal = new Journal(parts.store, parts.log, (event) => this.#publish(event));
  }

  /** Runs the loop until `stop` or until the service terminates the runner. Resolves to the exit code. */
  async run(): Promise<number> {
    const { clock, gates, inbox, jobs, notifier, services, store, tracked } = this.#parts;
    const act = createAct({
      ...this.#parts,
      post: (event: Event) => inbox.post(event),
      answer: (request, reply) => this.#requests.answer(request, reply),
      exit: (code) => {
        this.#exitCode = code;
        inbox.close();
      },
    });
    const watchdog = new Watchdog(notifier);
    let isReady = false;
    await runLoop(inbox, this.#planner, this.#journal, clock, act, () => {
      if (!isReady) notifier.ready();
      isReady = true;
      const now = clock.now();
      if (this.#journal.failure !== undefined) {
        this.#requests.diskRefuses(this.#journal.failure, now);
      }
      return watchdog.turned(now, this.#planner.view().state.liveRuns.size, () => {
        const view = this.#planner.view();
        const found = [...this.#problems(), ...problems(view, now)];
        this.#logHealth(found);
        return statusLine(view, found, now);
      });
    });
    notifier.stopping(CLOSE_MS_MAX);
    const endedAt = clock.now();
    this.#journal.commit(this.#planner.takeLastChanges(endedAt), endedAt);
    this.#requests.answerAll({ ok: false, code: 'conflict', message: 'the agent is stopping' });
    store.saveGateLevels(gates.levels(), clock.now());
    await gates.close();
    services.close();
    await jobs.close();
    await tracked.close();
    return this.#exitCode;
  }

  /** Requests a planned stop. Shutdown reports are sent first, and `run` resolves within seconds. */
  stop(): void {
    this.#parts.notifier.stopping(SHUTDOWN_MS_MAX + CLOSE_MS_MAX);
    this.#parts.inbox.post({ type: 'stop-requested' });
  }

  agent(): AgentStatus {
    return agentStatus(this.#planner.view(), this.#details(), this.#parts.clock.now());
  }

  job(name: string): JobStatus | undefined {
    return jobStatusOf(this.#planner.view(), name, this.#parts.clock.now());
  }

  jobDetail(name: string): JobDetail | undefined {
    const { clock, jobs } = this.#parts;
    const surroundings = defined({ ownUser: jobs.ownUser, logs: jobs.logs?.bind(jobs) });
    return jobDetailOf(this.#planner.view(), name, surroundings, clock.now());
  }

  jobNames(): readonly string[] {
    return jobNames(this.#planner.view());
  }

  budgets(): readonly BudgetStatus[] {
    const { clock, gates } = this.#parts;
    return budgets(this.#planner.view(), { gateLevels: gates.levels() }, clock.now());
  }

  status(): Status {
    return snapshot(this.#planner.view(), this.#details(), this.#parts.clock.now());
  }

  #details(): AgentDetails {
    const { gates, pid, services, version } = this.#parts;
    return {
      version,
      pid,
      startedAt: this.#startedAt,
      problems: this.#problems(),
      gateLevels: gates.levels(),
      ...defined({
        fleet: gates.fleet(),
        credentialsExpireAtMs: services.credentialsExpireAtMs?.(),
      }),
    };
  }

  /** What the parts around the planner cannot do. */
  #problems(): string[] {
    const { gates, store } = this.#parts;
    const { failure } = this.#journal;
    return [
      ...(failure === undefined
        ? []
        : [
            `the state cannot be written, jobs continue: ${failure}; free space or repair the disk`,
          ]),
      ...store.problems(),
      ...recoveredText(this.#recovered),
      ...gates.problems(),
      ...(this.#parts.jobs.problems?.() ?? []),
      ...(this.#reloadProblem === undefined ? [] : [this.#reloadProblem]),
    ];
  }

  /** Logs each change of the health once. The problems themselves have their own events. */
  #logHealth(problems: readonly string[]): void {
    const health = healthOf(problems);
    if (health === this.#health) return;
    this.#health = health;
    const { log } = this.#parts;
    if (health === 'degraded') {
      log.write('warn', 'agent.degraded', 'agent is degraded', { problems });
    } else {
      log.write('info', 'agent.healthy', 'agent is healthy again', {});
    }
  }

  ask(request: OperatorRequest): Promise<Reply> {
    return this.#requests.add((id) => {
      if (request.type === 'start' || request.type === 'submit') this.#parts.jobs.expectStart?.();
      this.#parts.inbox.post(toEvent(request, id));
    });
  }

  outbox(): readonly OutboxEntry[] {
    return outbox(this.#planner.view(), this.#parts.clock.now());
  }

  timeline(job: string, limit: number): readonly TimelineEntry[] {
    return this.#parts.store.timeline(job, limit);
  }

  reports(job: string): readonly ReportRecord[] {
    return this.#reports.of(job);
  }

  watch(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A configuration that was rejected stays a problem until one is accepted: the next start would fail. */
  async reload(): Promise<Reply> {
    const reply = await this.#parts.reload();
    const [first = '', ...more] = reply.message.split('\n');
    const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
    this.#reloadProblem = reply.ok
      ? undefined
      : `the new configuration was rejected, the old one is in force: ${first}${rest}`;
    return reply;
  }

  #publish({ at, event, fields, job, run }: TimelineEvent): void {
    this.#reports.add({ at, event, fields, ...defined({ job, run }) });
    if (!EVENTS[event].persisted) return;
    for (const listener of this.#listeners) {
      listener({ at, event, fields, ...defined({ job, run }) });
    }
  }
}

const NAMED_MAX = 5;

/** A problem until the next start, as a damaged store is. */
function recoveredText(found: readonly UnrecordedRun[]): string[] {
  if (found.length === 0) return [];
  const names = found.slice(0, NAMED_MAX).map(({ run }) => run.id);
  const more = found.length > NAMED_MAX ? ` and ${found.length - NAMED_MAX} more` : '';
  return [
    `the state file was lost or is an old copy: runs that live or were not yet reported were missing in it, and are adopted (${names.join(', ')}${more}); check the disk, then restart the agent`,
  ];
}

/** Unique in the account and the same over restarts: made once and kept (MODEL taskrunnerId, 1..1024). */
function makeRunnerId(hostname: string, random: Random): string {
  const part = Math.floor(random() * 0xffffffff)
    .toString(16)
    .padStart(8, '0');
  return `${hostname}-${part}`;
}
