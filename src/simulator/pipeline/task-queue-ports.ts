/** What stands around the task queue: the polls that wait, the owner that is told, the state that is kept. */
import type { Output } from '../lib/operation.ts';
import type { OwnedTask } from './owned-task.ts';
import type { Attempt } from './records.ts';

export interface Poll {
  readonly workerGroup: string;
  readonly hostname: string | undefined;
  readonly isGone: () => boolean;
  readonly settle: (output: Output) => void;
}

/** What the queue tells the runs: an attempt was taken, or is over without its runner's word. */
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
