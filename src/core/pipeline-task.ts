/**
 * The pipeline task that a run works for: acknowledged before the job starts, reported while it lives (that is
 * how a cancel is learnt), and told how it ended. While the last word is owed the reports go on, so that the
 * task stays ours through an outage of SetTaskStatus alone.
 */
import type { Duty } from './agenda.ts';
import type { Call, Outcome } from './call.ts';
import type { Context } from './context.ts';
import { ACKNOWLEDGE_MS, reportByMs, reportEveryMs } from './deadlines.ts';
import type { PipelineTask, Run } from './job.ts';
import { isFinal } from './job.ts';
import { retryDelayMs } from './pacing.ts';
import { pipelineWord } from './report.ts';
import type { Speaker } from './speaker.ts';
import { SECOND_MS } from './time.ts';
import type { Now } from './time.ts';

/** What the answer to a report means for the run. The runs' own file acts upon it. */
export type LeaseNews = 'acknowledged' | 'canceled' | 'gone';

export class PipelineTaskSpeaker implements Speaker {
  readonly key: string;
  readonly #context: Context;
  readonly #run: Run;
  readonly #tell: (run: Run, news: LeaseNews, reason: string, now: Now) => void;
  #attempts = 0;
  #retryAtMs = 0;
  #statusAttempts = 0;
  #statusRetryAtMs = 0;
  #obstacle: string | undefined;

  constructor(
    context: Context,
    run: Run,
    tell: (run: Run, news: LeaseNews, reason: string, now: Now) => void,
  ) {
    this.key = pipelineTaskKey(run.id);
    this.#context = context;
    this.#run = run;
    this.#tell = tell;
  }

  get obstacle(): string | undefined {
    return this.#obstacle;
  }

  duty(): Duty | undefined {
    const { pipeline } = this.#run;
    if (pipeline?.delivery.state !== 'pending') return undefined;
    const report = this.#reportDuty(pipeline);
    if (!isFinal(this.#run.state) || this.#run.endedAt === undefined) return report;
    const word: Duty = {
      operation: 'SetTaskStatus',
      readyAtMs: this.#statusRetryAtMs,
      sinceMs: this.#run.endedAt.bootMs,
    };
    return report !== undefined && report.readyAtMs < word.readyAtMs ? report : word;
  }

  call(now: Now): Call | undefined {
    const { pipeline, percent, detail } = this.#run;
    const duty = this.duty();
    if (pipeline === undefined || duty === undefined || duty.readyAtMs > now.bootMs) {
      return undefined;
    }
    if (duty.operation === 'SetTaskStatus') return pipelineWord(this.#run, pipeline.task.taskId);
    return {
      operation: 'ReportTaskProgress',
      taskId: pipeline.task.taskId,
      ...(percent === undefined ? {} : { percent }),
      ...(detail === undefined ? {} : { detail }),
    };
  }

  settled(call: Call, outcome: Outcome, now: Now, sentAt: Now): void {
    const { pipeline } = this.#run;
    // The answer may be about a task that this run no longer works for (see Runs.rebind).
    if (pipeline === undefined || !('taskId' in call) || call.taskId !== pipeline.task.taskId)
      return;
    if (pipeline.delivery.state !== 'pending') return;
    if (outcome.kind === 'accepted') {
      this.#obstacle = undefined;
      if (call.operation === 'SetTaskStatus') this.#delivered(pipeline, now);
      else this.#reported(pipeline, outcome.answer.canceled === true, now, sentAt);
      return;
    }
    this.#obstacle = outcome.reason;
    if (outcome.kind === 'gone') {
      this.#tell(this.#run, 'gone', outcome.reason, now);
    } else if (call.operation === 'SetTaskStatus') {
      this.#statusAttempts++;
      this.#statusRetryAtMs =
        now.bootMs + retryDelayMs(this.#statusAttempts, Infinity, this.#context.random);
      if (outcome.kind === 'refused') this.#refused(pipeline, outcome.reason, now);
    } else {
      this.#attempts++;
      this.#retryAtMs =
        now.bootMs +
        retryDelayMs(this.#attempts, this.#slackMs(pipeline, now), this.#context.random);
    }
  }

  #reportDuty(pipeline: NonNullable<Run['pipeline']>): Duty | undefined {
    const { acceptedAt, acknowledgedAt, task } = pipeline;
    if (acceptedAt === undefined || acknowledgedAt === undefined) {
      // A task that ended before it was acknowledged (refused by the configuration) needs no report.
      if (isFinal(this.#run.state)) return undefined;
      // No deadline: a task that is not acknowledged is given to another host and nothing is lost, so it must not
      // outrun the reports of tasks that are owned.
      return {
        operation: 'ReportTaskProgress',
        readyAtMs: this.#retryAtMs,
        sinceMs: task.receivedAt.bootMs,
      };
    }
    const everyMs = this.#everyMs(task);
    return {
      operation: 'ReportTaskProgress',
      readyAtMs: Math.max(acceptedAt.bootMs + everyMs, this.#retryAtMs),
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
    this.#attempts = 0;
    this.#retryAtMs = 0;
    const isFirst = pipeline.acknowledgedAt === undefined;
    // The service counts from when it got the report, which is not before it was sent: the safe side.
    pipeline.acceptedAt = sentAt;
    if (isFirst) pipeline.acknowledgedAt = now;
    this.#context.ledger.keepRun(this.#run);
    if (canceled) this.#tell(this.#run, 'canceled', 'ReportTaskProgress answered canceled', now);
    else if (isFirst) this.#tell(this.#run, 'acknowledged', '', now);
    else {
      const fields = { taskId: shorten(pipeline.task.taskId), percent: this.#run.percent };
      this.#context.note('report.accepted', now, fields, this.#run);
    }
  }

  #delivered(pipeline: NonNullable<Run['pipeline']>, now: Now): void {
    pipeline.delivery = { state: 'delivered', at: now };
    this.#context.ledger.keepRun(this.#run);
    const afterS = Math.round((now.bootMs - (this.#run.endedAt ?? now).bootMs) / SECOND_MS);
    this.#context.note(
      'report.delivered',
      now,
      { to: 'dataPipeline', taskId: shorten(pipeline.task.taskId), afterS },
      this.#run,
    );
  }

  /** First the error's texts are left out; refused once more, the word cannot be said. */
  #refused(pipeline: NonNullable<Run['pipeline']>, reason: string, now: Now): void {
    if (this.#run.errorTail !== undefined) {
      delete this.#run.errorTail;
      this.#statusRetryAtMs = now.bootMs;
      this.#context.note('report.reduced', now, { reason }, this.#run);
    } else {
      pipeline.delivery = { state: 'refused', reason };
      this.#context.note('report.refused', now, { reason }, this.#run);
    }
    this.#context.ledger.keepRun(this.#run);
  }

  #slackMs(pipeline: NonNullable<Run['pipeline']>, now: Now): number {
    const { acceptedAt, task } = pipeline;
    const byMs =
      acceptedAt === undefined
        ? task.receivedAt.bootMs + ACKNOWLEDGE_MS
        : reportByMs(acceptedAt, task.windowMs);
    return Math.max(0, byMs - now.bootMs);
  }

  #everyMs(task: PipelineTask): number {
    const settings = this.#context.settings.dataPipeline;
    return reportEveryMs(settings?.reportEveryMs ?? task.windowMs, task.windowMs);
  }
}

export function pipelineTaskKey(run: string): string {
  return `task:${run}`;
}

/** Task ids are opaque and up to 2,048 characters long; their beginning is enough for a log. */
export function shorten(taskId: string): string {
  return taskId.length <= 24 ? taskId : `${taskId.slice(0, 24)}…`;
}
