/**
 * The answers of the socket, as zod schemas for the OpenAPI document. They follow src/core/model/status.ts, and the
 * compiler checks that. Nothing is validated with them while the agent runs.
 */
import * as z from 'zod';

import { HUB_OPERATIONS, PIPELINE_OPERATIONS } from '../../core/model/call.ts';
import type { OutboxEntry } from '../../core/model/outbox.ts';
import type { AgentStatus, BudgetStatus, JobDetail, JobStatus } from '../../core/model/status.ts';
import { describes } from '../lib/describes.ts';
import { PROBLEM_CODES } from '../lib/problem.ts';
import type { ReplyName } from '../lib/route.ts';
import type { TimelineEntryDocument } from './timeline-entry.ts';

const time = z.iso.datetime();

const destination = {
  delivery: z.enum(['pending', 'delivered', 'refused', 'withheld']),
  reason: z.string().exactOptional(),
  lastAcceptedAt: time.exactOptional(),
  deadlineAt: time.exactOptional(),
  slackSeconds: z.number().exactOptional(),
};

const runState = z.enum([
  'queued',
  'starting',
  'running',
  'canceling',
  'succeeded',
  'failed',
  'lost',
  'canceled',
  'fenced',
]);

const jobDocument = describes<JobStatus>()(
  z
    .strictObject({
      name: z.string(),
      run: z.int().exactOptional(),
      state: z.enum(['idle', ...runState.options]),
      origin: z.string().exactOptional(),
      pid: z.int().exactOptional(),
      unit: z.string().exactOptional(),
      statusFile: z.string().exactOptional(),
      exitCode: z.int().exactOptional(),
      exitSignal: z.string().exactOptional(),
      percent: z.int().min(0).max(100).exactOptional(),
      elapsedSeconds: z.int().min(0).exactOptional(),
      etaSeconds: z.int().min(0).exactOptional(),
      detail: z.string().exactOptional(),
      reason: z.string().exactOptional(),
      processesLeft: z.array(z.int()).readonly().exactOptional(),
      cancelIncomplete: z.boolean().exactOptional(),
      survivors: z.array(z.int()).readonly().exactOptional(),
      stalled: z.boolean().exactOptional(),
      problem: z.string().exactOptional(),
      startedAt: time.exactOptional(),
      endedAt: time.exactOptional(),
      nextStartAt: time.exactOptional(),
      destinations: z.strictObject({
        migrationHub: z
          .strictObject({
            ...destination,
            task: z.string(),
            nextUpdateSeconds: z.number().exactOptional(),
            lastStatus: z.string().exactOptional(),
          })
          .exactOptional(),
        dataPipeline: z
          .strictObject({
            ...destination,
            taskId: z.string(),
            pipelineId: z.string(),
            attemptId: z.string(),
            workerGroup: z.string(),
          })
          .exactOptional(),
      }),
    })
    .meta({ id: 'Job' }),
);

const outboxEntry = describes<OutboxEntry>()(
  z
    .strictObject({
      job: z.string(),
      run: z.int().exactOptional(),
      destination: z.enum(['migrationHub', 'dataPipeline']),
      operation: z.enum([...HUB_OPERATIONS, ...PIPELINE_OPERATIONS]),
      task: z.string().describe('MigrationTaskName, or the id of the pipeline task.'),
      message: z.string().describe('What is to be reported, in one line.'),
      since: time.exactOptional(),
      attempts: z.int(),
      nextTryAt: time.exactOptional(),
      lastError: z.string().exactOptional(),
      quarantined: z
        .boolean()
        .describe('AWS rejected it: it blocks no later report, and waits for retry or drop.'),
    })
    .meta({ id: 'OutboxEntry' }),
);

const jobDetailDocument = describes<JobDetail>()(
  jobDocument
    .extend({
      command: z
        .array(z.string())
        .readonly()
        .exactOptional()
        .describe('The program and its arguments, secrets masked.'),
      workingDirectory: z.string().exactOptional(),
      user: z.string().exactOptional(),
      schedule: z
        .strictObject({ cron: z.string(), timezone: z.string().exactOptional() })
        .exactOptional(),
      logs: z
        .strictObject({ stdout: z.string(), stderr: z.string() })
        .exactOptional()
        .describe('The files of the output of the run.'),
      earlierRuns: z
        .array(
          z.strictObject({
            run: z.int(),
            state: runState,
            startedAt: time.exactOptional(),
            endedAt: time.exactOptional(),
            elapsedSeconds: z.int().min(0).exactOptional(),
            exitCode: z.int().exactOptional(),
            exitSignal: z.string().exactOptional(),
            reason: z.string().exactOptional(),
          }),
        )
        .readonly()
        .describe('Newest first.'),
      pending: z
        .array(outboxEntry)
        .readonly()
        .describe('Reports that a destination has not accepted yet.'),
    })
    .meta({ id: 'JobDetail' }),
);

const agent = describes<AgentStatus>()(
  z.strictObject({
    version: z.string(),
    pid: z.int(),
    host: z.string(),
    startedAt: time,
    now: time,
    state: z.enum(['running', 'draining']),
    clockOffsetSeconds: z.number(),
    homeRegion: z.string().exactOptional(),
    taskRunnerId: z.string().exactOptional(),
    waitingForBudget: z.int(),
    outbox: z.int(),
    outboxAgeSeconds: z.number().exactOptional(),
    credentialsExpireAt: time.exactOptional(),
    nearestDeadlineSeconds: z.number().exactOptional(),
    fleet: z
      .strictObject({
        state: z.enum(['joined', 'waiting', 'alone']),
        share: z.number(),
        hosts: z.int().exactOptional(),
        shares: z.number().exactOptional(),
        reason: z.string().exactOptional(),
      })
      .exactOptional(),
    health: z.enum(['healthy', 'degraded']),
    problems: z.array(z.string()).readonly(),
  }),
);

const budget = describes<BudgetStatus>()(
  z.strictObject({
    operation: z.enum([...HUB_OPERATIONS, ...PIPELINE_OPERATIONS]),
    perSecond: z.number(),
    burst: z.number(),
    available: z.int().exactOptional(),
    accepted: z.int(),
    throttled: z.int(),
    failed: z.int(),
    pausedUntil: time.exactOptional(),
    pausedBecause: z.string().exactOptional(),
  }),
);

export const statusDocument = z
  .strictObject({
    schema: z.literal(1),
    agent,
    jobs: z
      .array(z.union([jobDocument, jobDetailDocument]))
      .readonly()
      .describe('With `job`: that job alone, in full.'),
    budgets: z.array(budget).readonly(),
  })
  .meta({ id: 'Status' });

const namesDocument = z.strictObject({
  schema: z.literal(1),
  names: z.array(z.string()).readonly(),
});

const jobsDocument = z.strictObject({ schema: z.literal(1), jobs: z.array(jobDocument) });

const timelineEntry = describes<TimelineEntryDocument>()(
  z
    .strictObject({
      at: time,
      job: z.string().exactOptional(),
      run: z.string().exactOptional(),
      event: z.string(),
      fields: z.record(z.string(), z.unknown()),
    })
    .meta({ id: 'TimelineEntry' }),
);

const timelineDocument = z.strictObject({
  schema: z.literal(1),
  events: z.array(timelineEntry),
});

export const historyDocument = z
  .strictObject({
    schema: z.literal(1),
    region: z.string(),
    stream: z.string(),
    task: z.string(),
    updates: z.array(
      z.strictObject({
        at: time.optional(),
        status: z.string(),
        percent: z.int().optional(),
        detail: z.string().optional(),
      }),
    ),
    nextToken: z
      .string()
      .optional()
      .describe('Token of the next page; absent: this is the last page.'),
  })
  .meta({ id: 'History' });

export type HistoryDocument = z.infer<typeof historyDocument>;

const outputDocument = z
  .strictObject({
    schema: z.literal(1),
    run: z.int(),
    stdout: z.array(z.string()).describe('Lines, oldest first.'),
    stderr: z.array(z.string()),
  })
  .meta({ id: 'Output' });

export type OutputTail = z.infer<typeof outputDocument>;

const replyDocument = z
  .strictObject({ run: z.string().optional(), message: z.string() })
  .meta({ id: 'Reply' });

const outboxDocument = z.strictObject({
  schema: z.literal(1),
  outbox: z.array(outboxEntry),
});

export const problemDocument = z
  .strictObject({ error: z.strictObject({ code: z.enum(PROBLEM_CODES), message: z.string() }) })
  .meta({ id: 'Problem' });

export const REPLIES: Readonly<Record<ReplyName, z.ZodType>> = {
  history: historyDocument,
  job: jobDetailDocument,
  jobs: jobsDocument,
  names: namesDocument,
  outbox: outboxDocument,
  output: outputDocument,
  reply: replyDocument,
  status: statusDocument,
  timeline: timelineDocument,
};
