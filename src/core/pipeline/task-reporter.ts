/**
 * Reports the pipeline task of a run: acknowledges it before the job starts, reports progress while the job runs (the
 * answer may be a cancel), and sets the final status. Until the final status is accepted, progress reports continue, so
 * that AWS does not give the task to another host if only SetTaskStatus fails.
 */
import { defined } from '../lib/defined.ts';
import { MINUTE_MS, SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { Call, Outcome } from '../model/call.ts';
import type { Fact } from '../model/fact.ts';
import { isFinal, isPending } from '../model/job.ts';
import type { PipelineTask, Run } from '../model/job.ts';
import { finalTaskStatus } from '../model/report.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { PendingCall } from '../scheduling/call-queue.ts';
import {
  ACKNOWLEDGE_MS,
  drawnMs,
  reportByMs,
  reportEveryMs,
  spareReportMs,
} from '../scheduling/deadlines.ts';
import type { Pacing } from '../scheduling/pacing.ts';
import type { Reporter } from '../scheduling/reporter.ts';
import { pipelineTaskKey } from '../scheduling/reporter-keys.ts';
import type { ResumeHold } from '../scheduling/resume-hold.ts';
import { again } from '../scheduling/retry.ts';
import type { Retry } from '../scheduling/retry.ts';
import type { Durability } from '../state/durability.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { Shutdown } from '../state/shutdown.ts';
import type { Timeline } from '../state/timeline.ts';

/** How long a final status that was refused twice is left alone. */
const QUARANTINE_MS = 15 * MINUTE_MS;

/** Shared by the reporters of all pipeline tasks. */
export interface PipelineTaskParts {
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
  readonly durability: Durability;
  readonly shutdown: Shutdown;
  readonly resumeHold: ResumeHold;
  readonly pacing: Pacing;
  readonly timeline: Timeline;
  readonly random: () => number;
}

type Lease = NonNullable<Run['pipeline']>;

export class PipelineTaskReporter implements Reporter {
  readonly key: string;
  readonly #parts: PipelineTaskParts;
  readonly #run: Run;
  readonly #jitter: number;
  #reportRetry: Retry | undefined;
  #statusRetry: Retry | undefined;
  /** Progress was refused with its fields: it is reported without them, so that AWS does not give the task away. */
  #isReportReduced = false;
  #isStatusReduced = false;

  constructor(parts: PipelineTaskParts, run: Run) {
    this.key = pipelineTaskKey(run.id);
    this.#parts = parts;
    this.#run = run;
    this.#jitter = parts.random();
  }

  /** Of an ended run, its final status; of a live one, its report. */
  blockedBy(): Retry | undefined {
    return isFinal(this.#run.state) ? this.#statusRetry : this.#reportRetry;
  }

  /** The final status: now, and whole. */
  retry(): void {
    this.#statusRetry = undefined;
    this.#isStatusReduced = false;
  }

  next(): PendingCall | undefined {
    const { pipeline } = this.#run;
    if (pipeline === undefined || !isPending(pipeline.delivery)) return undefined;
    const report = this.#nextReport(pipeline);
    const { endedAt, id, state } = this.#run;
    const isHeld = this.#parts.durability.isEndHeld(id) || pipeline.unconfirmedSince !== undefined;
    if (!isFinal(state) || endedAt === undefined || isHeld) return report;
    const status: PendingCall = {
      operation: 'SetTaskStatus',
      readyAtMs: this.#statusRetry?.retryAtMs ?? 0,
      sinceMs: endedAt.bootMs,
      isDurable: true,
    };
    return report !== undefined && report.readyAtMs < status.readyAtMs ? report : status;
  }

  call(now: Now): Call | undefined {
    const { id, pipeline, percent, detail } = this.#run;
    const pending = this.next();
    if (pipeline === undefined || pending === undefined) return undefined;
    if (pending.readyAtMs > now.bootMs) return undefined;
    const { taskId } = pipeline.task;
    if (pending.operation === 'SetTaskStatus') {
      const call = finalTaskStatus(this.#run, taskId);
      if (!this.#isStatusReduced) return call;
      return { operation: call.operation, taskId, status: call.status };
    }
    const isBare = this.#isReportReduced || this.#parts.durability.isEndHeld(id);
    const progress = isBare ? {} : defined({ percent, detail });
    return { operation: 'ReportTaskProgress', taskId, ...progress };
  }

  settled(call: Call, outcome: Outcome, now: Now, sentAt: Now): Fact | undefined {
    const { pipeline } = this.#run;
    if (pipeline === undefined || !isPending(pipeline.delivery)) return undefined;
    // The answer may be about an earlier task of this run (see TaskLeases, which binds a run to another task).
    if (!('taskId' in call) || call.taskId !== pipeline.task.taskId) return undefined;
    if (outcome.kind === 'gone') {
      return { type: 'task-gone', run: this.#run, reason: outcome.reason };
    }
    if (outcome.kind !== 'accepted') {
      this.#failed(pipeline, call, outcome, now);
      return undefined;
    }
    if (call.operation !== 'SetTaskStatus') {
      return this.#reported(pipeline, outcome.answer.canceled === true, now, sentAt);
    }
    this.#delivered(pipeline, now);
    return undefined;
  }

  #failed(
    pipeline: Lease,
    call: Call,
    { kind, reason }: Exclude<Outcome, { kind: 'accepted' }>,
    now: Now,
  ): void {
    const { random, timeline } = this.#parts;
    if (call.operation === 'SetTaskStatus') {
      this.#statusRetry = again(this.#statusRetry, reason, Infinity, now, random);
      if (kind === 'refused') this.#statusRefused(pipeline, reason, now);
      return;
    }
    const slackMs = slackOf(pipeline, now);
    this.#reportRetry = again(this.#reportRetry, reason, slackMs, now, random);
    if (kind !== 'refused' || this.#isReportReduced) return;
    this.#isReportReduced = true;
    timeline.add('report.reduced', now, { reason }, this.#run);
  }

  #nextReport(pipeline: Lease): PendingCall | undefined {
    const { acceptedAt, acknowledgedAt, task } = pipeline;
    const retryAtMs = this.#reportRetry?.retryAtMs ?? 0;
    if (acceptedAt === undefined || acknowledgedAt === undefined) {
      // A task that the configuration refused has ended before it was acknowledged, and needs no report.
      if (isFinal(this.#run.state) && pipeline.unconfirmedSince === undefined) return undefined;
      // No deadline: a task that is not acknowledged goes to another host and nothing is lost, so it must not delay the
      // reports of tasks that are ours.
      const sinceMs = task.receivedAt.bootMs;
      return { operation: 'ReportTaskProgress', readyAtMs: retryAtMs, sinceMs };
    }
    const { resumeHold, shutdown } = this.#parts;
    const everyMs = this.#everyMs(task);
    const isDueNow =
      pipeline.unconfirmedSince !== undefined ||
      shutdown.needsReport(acceptedAt) ||
      resumeHold.isAwaited(this.key);
    const waitMs = isDueNow ? 0 : drawnMs(this.#soonestMs(everyMs), this.#jitter);
    return {
      operation: 'ReportTaskProgress',
      readyAtMs: Math.max(acceptedAt.bootMs + waitMs, retryAtMs),
      // Half an interval late is still early by the documents; from then on it goes before status changes.
      deadline: {
        urgentAtMs: acceptedAt.bootMs + everyMs * 1.5,
        byMs: reportByMs(acceptedAt, task.windowMs),
      },
    };
  }

  #reported(pipeline: Lease, isCanceled: boolean, now: Now, sentAt: Now): Fact | undefined {
    const run = this.#run;
    this.#reportRetry = undefined;
    const isFirst = pipeline.acknowledgedAt === undefined;
    const isConfirmed = pipeline.unconfirmedSince !== undefined;
    delete pipeline.unconfirmedSince;
    // The service counts from when it got the report, which is not before it was sent: the safe side.
    pipeline.acceptedAt = sentAt;
    if (isFirst) pipeline.acknowledgedAt = now;
    this.#parts.state.saveRun(run);
    if (isCanceled) {
      return { type: 'task-canceled', run, reason: 'ReportTaskProgress answered canceled' };
    }
    if (isFirst) return { type: 'task-acknowledged', run };
    const { taskId, windowMs } = pipeline.task;
    const windowS = windowMs / SECOND_MS;
    const fields = { taskId: shorten(taskId), percent: run.percent, windowS };
    this.#parts.timeline.add('report.accepted', now, fields, run);
    return isConfirmed ? { type: 'task-confirmed', run } : undefined;
  }

  #delivered(pipeline: Lease, now: Now): void {
    const run = this.#run;
    pipeline.delivery = { state: 'delivered', at: now };
    this.#parts.state.saveRun(run);
    const afterS = Math.round((now.bootMs - (run.endedAt ?? now).bootMs) / SECOND_MS);
    const taskId = shorten(pipeline.task.taskId);
    const { status } = finalTaskStatus(run, pipeline.task.taskId);
    this.#parts.timeline.add(
      'report.delivered',
      now,
      { to: 'dataPipeline', taskId, status, afterS },
      run,
    );
  }

  /**
   * The first time, the status alone is tried. If that is refused too, the report is quarantined and tried rarely, for
   * the service refuses in the same way what exceeds its limits. The reports go on, so that no other host repeats the work.
   */
  #statusRefused(pipeline: Lease, reason: string, now: Now): void {
    const { state, timeline } = this.#parts;
    if (!this.#isStatusReduced) {
      this.#isStatusReduced = true;
      timeline.add('report.reduced', now, { reason }, this.#run);
      return;
    }
    if (this.#statusRetry !== undefined) {
      this.#statusRetry.retryAtMs = now.bootMs + QUARANTINE_MS;
    }
    if (pipeline.delivery.state === 'refused') return;
    pipeline.delivery = { state: 'refused', reason, isRetained: true };
    timeline.add('report.refused', now, { reason }, this.#run);
    state.saveRun(this.#run);
  }

  /** No budget is spare while calls fail or are throttled: the limit is the account's, and other hosts may need it. */
  #soonestMs(everyMs: number): number {
    const { state, pacing, settings } = this.#parts;
    const { speed, problems } = pacing.of('ReportTaskProgress');
    if (speed < 1 || problems > 0) return everyMs;
    const rate = settings.current.rates.ReportTaskProgress;
    return spareReportMs(everyMs, state.livePipelineRuns.size, rate);
  }

  #everyMs({ windowMs }: PipelineTask): number {
    const everyMs = this.#parts.settings.current.dataPipeline?.reportEveryMs;
    return reportEveryMs(everyMs ?? windowMs, windowMs);
  }
}

function slackOf({ acceptedAt, task }: Lease, now: Now): number {
  const byMs =
    acceptedAt === undefined
      ? task.receivedAt.bootMs + ACKNOWLEDGE_MS
      : reportByMs(acceptedAt, task.windowMs);
  return Math.max(0, byMs - now.bootMs);
}

/** Task ids are opaque and up to 2,048 characters long; their beginning is enough for a log. */
export function shorten(taskId: string): string {
  return taskId.length <= 24 ? taskId : `${taskId.slice(0, 24)}…`;
}
