/**
 * Jobs and their runs: what the operator defined, and the states of one execution. One table has the legal moves, and
 * only `moveRun` changes a state.
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

/** How the progress of a supervised run is read. */
export type ProgressSource =
  | { readonly parser: (typeof PLAIN_PARSERS)[number] }
  /** The default of the total is taken from the program's arguments. */
  | { readonly parser: 'dd' | 'tar'; readonly totalBytes?: number }
  | { readonly parser: 'regex'; readonly pattern: string }
  | {
      readonly parser: 'size';
      readonly target: string;
      readonly source?: string;
      readonly totalBytes?: number;
    }
  | { readonly parser: 'pg_restore'; readonly archive?: string };

/** The signal that asks a job to end, and how long it has before SIGKILL. */
export interface StopPolicy {
  readonly signal: string;
  readonly graceMs: number;
}

/** How much of a run's output is kept: for each stream, the number of files and the size of each. */
export interface LogPolicy {
  readonly sizeBytes: number;
  readonly files: number;
}

/** Enough for the messages of a copy of millions of files; at most 60 MB a run. */
export const DEFAULT_LOG: LogPolicy = { sizeBytes: 10_000_000, files: 3 };

/** What is reported to Migration Hub of a job beside its state. */
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

/** Work that somebody else runs, and what the agent watches to see its state. */
export type TrackedSource =
  /** Nothing is watched: the work's state comes by `report`. */
  | { readonly by: 'report' }
  | { readonly by: 'pid'; readonly process: ProcessIdentity }
  /**
   * A systemd unit. `invocation` was active when tracking began. Without it, the next invocation is tracked: any other
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
      /** The user whose rights must allow the reading; absent: the agent's own. */
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
  /** The program and its arguments, run without a shell. Empty for work that somebody else runs. */
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
   * When a run ends whose program left processes behind: with the program (`leader`, the default), or when no process
   * of the run's tree is alive (`tree`).
   */
  readonly waitFor?: 'leader' | 'tree';
  /** Present: somebody else runs it, and the agent only watches. */
  readonly tracked?: TrackedSource;
  /** Absent: the default (runs that an older agent began have none). */
  readonly log?: LogPolicy;
  /** Absent: this job is not reported to Migration Hub. */
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

/** For each state, the states that a run may move to. A final state has none. */
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

/** The identity of a process: a pid alone may have been given to another process since. */
export interface ProcessIdentity {
  readonly pid: number;
  /** /proc/sys/kernel/random/boot_id at its start. */
  readonly bootId: string;
  /** Field 22 of /proc/PID/stat: start time in clock ticks since boot. */
  readonly startTicks: string;
}

/** Why a run is stopped. `service`: `canceled: true`; `fence`: the window ended; `gone`: no such task. */
export type EndCause = 'operator' | 'service' | 'timeout' | 'fence' | 'gone';

/** A run that is being stopped: the stop escalation is a function of this and the time (see runs/stop-escalation.ts). */
export interface Ending {
  readonly cause: EndCause;
  readonly detail: string;
  readonly since: Instant;
  readonly graceMs: number;
}

export type Delivery =
  | { readonly state: 'pending' }
  | { readonly state: 'delivered'; readonly at: Instant }
  /** `isRetained`: it stays in the outbox until it is accepted after all or an operator drops it. */
  | { readonly state: 'refused'; readonly reason: string; readonly isRetained?: true }
  /** Nothing may be reported: the service canceled the task, or it may belong to another host (P3, P4). */
  | { readonly state: 'withheld'; readonly reason: string };

/** The pipeline's side of a run: the task that it works for. */
export interface PipelineTask {
  readonly taskId: string;
  readonly pipelineId: string;
  readonly attemptId: string;
  /** Pipeline and instance without the attempt: never runs twice on one host (P3). */
  readonly instance: string;
  readonly workerGroup: string;
  /** How long the service waits for a report before it gives the task to another runner. */
  readonly windowMs: number;
  readonly receivedAt: Instant;
  /** Variables from the task for the job's processes (pipeline/task-environment.ts). */
  readonly environment?: Readonly<Record<string, string>>;
  /** An exit code other than 0 means that the condition is not met. */
  readonly isPrecondition?: true;
}

export type RunOrigin = 'operator' | 'autostart' | 'schedule' | 'pipeline' | 'ad-hoc' | 'tracked';

/** One execution of a job. A plain value: the store keeps it unchanged. */
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
  /** By the services' clock: its age counts from here (runs/retention.ts). */
  agesFromMs?: number;
  /** How often its start was attempted. Each attempt has a start lock of its own, so none can run twice. */
  spawn: number;
  process?: ProcessIdentity;
  /** The invocation of a systemd unit that this run is (tracked by unit). */
  invocation?: string;
  /** Whole percent, 0–100; never falls; 100 only when the run has succeeded. */
  percent?: number;
  detail?: string;
  progressAt?: Instant;
  stalled?: boolean;
  /** Why the state of the run's work cannot be seen; absent if it can. */
  problem?: string;
  exitCode?: number;
  exitSignal?: string;
  /** Why it ended as it did, secrets masked. */
  reason?: string;
  /** The last lines of its standard error, secrets masked. */
  errorTail?: string;
  ending?: Ending;
  /** Processes of the run that live on without its program or its shim. */
  processesLeft?: readonly number[];
  /** The shim ended without an exit record: the run's exit code will not be known. */
  isOrphaned?: true;
  /** Processes that outlived SIGKILL (uninterruptible sleep, mostly). */
  survivors?: readonly number[];
  /** Why `survivors` are counted though they were not seen to be of the run. */
  survivorsDoubt?: string;
  /** It belongs to the host that this state was copied from: kept, but not acted upon (state/host-identity.ts). */
  copiedHost?: true;
  hub?: {
    readonly task: string;
    /** The last stamp of the task when the run was made, for an agent whose store was lost. */
    readonly stampS?: number;
    delivery: Delivery;
  };
  pipeline?: {
    task: PipelineTask;
    acknowledgedAt?: Instant;
    acceptedAt?: Instant;
    /** Since then it is unknown what is left of the window: nothing follows for the task before AWS has accepted a report. */
    unconfirmedSince?: Instant;
    delivery: Delivery;
  };
}

/** A run that is on this host and not in the store. */
export interface UnrecordedRun {
  /** As it was when it was started. */
  readonly run: Run;
  /** False: its boot clock was that of an earlier boot. */
  readonly isOfThisBoot: boolean;
}

export function isFinal(state: RunState): boolean {
  return MOVES[state].length === 0;
}

/** The refusal of a request for a run that belongs to another host. */
export function copiedHostRefusal({ job, number }: Run): string {
  return `run ${number} of ${job} belongs to the host that this state was copied from; if the state was moved here, run "migration-agent claim"`;
}

/** True if the run holds its job: no other run of the job may start before it has ended. */
export function isStarted(run: Run): boolean {
  return run.state === 'starting' || run.state === 'running' || run.state === 'canceling';
}

/** Moves a run to another state. Throws on a move that the table does not allow, which is a bug of the agent. */
export function moveRun(run: Run, to: RunState): void {
  if (!MOVES[run.state].includes(to)) {
    throw new Error(`run ${run.id} cannot move from ${run.state} to ${to}`);
  }
  run.state = to;
}

/** True while a report is pending, or was refused and is still in the outbox. */
export function isPending(delivery: Delivery): boolean {
  return (
    delivery.state === 'pending' || (delivery.state === 'refused' && delivery.isRetained === true)
  );
}

/** True if the run has ended and nothing of it is pending, a refused report that an operator may resend included. */
export function isSettled({ hub, pipeline, state }: Run): boolean {
  const isOpen = (one?: { readonly delivery: Delivery }): boolean =>
    one !== undefined && isPending(one.delivery);
  return isFinal(state) && !isOpen(hub) && !isOpen(pipeline);
}

/** Of an ended run, its final status has not been accepted by Data Pipeline, and is not given up. */
export function isPendingForPipeline({ pipeline, state }: Run): boolean {
  return pipeline !== undefined && isFinal(state) && isPending(pipeline.delivery);
}
