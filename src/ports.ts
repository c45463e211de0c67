/**
 * The outside world on one page: everything the agent needs from the host, the disk and the services.
 * Adapters implement these interfaces. `src/cli/daemon/compose.ts` puts them together; tests use others in their place.
 *
 * A port never calls into the agent. What happens outside is posted to the inbox as an `Event`.
 */
import type { Call, Operation, Outcome } from './core/model/call.ts';
import type { Reply } from './core/model/action.ts';
import type { Event } from './core/model/event.ts';
import type { JobDefinition, Run, UnrecordedRun } from './core/model/job.ts';
import type { Report } from './core/model/tracked.ts';
import type { Changes, PersistentState } from './core/state/persistent-state.ts';
import type {
  AgentStatus,
  BudgetStatus,
  FleetStatus,
  JobDetail,
  JobStatus,
  LogPaths,
  Status,
} from './core/model/status.ts';
import type { OutboxEntry } from './core/model/outbox.ts';
import type { OutboxChoice } from './core/model/outbox.ts';
import type { Now } from './core/lib/time.ts';

/** Where events go. Cheap, never blocks, callable from any callback. */
export type Post = (event: Event) => void;

export interface Clock {
  /** One reading of both clocks. */
  now(): Now;
  /** The boot's identity: a changed one means that the host was rebooted. */
  readonly bootId: string;
  /**
   * Calls `wake` once, at or soon after `bootMs`. Returns a function that takes the action back.
   * May wake early; the loop looks again.
   */
  wakeAt(bootMs: number, wake: () => void): () => void;
}

/** A number in [0, 1). Seeded, so that a run can be repeated. */
export type Random = () => number;

/** Durable memory. Synchronous: a turn of the loop is one transaction, on disk when `commit` returns. */
export interface Store {
  /** What an earlier agent left, on the present boot's clock. Empty for a new host. */
  load(now: Now): PersistentState;
  /** Throws `StoreUnavailable` when the disk refuses (full, read-only); the loop keeps the changes and tries again. */
  commit(changes: Changes, now: Now): void;
  /** The timeline of a job, oldest first: at most `limit` of its newest notes. */
  timeline(job: string, limit: number): readonly TimelineEntry[];
  /** What each gate had left when the agent ended well: given once, so that a crash finds nothing. */
  takeGateLevels(now: Now): GateLevels | undefined;
  saveGateLevels(levels: ReadonlyMap<Operation, number>, now: Now): void;
  /** What was lost or set aside since this agent started, for people. */
  problems(): readonly string[];
  close(): void;
}

export interface GateLevels {
  readonly levels: ReadonlyMap<Operation, number>;
  /** How long ago that was. */
  readonly ageMs: number;
}

export interface TimelineEntry {
  readonly at: Now;
  readonly run?: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** One accepted report, and until when it holds. Wall time. */
export interface ReportRecord {
  readonly atMs: number;
  readonly to: 'migrationHub' | 'dataPipeline';
  readonly percent?: number;
  readonly status?: string;
  /** The end of its promise or of the window; absent for the final report. */
  readonly holdsUntilMs?: number;
}

/** The budget of each operation. `ask` is answered by `gate-opened`, in whole or in parts. */
export interface Gates {
  ask(operation: Operation, slots: number): void;
  /** Takes back calls that were given and not made. */
  giveBack(operation: Operation, slots: number): void;
  /** Calls that could be made at once, for `status` and for the next agent. */
  levels(): ReadonlyMap<Operation, number>;
  /** How it stands with the fleet's Redis, where there is one. */
  fleet(): FleetStatus | undefined;
  /** What is wrong with the budgets, one sentence each. */
  problems(): readonly string[];
  close(): Promise<void>;
}

/** Both services. Never rejects: every failure is an outcome. One attempt a call; retrying is planning. */
export interface Services {
  send(call: Call): Promise<Outcome>;
  /** When the credentials in use end (wall time); `undefined`: never, or none were loaded yet. */
  credentialsExpireAtMs?(): number | undefined;
  close(): void;
}

/** Processes on this host. Every answer is an event (see `action.ts`). */
export interface JobHost {
  /**
   * Runs that the store does not have, and that live or may not have been reported to their end; those of a job in their order.
   * Called once, before anything else: the host shows those that it cannot return, and starts no run of their jobs beside them.
   */
  unrecorded?(isKnown: (id: string) => boolean): readonly UnrecordedRun[];
  /** A start may follow within milliseconds: what takes long and changes nothing can begin now. */
  expectStart?(): void;
  start(run: Run): void;
  adopt(run: Run): void;
  signalTree(run: Run, signal: string): void;
  checkTree(run: Run): void;
  /** Nothing of the run is pending: `unrecorded` need not return it. */
  settled?(run: Run): void;
  /** Removes what it keeps of a run that has ended. */
  forget(run: Run): void;
  /** What keeps it from its work, one sentence each. */
  problems?(): readonly string[];
  /** Where the output of a run lies. The files may not be there yet. */
  logs?(job: string, run: number): LogPaths;
  /** Whom a job runs as that names no user; absent: unknown. */
  readonly ownUser?: string;
  /** Stops watching; the processes live on. */
  close(): Promise<void>;
}

/** Looks at work that somebody else runs: a process, a systemd unit, a status file. Answers are events. */
export interface TrackedWork {
  watch(run: Run): void;
  /** The run has ended: it is looked at no longer. */
  release(run: Run): void;
  close(): Promise<void>;
}

/** The service manager (systemd), where there is one. */
export interface ServiceNotifier {
  ready(): void;
  reloading(): void;
  /** The agent is about to end; it needs so long for it, counted from now. */
  stopping(neededMs: number): void;
  /** One line for `systemctl status`. */
  status(line: string): void;
  /** The loop turns: feed the watchdog. */
  alive(): void;
  /** How often `alive` is wanted; absent: no watchdog is armed. */
  readonly watchdogMs?: number;
}

/** JSON lines. `event` is one of the documented names; `msg` is static; units are in the field names. */
export interface Log {
  write(
    level: LogLevel,
    event: string,
    msg: string,
    fields: Readonly<Record<string, unknown>>,
  ): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** The agent as an operator sees it: what `src/control` serves over the socket. */
export interface Operator {
  /** Read between two turns of the loop: always whole, never waits. */
  status(): Status;
  /** Only the agent, without its jobs: cheap however many there are. */
  agent(): AgentStatus;
  /** Only one job; `undefined` if there is none of this name. */
  job(name: string): JobStatus | undefined;
  /** One job in full; `undefined` if there is none of this name. */
  jobDetail(name: string): JobDetail | undefined;
  /** The names of all jobs. */
  jobNames(): readonly string[];
  budgets(): readonly BudgetStatus[];
  /** Goes through the inbox like every event; resolves when the turn that saw it is on disk. */
  ask(request: OperatorRequest): Promise<Reply>;
  /** The reports that are pending for a destination, read as `status` is. */
  outbox(): readonly OutboxEntry[];
  timeline(job: string, limit: number): readonly TimelineEntry[];
  /** The reports of the latest run of a job since the agent started, oldest first. */
  reports(job: string): readonly ReportRecord[];
  /** Calls `listener` for each new entry of the timeline. Returns a function that ends it. */
  watch(listener: (entry: TimelineEntry & { readonly job?: string }) => void): () => void;
  /** Reads the configuration file again; a bad file is refused with its problems and the old one stays. */
  reload(): Promise<Reply>;
}

export type OperatorRequest =
  | {
      readonly type: 'start';
      readonly job: string;
      /** Why the caller may not run a command that the configuration does not name; absent: it may. */
      readonly adHocRefusal?: string;
    }
  | { readonly type: 'submit'; readonly definition: JobDefinition }
  | {
      readonly type: 'cancel';
      readonly job: string;
      readonly by: string;
      readonly graceMs?: number;
    }
  /** One page of what Migration Hub recorded of a run; answered with `page`. */
  | {
      readonly type: 'history';
      readonly job: string;
      readonly run?: number;
      readonly token?: string;
    }
  | { readonly type: 'track'; readonly definitions: readonly JobDefinition[] }
  | { readonly type: 'report'; readonly reports: readonly Report[] }
  | {
      readonly type: 'outbox';
      readonly action: 'retry' | 'drop';
      readonly choice: OutboxChoice;
      readonly by: string;
    }
  | { readonly type: 'drain' }
  | { readonly type: 'claim'; readonly by: string }
  | { readonly type: 'resume' };
