/**
 * Everything that the planner can ask of the outside, in the imperative. `src/agent/act.ts` performs actions; their
 * results come back as events.
 */
import type { Call, Operation, TaskUpdate } from './call.ts';
import type { RequestId } from './event.ts';
import type { Run } from './job.ts';

export type Action =
  /** Ask an operation's gate for calls. Answered by `gate-opened`. */
  | { readonly type: 'ask-gate'; readonly operation: Operation; readonly slots: number }
  /** Give back calls that were not used. */
  | { readonly type: 'return-slots'; readonly operation: Operation; readonly slots: number }
  /** Make a call now. Answered by `call-settled`. */
  | { readonly type: 'call'; readonly id: number; readonly call: Call }
  /** Answered by `run-started` or `run-start-failed`, then `progress-read`, then `run-exited`. */
  | { readonly type: 'start-run'; readonly run: Run }
  /** Find a run of an earlier agent. Answered by `run-started`, `run-never-started`, `run-exited`, `run-orphaned` or `run-lost`. */
  | { readonly type: 'adopt-run'; readonly run: Run }
  /** Answered by `tree-signalled`, then `tree-checked`. */
  | { readonly type: 'signal-tree'; readonly run: Run; readonly signal: string }
  /** Answered by `tree-checked`. */
  | { readonly type: 'check-tree'; readonly run: Run }
  /** Watch tracked work. Answered by `run-seen`, `progress-read`, `watch-problem`, then by how it ended. */
  | { readonly type: 'watch-run'; readonly run: Run }
  /** Stop watching tracked work, since its run has ended. Not answered. */
  | { readonly type: 'release-run'; readonly run: Run }
  /** Nothing of the run is pending, so that a lost store costs it nothing: drop its record beside its files. Not answered. */
  | { readonly type: 'settle-run'; readonly run: Run }
  /** Remove the files of a run that is no longer kept. Never of a live run. */
  | { readonly type: 'forget-run'; readonly run: Run }
  | { readonly type: 'answer'; readonly request: RequestId; readonly reply: Reply }
  /** End the agent; jobs live on. 75: the service said terminate. */
  | { readonly type: 'exit'; readonly code: number };

/** The answer to an operator's request. */
export type Reply =
  | {
      readonly ok: true;
      readonly run?: string;
      readonly message: string;
      /** Of a `history-requested`. */
      readonly page?: HistoryPage;
      /** Of a request for many: the items that were refused, by their index in the request. */
      readonly refused?: readonly RefusedItem[];
    }
  | {
      readonly ok: false;
      /** `expired`: the page's token; `unavailable`: the service or the connection to it. */
      readonly code: RefusalCode | 'expired' | 'unavailable';
      readonly message: string;
    };

/** `forbidden`: the caller may not ask for this. */
export type RefusalCode = 'no-such-job' | 'conflict' | 'invalid' | 'forbidden';

export interface RefusedItem {
  readonly index: number;
  readonly name: string;
  readonly code: RefusalCode;
  readonly message: string;
}

/** A page of what Migration Hub recorded of a task. */
export interface HistoryPage {
  readonly region: string;
  readonly stream: string;
  readonly task: string;
  readonly updates: readonly TaskUpdate[];
  /** Absent: this was the last page. */
  readonly nextToken?: string;
}
