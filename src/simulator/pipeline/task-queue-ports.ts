/** The interfaces of the task queue: polls that wait, the owner that it calls back, and its saved state. */
import type { Output } from '../lib/operation.ts';
import type { OwnedTask } from './owned-task.ts';
import type { Attempt } from './records.ts';

export interface Poll {
  readonly workerGroup: string;
  readonly hostname: string | undefined;
  readonly isGone: () => boolean;
  readonly settle: (output: Output) => void;
}

/** Called by the queue when a runner takes an attempt, and when an attempt ends without a report of its runner. */
export interface QueueOwner {
  started(attempt: Attempt, now: number): void;
  over(attempt: Attempt, status: 'FAILED' | 'TIMEDOUT', reason: string, now: number): void;
}

export interface QueueSnapshot {
  readonly ready: Attempt[];
  readonly tasks: Map<string, OwnedTask>;
  readonly owned: Map<Attempt, OwnedTask>;
  readonly lapsed: Map<Attempt, OwnedTask>;
}
