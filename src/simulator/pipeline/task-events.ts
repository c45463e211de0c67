/** The events of Data Pipeline's tasks, for the audit. */

export interface TaskPlace {
  readonly at: number;
  readonly taskId: string;
  readonly pipelineId: string;
  readonly attemptId: string;
  readonly hostname?: string;
}

export type TaskEvent =
  | (TaskPlace & { readonly type: 'handed-out'; readonly again: boolean })
  /** A window ended without a report: the runner no longer owns the task. */
  | (TaskPlace & { readonly type: 'lapsed'; readonly window: 'acknowledgement' | 'progress' })
  /** An accepted report, `gapMs` after the previous one or the hand-out. */
  | (TaskPlace & { readonly type: 'reported'; readonly gapMs: number; readonly isFirst: boolean })
  | (TaskPlace & { readonly type: 'cancel-reported'; readonly sinceMs: number })
  | (TaskPlace & { readonly type: 'status-after-cancel' })
  /** A call for a lapsed task: its former runner believes that it still owns the task. */
  | (TaskPlace & { readonly type: 'call-of-former-owner' })
  | (TaskPlace & { readonly type: 'ended'; readonly status: string })
  /** A host polled a worker group a second time before its first poll was answered. */
  | {
      readonly type: 'overlapping-poll';
      readonly at: number;
      readonly workerGroup: string;
      readonly hostname?: string;
    };

export type TaskObserver = (event: TaskEvent) => void;
