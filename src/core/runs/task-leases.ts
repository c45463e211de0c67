/**
 * Pipeline tasks and the runs that work for them: a task becomes a run, its answers become cancels, and no instance
 * ever has two runners on this host (P3).
 */
import type { PolledTask } from '../model/call.ts';
import { isFinal, isStarted } from '../model/job.ts';
import type { JobDefinition, PipelineTask, Run } from '../model/job.ts';
import { shorten } from '../pipeline/task-reporter.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { Shutdown } from '../state/shutdown.ts';
import type { Timeline } from '../state/timeline.ts';
import {
  assignment,
  instanceKey,
  unreadableFields,
  windowMs,
} from '../pipeline/task-assignment.ts';
import type { RunLifecycle } from './lifecycle.ts';
import { taskEnvironment } from '../pipeline/task-environment.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

interface Parts {
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
  readonly shutdown: Shutdown;
  readonly timeline: Timeline;
}

export class TaskLeases {
  readonly #parts: Parts;
  readonly #life: RunLifecycle;

  constructor(parts: Parts, life: RunLifecycle) {
    this.#parts = parts;
    this.#life = life;
  }

  /** A task that a poll brought. The run is on disk before the task is acknowledged. */
  receive(task: PolledTask, workerGroup: string, now: Now): void {
    const { dataPipeline } = this.#parts.settings.current;
    if (dataPipeline === undefined) return;
    if (this.#isLeft(task, workerGroup, now)) return;
    const assigned = assignment(task, this.#parts.settings.current);
    const lease: PipelineTask = {
      taskId: task.taskId,
      pipelineId: task.pipelineId,
      attemptId: task.attemptId,
      instance: instanceKey(task),
      workerGroup,
      windowMs: windowMs(task, dataPipeline),
      receivedAt: now,
      ...(assigned.kind === 'refuse' ? {} : { environment: taskEnvironment(task, workerGroup) }),
      ...(assigned.kind === 'run' && assigned.isPrecondition ? { isPrecondition: true } : {}),
    };
    const definition =
      assigned.kind === 'run' ? assigned.definition : refusedDefinition(assigned.name);
    if (this.#rebind(lease, now)) return;
    const run = this.#life.create(definition, 'pipeline', now, lease);
    for (const unreadable of unreadableFields(task, dataPipeline)) {
      this.#parts.timeline.add('task.field_unreadable', now, { ...unreadable }, run);
    }
    if (assigned.kind === 'refuse') {
      run.reason = assigned.reason;
      this.#parts.timeline.add('task.refused', now, { reason: assigned.reason }, run);
      this.#life.finish(run, 'failed', now);
    }
  }

  /**
   * A poll that was in flight when the agent's stop was requested may bring a task. It is not acknowledged, so the service
   * gives it to another host after two minutes. While the agent only drains, such a task is taken.
   */
  #isLeft({ attemptId, taskId }: PolledTask, workerGroup: string, now: Now): boolean {
    const { shutdown, timeline } = this.#parts;
    if (!shutdown.isTerminated && shutdown.requestedAt === undefined) return false;
    timeline.add('task.left', now, { taskId: shorten(taskId), workerGroup, attemptId });
    return true;
  }

  /** The first report was accepted: the task belongs to this agent, and its job may start. */
  acknowledged(run: Run, now: Now): void {
    this.#parts.timeline.add('lease.acknowledged', now, {}, run);
    this.confirmed(run, now);
  }

  /** The task is still this agent's. */
  confirmed(run: Run, now: Now): void {
    this.#life.startConfirmed(run, now);
    this.#life.promote(run.job, now);
    this.#life.changed(run, now);
  }

  /** The owner of the pipeline canceled the task. */
  canceled(run: Run, reason: string, now: Now): void {
    this.#life.withhold(run, 'the service canceled the task');
    if (!isFinal(run.state)) this.#life.end(run, 'service', reason, now);
    this.#life.changed(run, now);
  }

  /** The task or its pipeline no longer exists. */
  gone(run: Run, reason: string, now: Now): void {
    const isStopping = this.#parts.settings.current.dataPipeline?.onFence !== 'continue';
    this.#parts.timeline.add('lease.gone', now, { reason }, run);
    this.#life.withhold(run, reason);
    if (!isFinal(run.state) && (isStopping || !isStarted(run))) {
      this.#life.end(run, 'gone', reason, now);
    }
    this.#life.changed(run, now);
  }

  /**
   * The same attempt handed out again is the same work: it keeps its run, and its end is reported again. Looked for
   * in the runs of all jobs, since a reload may have mapped the activity to another one.
   */
  #rebind(lease: PipelineTask, now: Now): boolean {
    for (const run of [...this.#parts.state.runs.values()]) {
      if (run.pipeline?.task.instance !== lease.instance) continue;
      if (run.pipeline.task.attemptId === lease.attemptId && hasItsOwnEnd(run)) {
        this.#parts.timeline.add('task.rebound', now, { taskId: shorten(lease.taskId) }, run);
        this.#life.leaseAgain(run, lease, now);
        return true;
      }
      if (!isFinal(run.state)) {
        // Another attempt of the same instance: the service has given up on this one.
        this.#life.end(run, 'fence', `the service began ${lease.attemptId}`, now);
      }
    }
    return false;
  }
}

/** True if the run lives or has ended by itself: its end can be reported. A fenced or canceled run must start again. */
function hasItsOwnEnd(run: Run): boolean {
  return run.state !== 'canceled' && run.state !== 'fenced' && run.state !== 'canceling';
}

/** Stands for a task that this host does not allow, so that it has a place in `status` and a timeline. */
function refusedDefinition(name: string): JobDefinition {
  return {
    name,
    command: [],
    environment: {},
    autostart: false,
    progress: { parser: 'none' },
    stop: { signal: 'SIGTERM', graceMs: 30 * SECOND_MS },
  };
}
