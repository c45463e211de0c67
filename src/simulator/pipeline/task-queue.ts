/**
 * Attempts that wait for a runner, polls that wait for an attempt, and the tasks that runners own: the
 * acknowledgement window, then the progress window, then the timeout of the attempt. The queue reads no
 * clock: `advance` gets the time as an argument, and `nextDue` returns when to call it next.
 *
 * Each hand-out is a task of its own. A late call finds its task lapsed, canceled, timed out or ended.
 */
import type { Behaviour } from '../lib/behaviour.ts';
import type { Poll, QueueOwner, QueueSnapshot } from './task-queue-ports.ts';
import type { Dice } from '../lib/dice.ts';
import type { Output } from '../lib/operation.ts';
import { pipelineDeleted, pipelineNotFound, taskNotFound } from './records.ts';
import type { Attempt } from './records.ts';
import type { TaskObserver, TaskPlace } from './task-events.ts';
import { newTaskId, periodOf, place, workerGroupOf } from './owned-task.ts';
import type { OwnedTask, TaskState } from './owned-task.ts';
import { taskObject } from './task-object.ts';

/** A report in the last millisecond of a window is in time. */
const AFTER_WINDOW_MS = 1;
/** How many ended tasks are kept, to answer late calls. The oldest are dropped. */
const PAST_TASKS_MAX = 10_000;

export class TaskQueue {
  readonly #behaviour: Behaviour;
  readonly #dice: Dice;
  readonly #observe: TaskObserver;
  readonly #owner: QueueOwner;
  #ready: Attempt[] = [];
  readonly #polls: Poll[] = [];
  #tasks = new Map<string, OwnedTask>();
  #owned = new Map<Attempt, OwnedTask>();
  /** The last hand-out of an attempt that lapsed, for `taskIdAfterLapse: same`. */
  #lapsed = new Map<Attempt, OwnedTask>();

  constructor(behaviour: Behaviour, dice: Dice, observe: TaskObserver, owner: QueueOwner) {
    this.#behaviour = behaviour;
    this.#dice = dice;
    this.#observe = observe;
    this.#owner = owner;
  }

  /** Without polls, which end with their connections. */
  snapshot(): QueueSnapshot {
    return { ready: this.#ready, tasks: this.#tasks, owned: this.#owned, lapsed: this.#lapsed };
  }

  restore({ ready, tasks, owned, lapsed }: QueueSnapshot): void {
    this.#ready = ready;
    this.#tasks = tasks;
    this.#owned = owned;
    this.#lapsed = lapsed;
  }

  /** Adds an attempt that waits for a runner. */
  offer(attempt: Attempt): void {
    this.#ready.push(attempt);
  }

  /** Cancels an attempt: no runner gets it any more, and the next report of the runner that has it is answered `canceled`. */
  cancel(attempt: Attempt, now: number): void {
    this.#dropReady(attempt);
    const task = this.#owned.get(attempt);
    if (task === undefined) return;
    this.#leave(task, 'canceled');
    task.canceledAt = now;
  }

  /** Removes an attempt from the queue; false if a runner has it. */
  withdraw(attempt: Attempt): boolean {
    return this.#dropReady(attempt);
  }

  take(workerGroup: string, hostname: string | undefined, now: number): Output | undefined {
    const index = this.#ready.findIndex((attempt) => workerGroupOf(attempt) === workerGroup);
    const attempt = this.#ready[index];
    if (attempt === undefined) return undefined;
    this.#ready.splice(index, 1);
    return this.#handOut(attempt, hostname, now);
  }

  wait(poll: Poll, now: number): void {
    const isSame = (other: Poll): boolean =>
      other.workerGroup === poll.workerGroup &&
      poll.hostname !== undefined &&
      other.hostname === poll.hostname &&
      !other.isGone();
    if (this.#polls.some(isSame)) {
      const { workerGroup, hostname = '' } = poll;
      this.#observe({ type: 'overlapping-poll', at: now, workerGroup, hostname });
    }
    this.#polls.push(poll);
  }

  /** Ends a poll without a task; false if the poll has been answered. */
  giveUp(poll: Poll): boolean {
    const index = this.#polls.indexOf(poll);
    if (index < 0) return false;
    this.#polls.splice(index, 1);
    return true;
  }

  /** Gives ready attempts to waiting polls, the oldest poll of a worker group first. */
  serve(now: number): void {
    for (const poll of [...this.#polls]) {
      if (this.#behaviour.pollOfGoneClient === 'skip' && poll.isGone()) continue;
      const output = this.take(poll.workerGroup, poll.hostname, now);
      if (output === undefined) continue;
      this.giveUp(poll);
      poll.settle(output);
    }
  }

  report(taskId: string, now: number): { readonly attempt: Attempt; readonly canceled: boolean } {
    const task = this.#find(taskId, now);
    const { attempt } = task;
    if (attempt.instance.pipeline.isDeleted) {
      const { id } = attempt.instance.pipeline;
      if (this.#behaviour.reportAfterDelete === 'deleted') throw pipelineDeleted(id);
      if (this.#behaviour.reportAfterDelete === 'not-found') throw pipelineNotFound(id);
      return { attempt, canceled: this.#reportCancel(task, now) };
    }
    switch (task.state) {
      case 'owned': {
        const gapMs = now - task.lastReportAt;
        this.#observe({
          type: 'reported',
          gapMs,
          isFirst: !task.isAcknowledged,
          ...place(task, now),
        });
        task.lastReportAt = now;
        task.isAcknowledged = true;
        task.windowEndsAt = now + this.#progressMs(attempt);
        return { attempt, canceled: false };
      }
      case 'canceled':
        return { attempt, canceled: this.#reportCancel(task, now) };
      case 'lapsed':
        this.#observe({ type: 'call-of-former-owner', ...place(task, now) });
        if (this.#behaviour.reportAfterLapse === 'not-found') throw taskNotFound();
        return { attempt, canceled: true };
      case 'timed-out':
        if (this.#behaviour.reportAfterAttemptTimeout === 'not-found') throw taskNotFound();
        return { attempt, canceled: true };
      case 'ended':
        if (this.#behaviour.reportAfterEnd === 'not-found') throw taskNotFound();
        return { attempt, canceled: false };
    }
  }

  /** SetTaskStatus: returns the attempt to end, or undefined if the call has no effect. */
  end(taskId: string, status: string, now: number): Attempt | undefined {
    const task = this.#find(taskId, now);
    const { attempt } = task;
    if (attempt.instance.pipeline.isDeleted) throw pipelineDeleted(attempt.instance.pipeline.id);
    switch (task.state) {
      case 'owned':
        this.#leave(task, 'ended');
        this.#observe({ type: 'ended', status, ...place(task, now) });
        return attempt;
      case 'canceled':
        if (task.isCancelReported)
          this.#observe({ type: 'status-after-cancel', ...place(task, now) });
        if (this.#behaviour.statusAfterCancel === 'not-found') throw taskNotFound();
        return undefined;
      case 'lapsed':
        this.#observe({ type: 'call-of-former-owner', ...place(task, now) });
        throw taskNotFound();
      case 'timed-out':
        throw taskNotFound();
      case 'ended':
        if (this.#behaviour.reportAfterEnd === 'not-found') throw taskNotFound();
        return undefined;
    }
  }

  /** Handles windows and timeouts that have ended. */
  advance(now: number): void {
    for (const task of [...this.#owned.values()]) {
      if (now > task.timeoutAt) {
        this.#leave(task, 'timed-out');
        this.#owner.over(task.attempt, 'TIMEDOUT', 'The attempt exceeded its attemptTimeout.', now);
      } else if (now > task.windowEndsAt) {
        this.#lapse(task, now);
      }
    }
  }

  /** When the next window or timeout ends. */
  nextDue(): number {
    let due = Infinity;
    for (const task of this.#owned.values()) {
      due = Math.min(due, task.windowEndsAt + AFTER_WINDOW_MS, task.timeoutAt + AFTER_WINDOW_MS);
    }
    return due;
  }

  /** For the state page: which runner owns which task. */
  owned(): readonly (TaskPlace & {
    readonly acknowledged: boolean;
    readonly windowEndsAt: number;
  })[] {
    return [...this.#owned.values()].map((task) => ({
      ...place(task, task.lastReportAt),
      acknowledged: task.isAcknowledged,
      windowEndsAt: task.windowEndsAt,
    }));
  }

  counts(): { readonly ready: number; readonly polls: number } {
    return { ready: this.#ready.length, polls: this.#polls.length };
  }

  #handOut(attempt: Attempt, hostname: string | undefined, now: number): Output {
    const earlier = this.#lapsed.get(attempt);
    this.#lapsed.delete(attempt);
    const isSameId = earlier !== undefined && this.#behaviour.taskIdAfterLapse === 'same';
    const task: OwnedTask = {
      taskId: isSameId ? earlier.taskId : newTaskId(this.#dice),
      attempt,
      state: 'owned',
      hostname,
      lastReportAt: now,
      isAcknowledged: false,
      windowEndsAt: now + this.#behaviour.acknowledgeMs,
      timeoutAt: now + (periodOf(attempt, 'attemptTimeout') ?? Infinity),
      canceledAt: Infinity,
      isCancelReported: false,
    };
    this.#tasks.set(task.taskId, task);
    this.#owned.set(attempt, task);
    this.#forgetOldest();
    // The sample of PollForTask shows the attempt as it was before it was taken: WAITING_FOR_RUNNER.
    const object = taskObject(attempt, now);
    if (hostname !== undefined) attempt.hostname = hostname;
    this.#owner.started(attempt, now);
    this.#observe({ type: 'handed-out', again: earlier !== undefined, ...place(task, now) });
    return { taskObject: { taskId: task.taskId, ...object } };
  }

  #lapse(task: OwnedTask, now: number): void {
    const window = task.isAcknowledged ? 'progress' : 'acknowledgement';
    this.#leave(task, 'lapsed');
    this.#observe({ type: 'lapsed', window, ...place(task, now) });
    if (task.isAcknowledged && this.#behaviour.progressLapse === 'new-attempt') {
      this.#owner.over(task.attempt, 'FAILED', 'The task runner stopped reporting progress.', now);
      return;
    }
    this.#lapsed.set(task.attempt, task);
    task.attempt.status = 'WAITING_FOR_RUNNER';
    task.attempt.instance.status = 'WAITING_FOR_RUNNER';
    this.offer(task.attempt);
  }

  #leave(task: OwnedTask, state: Exclude<TaskState, 'owned'>): void {
    task.state = state;
    this.#owned.delete(task.attempt);
  }

  #reportCancel(task: OwnedTask, now: number): true {
    if (!task.isCancelReported) {
      task.isCancelReported = true;
      this.#observe({
        type: 'cancel-reported',
        sinceMs: now - task.canceledAt,
        ...place(task, now),
      });
    }
    return true;
  }

  #find(taskId: string, now: number): OwnedTask {
    this.advance(now);
    const task = this.#tasks.get(taskId);
    if (task === undefined) throw taskNotFound();
    return task;
  }

  #dropReady(attempt: Attempt): boolean {
    const index = this.#ready.indexOf(attempt);
    if (index < 0) return false;
    this.#ready.splice(index, 1);
    return true;
  }

  /** `reportProgressTimeout` of the task's own fields, else the documented window. */
  #progressMs(attempt: Attempt): number {
    return periodOf(attempt, 'reportProgressTimeout') ?? this.#behaviour.progressMs;
  }

  #forgetOldest(): void {
    for (const [taskId, task] of this.#tasks) {
      if (this.#tasks.size - this.#owned.size <= PAST_TASKS_MAX) return;
      if (task.state !== 'owned') this.#tasks.delete(taskId);
    }
  }
}
