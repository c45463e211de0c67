/**
 * The answers of the socket, as zod schemas for the OpenAPI document. They follow src/core/model/status.ts, and the
 * compiler checks that. Nothing is validated with them while the agent runs.
 */
import { z } from 'zod';

import { HUB_OPERATIONS, PIPELINE_OPERATIONS } from '../../core/model/call.ts';
import type { Status } from '../../core/model/status.ts';

const time = z.iso.datetime();

const destination = {
  delivery: z.enum(['pending', 'delivered', 'refused', 'withheld']),
  reason: z.string().exactOptional(),
  lastAcceptedAt: time.exactOptional(),
  deadlineAt: time.exactOptional(),
  slackSeconds: z.number().exactOptional(),
};

export const jobDocument = z
  .strictObject({
    name: z.string(),
    run: z.int().exactOptional(),
    state: z.enum([
      'idle',
      'queued',
      'starting',
      'running',
      'canceling',
      'succeeded',
      'failed',
      'lost',
      'canceled',
      'fenced',
    ]),
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
  .meta({ id: 'Job' });

const agent = z.strictObject({
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
});

const budget = z.strictObject({
  operation: z.enum([...HUB_OPERATIONS, ...PIPELINE_OPERATIONS]),
  perSecond: z.number(),
  burst: z.number(),
  available: z.int().exactOptional(),
  accepted: z.int(),
  throttled: z.int(),
  failed: z.int(),
  pausedUntil: time.exactOptional(),
  pausedBecause: z.string().exactOptional(),
});

export const statusDocument: z.ZodType<Status> = z
  .strictObject({
    schema: z.literal(1),
    agent,
    jobs: z.array(jobDocument).readonly(),
    budgets: z.array(budget).readonly(),
  })
  .meta({ id: 'Status' });

export const jobsDocument = z.strictObject({ schema: z.literal(1), jobs: z.array(jobDocument) });

const timelineEntry = z
  .strictObject({
    at: time,
    job: z.string().exactOptional(),
    run: z.string().exactOptional(),
    event: z.string(),
    fields: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'TimelineEntry' });

export const timelineDocument = z.strictObject({
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

export const replyDocument = z
  .strictObject({ run: z.string().optional(), message: z.string() })
  .meta({ id: 'Reply' });

export const outboxDocument = z.strictObject({
  schema: z.literal(1),
  outbox: z.array(
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
  ),
});

export const problemDocument = z
  .strictObject({ error: z.strictObject({ code: z.string(), message: z.string() }) })
  .meta({ id: 'Problem' });
