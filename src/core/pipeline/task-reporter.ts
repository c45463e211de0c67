/**
 * The pipeline task that a run works for: acknowledged before the job starts, reported while it lives (that is
 * how a cancel is learnt), and told how it ended. While the last word is owed the reports go on, so that the
 * task stays ours through an outage of SetTaskStatus alone.
 */
import { isPending } from '../model/job.ts';
import { pipelineTaskKey } from '../scheduling/reporter-keys.ts';
import type { PendingCall } from '../scheduling/call-queue.ts';
import type { Call, Outcome } from '../model/call.ts';
import type { Context } from '../scheduling/context.ts';
import {
  ACKNOWLEDGE_MS,
  drawnMs,
  reportByMs,
  reportEveryMs,
  spareReportMs,
} from '../scheduling/deadlines.ts';
import type { PipelineTask, Run } from '../model/job.ts';
import { isFinal } from '../model/job.ts';
import { needsShutdownReport } from '../scheduling/farewell.ts';
import { finalTaskStatus } from '../model/report.ts';
import type { Reporter } from '../scheduling/reporter.ts';
import { MINUTE_MS, SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import { again } from '../scheduling/retry.ts';
import type { Retry } from '../scheduling/retry.ts';

/** How long a last word that was refused twice is left alone. */
const QUARANTINE_MS = 15 * MINUTE_MS;

/** What the answer to a report means for the run. The runs' own file acts upon it. */
export type TaskVerdict = 'acknowledged' | 'canceled' | 'gone';

export class PipelineTaskReporter implements Reporter {
  readonly key: string;
  readonly #context: Context;
  readonly #run: Run;
  readonly #early: number;
  readonly #tell: (run: Run, news: TaskVerdict, reason: string, now: Now) => void;
  #reportTrouble: Retry | undefined;
  #statusTrouble: Retry | undefined;
  /** Refused with its fields: progress is said without them, so that the task stays ours. */
  #isReportReduced = false;
  #isStatusReduced = false;

  constructor(
    context: Context,
    run: Run,
    tell: (run: Run, news: TaskVerdict, reason: string, now: Now) => void,
  ) {
    this.key = pipelineTaskKey(run.id);
    this.#context = context;
    this.#run = run;
    this.#early = context.random();
    this.#tell = tell;
  }

  /** What stands in the way of the next call, for `status`. */
  get obstacle(): string | undefined {
    return (this.#statusTrouble ?? this.#reportTrouble)?.reason;
  }

  /** What stands in the way of the last word, for the outbox. */
  get trouble(): Retry | undefined {
    return this.#statusTrouble;
  }

  /** An operator wants the last word tried again: now, and whole. */
  retry(): void {
    this.#statusTrouble = undefined;
    this.#isStatusReduced = false;
  }

  next(): PendingCall | undefined {
    const { pipeline } = this.#run;
    if (pipeline === undefined || !isPending(pipeline.delivery)) return undefined;
    const report = this.#reportDuty(pipeline);
    const { endedAt, id, state } = this.#run;
    if (!isFinal(state) || endedAt === undefined || this.#context.isEndHeld(id)) return report;
    const word: PendingCall = {
      operation: 'SetTaskStatus',
      readyAtMs: this.#statusTrouble?.retryAtMs ?? 0,
      sinceMs: endedAt.bootMs,
      isDurable: true,
    };
    return report !== undefined && report.readyAtMs < word.readyAtMs ? report : word;
  }

  call(now: Now): Call | undefined {
    const { pipeline, percent, detail } = this.#run;
    const duty = this.next();
    if (pipeline === undefined || duty === undefined || duty.readyAtMs > now.bootMs) {
      return undefined;
    }
    const { taskId } = pipeline.task;
    if (duty.operation === 'SetTaskStatus') {
      const word = finalTaskStatus(this.#run, taskId);
      return this.#isStatusReduced
        ? { operation: word.operation, taskId, status: word.status }
        : word;
    }
    if (this.#isReportReduced || this.#context.isEndHeld(this.#run.id)) {
      return { operation: 'ReportTaskProgress', taskId };
    }
    return {
      operation: 'ReportTaskProgress',
      taskId,
      ...(percent === undefined ? {} : { percent }),
      ...(detail === undefined ? {} : { detail }),
    };
  }

  settled(call: Call, outcome: Outcome, now: Now, sentAt: Now): void {
    const { pipeline } = this.#run;
    // The answer may be about a task that this run no longer works for (see Runs.rebind).
    if (pipeline === undefined || !('taskId' in call) || call.taskId !== pipeline.task.taskId)
      return;
    if (!isPending(pipeline.delivery)) return;
    if (outcome.kind === 'accepted') {
      if (call.operation === 'SetTaskStatus') this.#delivered(pipeline, now);
      else this.#reported(pipeline, outcome.answer.canceled === true, now, sentAt);
      return;
    }
    const { reason } = outcome;
    const { random } = this.#context;
    if (outcome.kind === 'gone') {
      this.#tell(this.#run, 'gone', reason, now);
    } else if (call.operation === 'SetTaskStatus') {
      this.#statusTrouble = again(this.#statusTrouble, reason, Infinity, now, random);
      if (outcome.kind === 'refused') this.#statusRefused(pipeline, reason, now);
    } else {
      const slackMs = this.#slackMs(pipeline, now);
      this.#reportTrouble = again(this.#reportTrouble, reason, slackMs, now, random);
      if (outcome.kind === 'refused' && !this.#isReportReduced) {
        this.#isReportReduced = true;
        this.#context.addEvent('report.reduced', now, { reason }, this.#run);
      }
    }
  }

  #reportDuty(pipeline: NonNullable<Run['pipeline']>): PendingCall | undefined {
    const { acceptedAt, acknowledgedAt, task } = pipeline;
    if (acceptedAt === undefined || acknowledgedAt === undefined) {
      // A task that ended before it was acknowledged (refused by the configuration) needs no report.
      if (isFinal(this.#run.state)) return undefined;
      // No deadline: a task that is not acknowledged is given to another host and nothing is lost, so it must not
      // outrun the reports of tasks that are owned.
      return {
        operation: 'ReportTaskProgress',
        readyAtMs: this.#reportTrouble?.retryAtMs ?? 0,
        sinceMs: task.receivedAt.bootMs,
      };
    }
    const everyMs = this.#everyMs(task);
    const isOwedNow =
      needsShutdownReport(this.#context, acceptedAt) || this.#context.unconfirmed.has(this.key);
    const waitMs = isOwedNow ? 0 : drawnMs(this.#soonestMs(everyMs), this.#early);
    return {
      operation: 'ReportTaskProgress',
      readyAtMs: Math.max(acceptedAt.bootMs + waitMs, this.#reportTrouble?.retryAtMs ?? 0),
      // Half an interval late is still early by the documents; from then on it goes before words.
      deadline: {
        urgentAtMs: acceptedAt.bootMs + everyMs * 1.5,
        byMs: reportByMs(acceptedAt, task.windowMs),
      },
    };
  }

  #reported(
    pipeline: NonNullable<Run['pipeline']>,
    canceled: boolean,
    now: Now,
    sentAt: Now,
  ): void {
    this.#reportTrouble = undefined;
    const isFirst = pipeline.acknowledgedAt === undefined;
    // The service counts from when it got the report, which is not before it was sent: the safe side.
    pipeline.acceptedAt = sentAt;
    if (isFirst) pipeline.acknowledgedAt = now;
    this.#context.state.saveRun(this.#run);
    if (canceled) this.#tell(this.#run, 'canceled', 'ReportTaskProgress answered canceled', now);
    else if (isFirst) this.#tell(this.#run, 'acknowledged', '', now);
    else {
      const fields = {
        taskId: shorten(pipeline.task.taskId),
        percent: this.#run.percent,
        windowS: pipeline.task.windowMs / SECOND_MS,
      };
      this.#context.addEvent('report.accepted', now, fields, this.#run);
    }
  }

  #delivered(pipeline: NonNullable<Run['pipeline']>, now: Now): void {
    pipeline.delivery = { state: 'delivered', at: now };
    this.#context.state.saveRun(this.#run);
    const afterS = Math.round((now.bootMs - (this.#run.endedAt ?? now).bootMs) / SECOND_MS);
    this.#context.addEvent(
      'report.delivered',
      now,
      {
        to: 'dataPipeline',
        taskId: shorten(pipeline.task.taskId),
        status: this.#run.state === 'succeeded' ? 'FINISHED' : 'FAILED',
        afterS,
      },
      this.#run,
    );
  }

  /**
   * First the status alone is said. Refused once more the word is put aside and said rarely, for the service refuses so
   * what exceeds its limits too; the reports go on, so that no other host does the work again.
   */
  #statusRefused(pipeline: NonNullable<Run['pipeline']>, reason: string, now: Now): void {
    if (!this.#isStatusReduced) {
      this.#isStatusReduced = true;
      this.#context.addEvent('report.reduced', now, { reason }, this.#run);
      return;
    }
    if (this.#statusTrouble !== undefined) {
      this.#statusTrouble.isQuarantined = true;
      this.#statusTrouble.retryAtMs = now.bootMs + QUARANTINE_MS;
    }
    if (pipeline.delivery.state === 'refused') return;
    pipeline.delivery = { state: 'refused', reason, isRetained: true };
    this.#context.addEvent('report.refused', now, { reason }, this.#run);
    this.#context.state.saveRun(this.#run);
  }

  #slackMs(pipeline: NonNullable<Run['pipeline']>, now: Now): number {
    const { acceptedAt, task } = pipeline;
    const byMs =
      acceptedAt === undefined
        ? task.receivedAt.bootMs + ACKNOWLEDGE_MS
        : reportByMs(acceptedAt, task.windowMs);
    return Math.max(0, byMs - now.bootMs);
  }

  /** Whoever was throttled or is failing has no budget to spare: the limit is the account's, and others may need it. */
  #soonestMs(everyMs: number): number {
    const { state: ledger, pacing, settings } = this.#context;
    const { speed, problems } = pacing.of('ReportTaskProgress');
    if (speed < 1 || problems > 0) return everyMs;
    return spareReportMs(everyMs, ledger.livePipelineRuns.size, settings.rates.ReportTaskProgress);
  }

  #everyMs(task: PipelineTask): number {
    const settings = this.#context.settings.dataPipeline;
    return reportEveryMs(settings?.reportEveryMs ?? task.windowMs, task.windowMs);
  }
}

/** Task ids are opaque and up to 2,048 characters long; their beginning is enough for a log. */
export function shorten(taskId: string): string {
  return taskId.length <= 24 ? taskId : `${taskId.slice(0, 24)}…`;
}
