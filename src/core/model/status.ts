/**
 * What the agent shows of itself: the document behind `status --json` and GET /v1/status.
 * Times are ISO 8601 in UTC; durations are seconds where the name says so.
 */
import type { Operation } from './call.ts';
import type { RunState } from './job.ts';
import type { OutboxEntry } from './outbox.ts';

export interface Status {
  /** Raised when a field changes its meaning or goes. */
  readonly schema: 1;
  readonly agent: AgentStatus;
  readonly jobs: readonly JobStatus[];
  readonly budgets: readonly BudgetStatus[];
}

export interface AgentStatus {
  readonly version: string;
  readonly pid: number;
  readonly host: string;
  readonly startedAt: string;
  readonly now: string;
  /** `draining`: pipeline tasks are no longer polled for. */
  readonly state: 'running' | 'draining';
  /** The service's clock less this host's, in seconds. */
  readonly clockOffsetSeconds: number;
  readonly homeRegion?: string;
  readonly taskRunnerId?: string;
  /** Live jobs that are not reported to Migration Hub, because the budget could not keep a promise for them. */
  readonly waitingForBudget: number;
  /** Reports that a destination has not accepted yet, final reports included. */
  readonly outbox: number;
  /** How long the oldest final report has been pending; absent: none is. */
  readonly outboxAgeSeconds?: number;
  /** When the credentials in use end; absent: they do not end, or none were needed yet. */
  readonly credentialsExpireAt?: string;
  /** Seconds to the nearest deadline; negative: a promise is broken. */
  readonly nearestDeadlineSeconds?: number;
  /** Where a fleet shares its budgets through Redis. */
  readonly fleet?: FleetStatus;
  /** `degraded`: something keeps the agent from doing all of its work; `problems` lists what. */
  readonly health: 'healthy' | 'degraded';
  /** What is wrong, one sentence each, with the remedy. Empty if the agent is healthy. */
  readonly problems: readonly string[];
}

export interface FleetStatus {
  /** `joined`: calls come from the pool in Redis. `alone`: by this host's share. `waiting`: between the two, no calls. */
  readonly state: 'joined' | 'waiting' | 'alone';
  /** This host's part of each budget, which it has in any case. */
  readonly share: number;
  /** Hosts that the pool knows of, and the sum of their shares. */
  readonly hosts?: number;
  readonly shares?: number;
  /** Why it is not joined. */
  readonly reason?: string;
}

export interface JobStatus {
  readonly name: string;
  /** Number of the latest run; absent: it has never run. */
  readonly run?: number;
  readonly state: RunState | 'idle';
  readonly origin?: string;
  readonly pid?: number;
  /** The systemd unit or status file that is watched (tracked work). */
  readonly unit?: string;
  readonly statusFile?: string;
  readonly exitCode?: number;
  readonly exitSignal?: string;
  readonly percent?: number;
  /** Since its start, or from its start to its end. */
  readonly elapsedSeconds?: number;
  /** What is left at the average rate so far. */
  readonly etaSeconds?: number;
  readonly detail?: string;
  /** Why it ended as it did. */
  readonly reason?: string;
  /** Processes of the run that live on without its program (or without its shim). */
  readonly processesLeft?: readonly number[];
  readonly cancelIncomplete?: boolean;
  readonly survivors?: readonly number[];
  readonly stalled?: boolean;
  /** Why the state of the run's work cannot be seen; absent if it can. */
  readonly problem?: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** When a schedule starts it next. */
  readonly nextStartAt?: string;
  readonly destinations: {
    readonly migrationHub?: HubDestination;
    readonly dataPipeline?: PipelineDestination;
  };
}

/** One job in full: what it runs, where its output lies, its earlier runs, what AWS does not have yet. */
export interface JobDetail extends JobStatus {
  /** The program and its arguments, secrets masked; absent: somebody else runs it. */
  readonly command?: readonly string[];
  readonly workingDirectory?: string;
  readonly user?: string;
  readonly schedule?: { readonly cron: string; readonly timezone?: string };
  /** The files of the run's output; absent: there is no run, or somebody else runs it. */
  readonly logs?: LogPaths;
  /** Newest first. */
  readonly earlierRuns: readonly EarlierRun[];
  /** Reports of this job that a destination has not accepted yet, oldest first. */
  readonly pending: readonly OutboxEntry[];
}

export interface LogPaths {
  readonly stdout: string;
  readonly stderr: string;
}

export interface EarlierRun {
  readonly run: number;
  readonly state: RunState;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly elapsedSeconds?: number;
  readonly exitCode?: number;
  readonly exitSignal?: string;
  readonly reason?: string;
}

interface Destination {
  readonly delivery: 'pending' | 'delivered' | 'refused' | 'withheld';
  /** Why it was refused or is withheld, or why the next report fails. */
  readonly reason?: string;
  readonly lastAcceptedAt?: string;
  /** When a promise or a window ends; absent: nothing is promised. */
  readonly deadlineAt?: string;
  readonly slackSeconds?: number;
}

export interface HubDestination extends Destination {
  readonly task: string;
  readonly nextUpdateSeconds?: number;
  readonly lastStatus?: string;
}

export interface PipelineDestination extends Destination {
  readonly taskId: string;
  readonly pipelineId: string;
  readonly attemptId: string;
  readonly workerGroup: string;
}

export interface BudgetStatus {
  readonly operation: Operation;
  readonly perSecond: number;
  readonly burst: number;
  /** Calls that could be made at once; absent: not known. */
  readonly available?: number;
  readonly accepted: number;
  readonly throttled: number;
  readonly failed: number;
  /** Why no call of this operation is made now, and until when. */
  readonly pausedUntil?: string;
  readonly pausedBecause?: string;
}
