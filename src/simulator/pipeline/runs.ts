/**
 * The runs of active pipelines: schedules make instances; instances wait for their dependencies, make attempts, and
 * retry. The queue hands attempts out and calls back when one has ended. The time is an argument, as in the queue.
 *
 * Task runners check the preconditions that the documents call user-managed. The result of the others is a switch. The
 * only action that has an effect is Terminate, for late instances. Data nodes are not simulated: they count as ready. Nor
 * are resources: an activity with `runsOn` waits for ever.
 */
import type { Behaviour } from '../lib/behaviour.ts';
import { invalidRequest } from '../lib/errors.ts';
import { LiveInstances } from './live-instances.ts';
import { isOnDemand, preconditionKind } from '../definition/definition.ts';
import type { Definition } from '../definition/definition.ts';
import { maximumRetries, preconditionMs, retryDelayMs } from './instances.ts';
import { isEnded } from './records.ts';
import type { Attempt, AttemptStatus, Instance, InstanceStatus, Pipeline } from './records.ts';
import { pause, resume } from './pause.ts';
import { isLongBackfill, nextRun, skipRunsBefore } from './schedule.ts';
import { RunMaker } from './run-maker.ts';
import { afterWaiting } from './dependencies.ts';
import { TaskQueue } from './task-queue.ts';
import type { QueueSnapshot } from './task-queue-ports.ts';
import type { Dice } from '../lib/dice.ts';
import type { TaskObserver } from './task-events.ts';

export interface RunsSnapshot {
  readonly queue: QueueSnapshot;
  readonly active: Set<Pipeline>;
  readonly live: Set<Instance>;
}

export class PipelineRuns {
  readonly queue: TaskQueue;
  readonly #behaviour: Behaviour;
  #active = new Set<Pipeline>();
  readonly #live = new LiveInstances();
  readonly #maker: RunMaker;

  constructor(behaviour: Behaviour, dice: Dice, observe: TaskObserver) {
    this.#behaviour = behaviour;
    this.#maker = new RunMaker(behaviour, this.#live);
    this.queue = new TaskQueue(behaviour, dice, observe, {
      started: (attempt, now) => {
        attempt.status = 'RUNNING';
        attempt.startedAt ??= now;
        attempt.instance.status = 'RUNNING';
        attempt.instance.startedAt ??= now;
        attempt.instance.giveUpAt ??= now + preconditionMs(attempt.instance);
      },
      over: (attempt, status, reason, now) => {
        attempt.reported = [...attempt.reported, { key: 'errorMessage', stringValue: reason }];
        this.endAttempt(attempt, status, now);
      },
    });
  }

  snapshot(): RunsSnapshot {
    const { queue } = this;
    return { queue: queue.snapshot(), active: this.#active, live: this.#live.snapshot() };
  }

  restore({ queue, active, live }: RunsSnapshot): void {
    this.queue.restore(queue);
    this.#active = active;
    this.#live.restore(live);
  }

  activate(
    pipeline: Pipeline,
    definition: Definition,
    startMs: number | undefined,
    now: number,
  ): void {
    const isFirst = pipeline.firstActivatedAt === undefined && startMs === undefined;
    if (isFirst && isLongBackfill(pipeline, definition, now, this.#behaviour.backfillMsMax)) {
      throw invalidRequest(
        'The schedule started long ago: activating it would run a long backfill.',
      );
    }
    pipeline.active = definition;
    pipeline.firstActivatedAt ??= now;
    pipeline.lastActivatedAt = now;
    pipeline.state = 'SCHEDULED';
    this.#active.add(pipeline);
    if (isOnDemand(definition)) this.#maker.runOnce(pipeline, definition, now);
    else if (startMs !== undefined) skipRunsBefore(pipeline, definition, startMs);
    this.advance(now);
  }

  deactivate(pipeline: Pipeline, cancelActive: boolean, now: number): void {
    if (cancelActive) this.#cancelAll(pipeline, 'The pipeline was deactivated.', now);
    pipeline.lastDeactivatedAt = now;
    pipeline.state = 'DEACTIVATING';
    this.advance(now);
  }

  delete(pipeline: Pipeline, now: number): void {
    this.#cancelAll(pipeline, 'The pipeline was deleted.', now);
    pipeline.isDeleted = true;
    this.#active.delete(pipeline);
  }

  /** `reason` becomes the cancellationReason of the instance. */
  cancel(instance: Instance, reason: string, now: number): void {
    for (const each of [...this.#preconditionsOf(instance), instance]) {
      if (isEnded(each)) continue;
      each.cause = [{ key: 'cancellationReason', stringValue: reason }];
      this.#stop(each, 'CANCELED', now);
    }
  }

  markFinished(instance: Instance, now: number): void {
    this.#stop(instance, 'FINISHED', now);
  }

  rerun(instance: Instance): void {
    if (!isEnded(instance)) throw invalidRequest(`${instance.id} has not ended.`);
    for (const each of this.#preconditionsOf(instance)) {
      if (isEnded(each) && each.status !== 'FINISHED') this.rerun(each);
    }
    instance.attemptsMax = instance.attempts.length + 1 + maximumRetries(instance, this.#behaviour);
    instance.cause = [];
    delete instance.endedAt;
    delete instance.giveUpAt;
    instance.status = 'WAITING_ON_DEPENDENCIES';
    instance.pipeline.state = 'SCHEDULED';
    this.#active.add(instance.pipeline);
    this.#live.add(instance);
  }

  pause(pipeline: Pipeline, componentId: string): void {
    pause(this.queue, pipeline, componentId);
  }

  resume(pipeline: Pipeline, componentId: string): void {
    resume(this.queue, pipeline, componentId);
  }

  /** An attempt has ended: its runner reported it, it timed out, or its window ended without a report. */
  endAttempt(
    attempt: Attempt,
    status: Extract<AttemptStatus, 'FINISHED' | 'FAILED' | 'TIMEDOUT'>,
    now: number,
  ): void {
    const { instance } = attempt;
    attempt.status = status;
    attempt.endedAt = now;
    if (status === 'FINISHED') {
      this.#end(instance, 'FINISHED', now);
    } else if (this.#isTriedAgain(instance, now)) {
      instance.status = 'SCHEDULED';
      instance.retryAt = now + retryDelayMs(instance, this.#behaviour);
    } else {
      this.#end(instance, 'FAILED', now);
    }
    this.advance(now);
  }

  /** A task runner answered FALSE: the precondition is not met. The attempt of an activity has failed. */
  notMet(attempt: Attempt, now: number): void {
    const { instance } = attempt;
    const isFinal = this.#behaviour.preconditionFalse === 'fail';
    if (isFinal && preconditionKind(instance.fields) !== undefined) {
      instance.attemptsMax = instance.attempts.length;
    }
    this.endAttempt(attempt, 'FAILED', now);
  }

  #isTriedAgain(instance: Instance, now: number): boolean {
    if (instance.attempts.length >= instance.attemptsMax) return false;
    return now + retryDelayMs(instance, this.#behaviour) <= (instance.giveUpAt ?? Infinity);
  }

  /** Handles everything that is due: windows, schedules, dependencies, retries. */
  advance(now: number): void {
    this.queue.advance(now);
    for (const pipeline of this.#active) {
      if (pipeline.state === 'SCHEDULED') this.#maker.makeDue(pipeline, now);
    }
    // When one instance ends, others may start: repeat until nothing changes.
    for (let isChanged = true; isChanged;) {
      isChanged = false;
      for (const instance of this.#live) isChanged = this.#step(instance, now) || isChanged;
    }
    for (const pipeline of this.#active) this.#settle(pipeline);
  }

  nextDue(): number {
    let due = Math.min(this.queue.nextDue(), this.#live.nextDue());
    for (const pipeline of this.#active) {
      if (pipeline.state !== 'SCHEDULED' || pipeline.active === undefined) continue;
      due = Math.min(due, this.#maker.nextDue(pipeline, pipeline.active));
    }
    return due;
  }

  /** Returns whether the instance changed. */
  #step(instance: Instance, now: number): boolean {
    if (isEnded(instance)) return false;
    if (instance.startedAt === undefined && instance.terminateAt <= now) {
      this.cancel(instance, 'It did not start within its lateAfterTimeout.', now);
      return true;
    }
    if (instance.status === 'WAITING_ON_DEPENDENCIES') return this.#leaveWaiting(instance, now);
    if (
      instance.status === 'SCHEDULED' &&
      instance.retryAt !== undefined &&
      instance.retryAt <= now
    ) {
      delete instance.retryAt;
      this.#newAttempt(instance);
      return true;
    }
    return false;
  }

  #leaveWaiting(instance: Instance, now: number): boolean {
    const next = afterWaiting(instance, this.#behaviour);
    if (next === undefined) return false;
    if (next.status === 'WAITING_FOR_RUNNER') this.#newAttempt(instance);
    else {
      instance.cause = next.cause;
      this.#end(instance, next.status, now);
    }
    return true;
  }

  #preconditionsOf(instance: Instance): readonly Instance[] {
    return instance.preconditions.flatMap((id) => instance.pipeline.instances.get(id) ?? []);
  }

  #newAttempt(instance: Instance): void {
    const number = instance.attempts.length + 1;
    const attempt: Attempt = {
      id: `${instance.id}_Attempt=${number}`,
      number,
      instance,
      status: 'WAITING_FOR_RUNNER',
      reported: [],
    };
    instance.attempts.push(attempt);
    if (instance.pipeline.pausedComponents.has(instance.componentId)) {
      instance.status = 'PAUSED';
      return;
    }
    instance.status = 'WAITING_FOR_RUNNER';
    this.queue.offer(attempt);
  }

  #stop(instance: Instance, status: 'CANCELED' | 'FINISHED', now: number): void {
    const attempt = instance.attempts.at(-1);
    if (
      attempt !== undefined &&
      (attempt.status === 'RUNNING' || attempt.status === 'WAITING_FOR_RUNNER')
    ) {
      this.queue.cancel(attempt, now);
      attempt.status = status;
      attempt.endedAt = now;
    }
    this.#end(instance, status, now);
  }

  #end(instance: Instance, status: InstanceStatus, now: number): void {
    instance.status = status;
    instance.endedAt = now;
    delete instance.retryAt;
    this.#live.delete(instance);
  }

  #cancelAll(pipeline: Pipeline, reason: string, now: number): void {
    for (const instance of pipeline.instances.values()) this.cancel(instance, reason, now);
  }

  /** A pipeline with nothing left to do is FINISHED, or INACTIVE when it was deactivated. */
  #settle(pipeline: Pipeline): void {
    const definition = pipeline.active;
    if (definition === undefined || this.#live.count(pipeline) > 0) return;
    if (pipeline.state === 'DEACTIVATING') {
      pipeline.state = 'INACTIVE';
    } else if (
      definition.objects.some((object) => nextRun(pipeline, definition, object.id) !== undefined)
    ) {
      return;
    } else {
      pipeline.state = 'FINISHED';
    }
    this.#active.delete(pipeline);
  }
}
