/** What happens to the tasks of Data Pipeline, as the audit hears of it. */

export interface TaskPlace {
  readonly at: number;
  readonly taskId: string;
  readonly pipelineId: string;
  readonly attemptId: string;
  readonly hostname?: string;
}

export type TaskEvent =
  | (TaskPlace & { readonly type: 'handed-out'; readonly again: boolean })
  /** A window ran out without a report: the task is no longer the runner's. */
  | (TaskPlace & { readonly type: 'lapsed'; readonly window: 'acknowledgement' | 'progress' })
  /** An accepted report; `gapMs` since the one before it, or since the hand-out. */
  | (TaskPlace & { readonly type: 'reported'; readonly gapMs: number; readonly isFirst: boolean })
  | (TaskPlace & { readonly type: 'cancel-told'; readonly sinceMs: number })
  | (TaskPlace & { readonly type: 'status-after-cancel' })
  /** A call about a task that lapsed: its former runner thinks that it still owns it. */
  | (TaskPlace & { readonly type: 'call-of-former-owner' })
  | (TaskPlace & { readonly type: 'ended'; readonly status: string })
  /** A second poll of one host on one worker group before the first was answered. */
  | {
      readonly type: 'overlapping-poll';
      readonly at: number;
      readonly workerGroup: string;
      readonly hostname?: string;
    };

export type TaskObserver = (event: TaskEvent) => void;
