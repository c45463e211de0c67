/**
 * Jobs and their runs: what the operator defined, and the states one execution goes through.
 * The legal moves stand in one table; `moveRun` is the only way to change a state.
 */
import type { JobSchedule } from './schedule.ts';
import type { Instant } from '../lib/time.ts';

/** The parsers that need no more than their name. */
export const PLAIN_PARSERS = [
  'auto',
  'rsync',
  'pv',
  'percent',
  'json',
  'pg_basebackup',
  'rclone',
  'restic',
  'qemu_img',
  'aws_s3',
  'none',
] as const;

/** Where a supervised run's progress is read from. */
export type ProgressSource =
  | { readonly parser: (typeof PLAIN_PARSERS)[number] }
  /** Default of the total: what the arguments of the program show. */
  | { readonly parser: 'dd' | 'tar'; readonly totalBytes?: number }
  | { readonly parser: 'regex'; readonly pattern: string }
  | {
      readonly parser: 'size';
      readonly target: string;
      readonly source?: string;
      readonly totalBytes?: number;
    }
  | { readonly parser: 'pg_restore'; readonly archive?: string };

/** How a job is asked to end before it is killed. */
export interface StopPolicy {
  readonly signal: string;
  readonly graceMs: number;
}

/** How much of a run's output is kept: of each stream so many files of about so many bytes. */
export interface LogPolicy {
  readonly sizeBytes: number;
  readonly files: number;
}

/** Enough to see what a copy of millions of files complained about; 60 MB a run at the most. */
export const DEFAULT_LOG: LogPolicy = { sizeBytes: 10_000_000, files: 3 };

/** What the Hub is told about a job beside its state. */
export interface HubJobSettings {
  /** Template of the MigrationTaskName: `{job}`, `{run}`, `{host}` and `{date}` are replaced. */
  readonly task: string;
  readonly resourceAttributes: readonly { readonly type: string; readonly value: string }[];
  readonly discoveredResource?: string;
  readonly sourceResources: readonly SourceResource[];
  readonly artifacts: readonly string[];
  readonly application?: string;
}

export interface SourceResource {
  readonly name: string;
  readonly description?: string;
  readonly statusDetail?: string;
}

/** Work that somebody else runs, and what is looked at to see how it stands. */
export type TrackedSource =
  /** Nothing is looked at: `report` tells. */
  | { readonly by: 'report' }
  | { readonly by: 'pid'; readonly process: ProcessIdentity }
  /**
   * A systemd unit. `invocation` was under way when tracking was asked for; without it the next one is meant, other
   * than `before`, which had ended by then.
   */
  | {
      readonly by: 'unit';
      readonly unit: string;
      readonly invocation?: string;
      readonly before?: string;
    }
  /** A JSON file: `percent`, `detail`, `status`. */
  | {
      readonly by: 'status-file';
      readonly path: string;
      /** Whose rights must allow the reading; absent: the agent's own. */
      readonly reader?: ReaderIdentity;
    };

/** A user and its groups, as the kernel reported them when the user asked. */
export interface ReaderIdentity {
  /** -1: unknown, so that only what everybody may read is read. */
  readonly uid: number;
  readonly groups: readonly number[];
}

export interface JobDefinition {
  readonly name: string;
  /** The program and its arguments; no shell reads them. Empty for work that somebody else runs. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  readonly user?: string;
  readonly schedule?: JobSchedule;
  readonly autostart: boolean;
  readonly progress: ProgressSource;
  readonly timeoutMs?: number;
  readonly stop: StopPolicy;
  readonly stallAfterMs?: number;
  /**
   * When a run has ended whose program left processes behind: with the program (`leader`, which is also meant where
   * this is absent), or when nothing of the run's tree is alive (`tree`).
   */
  readonly waitFor?: 'leader' | 'tree';
  /** Present: somebody else runs it, and the agent only watches. */
  readonly tracked?: TrackedSource;
  /** Absent: the default (runs that an older agent began have none). */
  readonly log?: LogPolicy;
  /** Absent: Migration Hub is not told about this job. */
  readonly migrationHub?: HubJobSettings;
}

export type RunState =
  | 'queued'
  | 'starting'
  | 'running'
  | 'canceling'
  | 'succeeded'
  | 'failed'
  | 'lost'
  | 'canceled'
  | 'fenced';

/** From each state, the states a run may move to. A final state moves nowhere. */
const MOVES: Readonly<Record<RunState, readonly RunState[]>> = {
  queued: ['starting', 'failed', 'canceled', 'fenced'],
  starting: ['running', 'failed', 'lost', 'canceling', 'canceled', 'fenced', 'succeeded'],
  running: ['succeeded', 'failed', 'lost', 'canceling'],
  canceling: ['canceled', 'fenced'],
  succeeded: [],
  failed: [],
  lost: [],
  canceled: [],
  fenced: [],
};

/** A process as only the kernel can name it: a pid alone may have been given to a stranger since. */
export interface ProcessIdentity {
  readonly pid: number;
  /** /proc/sys/kernel/random/boot_id at its start. */
  readonly bootId: string;
  /** Field 22 of /proc/PID/stat: start time in clock ticks since boot. */
  readonly startTicks: string;
}

/** Who wanted the end of a run. `service`: `canceled: true`; `fence`: the window ended; `gone`: no such task. */
export type EndCause = 'operator' | 'service' | 'timeout' | 'fence' | 'gone';

/** A run being stopped: the ladder is a function of these and the time (see cancel.ts). */
export interface Ending {
  readonly cause: EndCause;
  readonly detail: string;
  readonly since: Instant;
  readonly graceMs: number;
}

export type Delivery =
  | { readonly state: 'pending' }
  | { readonly state: 'delivered'; readonly at: Instant }
  /** `isKept`: it lies in the outbox until it is accepted after all or an operator drops it. */
  | { readonly state: 'refused'; readonly reason: string; readonly isRetained?: true }
  /** Nothing may be said: the service canceled the task, or it may belong to somebody else (P3, P4). */
  | { readonly state: 'withheld'; readonly reason: string };

/** The pipeline's side of a run: the task that it works for. */
export interface PipelineTask {
  readonly taskId: string;
  readonly pipelineId: string;
  readonly attemptId: string;
  /** Pipeline and instance without the attempt: never runs twice on one host (P3). */
  readonly instance: string;
  readonly workerGroup: string;
  /** How long the service waits for a report before it gives the task away. */
  readonly windowMs: number;
  readonly receivedAt: Instant;
  /** What the task says, for the job's processes (task-environment.ts). */
  readonly environment?: Readonly<Record<string, string>>;
  /** An exit code other than 0 says that the condition is not met. */
  readonly isPrecondition?: true;
}

export type RunOrigin = 'operator' | 'autostart' | 'schedule' | 'pipeline' | 'ad-hoc' | 'tracked';

/** One execution of a job. A plain value: the store keeps it as it stands. */
export interface Run {
  /** `JOB/NUMBER`, unique on this host. */
  readonly id: string;
  readonly job: string;
  readonly number: number;
  readonly definition: JobDefinition;
  readonly origin: RunOrigin;
  state: RunState;
  readonly requestedAt: Instant;
  startedAt?: Instant;
  endedAt?: Instant;
  /** How often its start was attempted; each attempt has a claim of its own, so none can run twice. */
  spawn: number;
  process?: ProcessIdentity;
  /** The invocation of a systemd unit that this run is (tracked by unit). */
  invocation?: string;
  /** Whole percent, 0–100; never falls; 100 only when the run has succeeded. */
  percent?: number;
  detail?: string;
  progressAt?: Instant;
  stalled?: boolean;
  /** What keeps the agent from seeing how tracked work stands, while it does. */
  problem?: string;
  exitCode?: number;
  exitSignal?: string;
  /** Why it ended as it did, in words, secrets masked. */
  reason?: string;
  /** The last lines of its standard error, secrets masked. */
  errorTail?: string;
  ending?: Ending;
  /** Processes of the run that live on without its program or its shim. */
  processesLeft?: readonly number[];
  /** The shim ended without an exit record: how the run ends will not be known. */
  isOrphaned?: true;
  /** Processes that outlived SIGKILL (uninterruptible sleep, mostly). */
  survivors?: readonly number[];
  /** It belongs to the host that this state was copied from: kept, and not acted upon (host-identity.ts). */
  copiedHost?: true;
  hub?: { readonly task: string; delivery: Delivery };
  pipeline?: {
    task: PipelineTask;
    acknowledgedAt?: Instant;
    acceptedAt?: Instant;
    delivery: Delivery;
  };
}

export function isFinal(state: RunState): boolean {
  return MOVES[state].length === 0;
}

/** Why nothing is done with a run that is another host's. */
export function copiedHostRefusal({ job, number }: Run): string {
  return `run ${number} of ${job} belongs to the host that this state was copied from; if the state was moved here, migration-agent claim makes it this host's`;
}

/** A run that holds its job: no other run of the job may start before this one has ended. */
export function isStarted(run: Run): boolean {
  return run.state === 'starting' || run.state === 'running' || run.state === 'canceling';
}

/** Moves a run to another state. Throws on a move that the table does not know: that is a fault of ours. */
export function moveRun(run: Run, to: RunState): void {
  if (!MOVES[run.state].includes(to)) {
    throw new Error(`run ${run.id} cannot move from ${run.state} to ${to}`);
  }
  run.state = to;
}

/** True while the task is to be told something: also of a refused word that nobody has dropped. */
export function isPending(delivery: Delivery): boolean {
  return (
    delivery.state === 'pending' || (delivery.state === 'refused' && delivery.isRetained === true)
  );
}
