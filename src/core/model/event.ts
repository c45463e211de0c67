/**
 * Everything that can happen to the agent, in the past tense. Callbacks, sockets, signals and settled calls only post
 * one of these events to the inbox; the planner decides what follows from it.
 */
import type { Call, Operation, Outcome } from './call.ts';
import type { JobDefinition, ProcessIdentity } from './job.ts';
import type { FinalStatus, Report } from './tracked.ts';
import type { OutboxChoice } from './outbox.ts';
import type { Settings } from './settings.ts';
import type { Now } from '../lib/time.ts';

/** Identifies an operator's request, for its answer (see `answer` in action.ts). */
export type RequestId = number;

export type Event =
  /** A turn of the loop, for everything that is due because of time. */
  | { readonly type: 'time-passed' }
  | {
      readonly type: 'start-requested';
      readonly job: string;
      readonly origin: 'operator' | 'schedule';
      /** Why this caller may not run a command that the configuration does not name; absent: it may. */
      readonly adHocRefusal?: string;
      readonly request?: RequestId;
    }
  | {
      readonly type: 'job-submitted';
      readonly definition: JobDefinition;
      readonly request?: RequestId;
    }
  | {
      readonly type: 'track-requested';
      readonly definitions: readonly JobDefinition[];
      readonly request?: RequestId;
    }
  | {
      readonly type: 'reports-made';
      readonly reports: readonly Report[];
      readonly request?: RequestId;
    }
  | {
      readonly type: 'cancel-requested';
      readonly job: string;
      /** Who asked, for the timeline. */
      readonly by: string;
      readonly graceMs?: number;
      readonly request?: RequestId;
    }
  | {
      readonly type: 'history-requested';
      readonly job: string;
      /** Its number; absent: the latest run. */
      readonly run?: number;
      readonly token?: string;
      readonly request: RequestId;
    }
  /** Retry or drop entries of the outbox. */
  | {
      readonly type: 'outbox-requested';
      readonly action: 'retry' | 'drop';
      readonly choice: OutboxChoice;
      /** Who asked, for the timeline. */
      readonly by: string;
      readonly request?: RequestId;
    }
  | { readonly type: 'drain-requested'; readonly request?: RequestId }
  /** The state was moved to this host: what was set aside is taken over. */
  | { readonly type: 'claim-requested'; readonly by: string; readonly request?: RequestId }
  | { readonly type: 'resume-requested'; readonly request?: RequestId }
  /** The agent is to stop, and its jobs go on. Shutdown reports are sent first (see state/shutdown.ts). */
  | { readonly type: 'stop-requested' }
  | { readonly type: 'settings-changed'; readonly settings: Settings; readonly request?: RequestId }
  | { readonly type: 'run-started'; readonly run: string; readonly process: ProcessIdentity }
  /** The start failed and nothing runs. */
  | { readonly type: 'run-start-failed'; readonly run: string; readonly reason: string }
  /** After a restart of the agent: the start had been decided but provably never happened. */
  | { readonly type: 'run-never-started'; readonly run: string }
  | {
      readonly type: 'progress-read';
      readonly run: string;
      readonly percent?: number;
      readonly detail?: string;
    }
  /** Tracked work is seen: its process, the invocation of its unit, or its status file. */
  | {
      readonly type: 'run-seen';
      readonly run: string;
      readonly process?: ProcessIdentity;
      readonly invocation?: string;
    }
  /** Tracked work reported its end. */
  | {
      readonly type: 'run-concluded';
      readonly run: string;
      readonly status: FinalStatus;
      readonly detail?: string;
    }
  /** The state of tracked work cannot be seen; without a reason: it can be seen again. */
  | { readonly type: 'watch-problem'; readonly run: string; readonly reason?: string }
  | {
      readonly type: 'run-exited';
      readonly run: string;
      readonly exitCode: number;
      readonly signal?: string;
      readonly errorTail?: string;
      /** Processes of the run that still live, the program itself and its shim left out; absent: none. */
      readonly processesLeft?: readonly number[];
    }
  /**
   * The run's shim has ended without an exit record, and processes of the run still live: the run is not over. The
   * planner checks the tree from now on; the host posts nothing more of this run unless it is asked.
   */
  | {
      readonly type: 'run-orphaned';
      readonly run: string;
      readonly pids: readonly number[];
      readonly reason: string;
    }
  /** The run left no exit record, and nothing of its tree is alive. Posted only after a complete look at the processes. */
  | { readonly type: 'run-lost'; readonly run: string; readonly reason: string }
  | {
      readonly type: 'tree-signalled';
      readonly run: string;
      readonly signal: string;
      readonly processes: number;
    }
  /**
   * Which processes of the run's tree are alive, zombies not counted. Posted only after a complete look: while
   * processes cannot be seen (no descriptors, an unreadable /proc), the host looks again and posts nothing.
   * `reason`: these were not seen to be of the tree, and it says why they may be.
   */
  | {
      readonly type: 'tree-checked';
      readonly run: string;
      readonly survivors: readonly number[];
      readonly reason?: string;
    }
  | { readonly type: 'gate-opened'; readonly operation: Operation; readonly slots: number }
  | {
      readonly type: 'call-settled';
      readonly id: number;
      readonly call: Call;
      readonly outcome: Outcome;
      readonly sentAt: Now;
    };
