/** A task: an attempt that was handed out to a runner. */
import type { Dice } from '../lib/dice.ts';
import { parsePeriod, valueOf } from '../definition/fields.ts';
import type { Attempt } from './records.ts';
import type { TaskPlace } from './task-events.ts';
import { defined } from '../lib/defined.ts';

/** The states of a task. Late calls find it in one of the last four. */
export type TaskState = 'owned' | 'lapsed' | 'canceled' | 'timed-out' | 'ended';

export interface OwnedTask {
  readonly taskId: string;
  readonly attempt: Attempt;
  state: TaskState;
  hostname: string | undefined;
  /** The time of the last accepted report, or of the hand-out. */
  lastReportAt: number;
  isAcknowledged: boolean;
  /** When the current window ends. */
  windowEndsAt: number;
  /** When the attempt times out (attemptTimeout); Infinity without one. */
  timeoutAt: number;
  canceledAt: number;
  isCancelReported: boolean;
}

/** Undefined for an activity with `runsOn`: it needs a managed resource, which the simulator does not have. */
export function workerGroupOf(attempt: Attempt): string | undefined {
  const { fields } = attempt.instance;
  return valueOf(fields, 'runsOn') === undefined ? valueOf(fields, 'workerGroup') : undefined;
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Opaque and long, as in the samples. The model allows 2,048 characters. */
export function newTaskId(dice: Dice): string {
  return `${dice.text(BASE64, 170)}:${dice.text(BASE64, 22)}==:1`;
}

export function periodOf(attempt: Attempt, key: string): number | undefined {
  return parsePeriod(valueOf(attempt.instance.fields, key) ?? '');
}

export function place(task: OwnedTask, at: number): TaskPlace {
  return {
    at,
    taskId: task.taskId,
    pipelineId: task.attempt.instance.pipeline.id,
    attemptId: task.attempt.id,
    ...defined({ hostname: task.hostname }),
  };
}
