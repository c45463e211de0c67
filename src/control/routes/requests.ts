/**
 * What may be sent to the socket: bodies and queries, as zod schemas. The OpenAPI document is made from them.
 */
import * as z from 'zod';

import { PLAIN_PARSERS } from '../../core/model/job.ts';
import { JOB_NAME, JOB_NAME_RULE } from '../../core/model/job-name.ts';
import { parseDuration } from '../../core/lib/duration.ts';
import { SECOND_MS } from '../../core/lib/time.ts';

/** A name becomes part of file names and of a MigrationTaskName, which allows no `/`, `:` and `|` (MODEL). */
const jobName = z.string().regex(JOB_NAME, `expected ${JOB_NAME_RULE}`);

export const text = z
  .string()
  .max(32_768)
  .refine(
    (value) => !value.includes('\0'),
    'contains a NUL character, which cannot be passed to a program',
  );

const progress = z.strictObject({
  parser: z.enum([...PLAIN_PARSERS, 'regex', 'size', 'pg_restore', 'dd', 'tar']),
  pattern: text.optional(),
  target: text.optional(),
  source: text.optional(),
  total: z.union([z.number().positive(), z.string()]).optional(),
  archive: text.optional(),
});

export const migrationHub = z.strictObject({
  task: text.optional(),
  resourceAttributes: z
    .array(z.strictObject({ type: text, value: text }))
    .max(100)
    .optional(),
  discoveredResource: text.optional(),
  sourceResources: z
    .array(
      z.strictObject({
        name: text,
        description: text.optional(),
        statusDetail: text.optional(),
      }),
    )
    .max(1000)
    .optional(),
  artifacts: z.array(text).max(1000).optional(),
  application: text.optional(),
});

/** An ad hoc job. Its keys mean what they mean under `jobs:` in the configuration. */
export const adHocJob = z
  .strictObject({
    name: jobName,
    command: z
      .array(text)
      .min(1, 'names no program')
      .max(4096)
      .refine((message) => message[0] !== '', 'names no program')
      .describe('The program and its arguments; no shell reads them.'),
    progress: progress.optional(),
    environment: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not the name of a variable'), text)
      .optional(),
    workingDirectory: text.startsWith('/', 'is not an absolute path').optional(),
    user: z.string().min(1).max(64).optional(),
    migrationHub: z.union([z.literal(false), migrationHub]).optional(),
  })
  .meta({ id: 'AdHocJob' });

export type AdHocJob = z.infer<typeof adHocJob>;

export const cancelBody = z
  .strictObject({
    grace: z
      .string()
      .refine((value) => (parseDuration(value) ?? 0) >= SECOND_MS, {
        message: 'expected a duration of one second or more, such as 30s, 15m or 1h30m',
      })
      .optional()
      .describe('Time between the stop signal and SIGKILL; default: that of the job.'),
    by: z
      .string()
      .regex(/^[\w.@-]{1,64}$/, 'is not the name of a person')
      .optional()
      .describe('Who asks, for the timeline.'),
  })
  .meta({ id: 'Cancel' });

const outboxChoice = {
  job: z.string().optional().describe('Only of this job; default: of all.'),
  destination: z
    .enum(['migrationHub', 'dataPipeline'])
    .optional()
    .describe('Only reports to this one; default: to both.'),
};

export const outboxQuery = z.strictObject(outboxChoice);

export const outboxBody = z
  .strictObject({
    ...outboxChoice,
    by: cancelBody.shape.by,
  })
  .meta({ id: 'OutboxChoice' });

/** For requests that need no more than their path. */
export const emptyBody = z.strictObject({});

const count = (max: number): z.ZodType<number> => z.coerce.number().int().min(0).max(max);

export const noQuery = z.strictObject({});

export const statusQuery = z.strictObject({
  job: z.string().optional().describe('Only this job, in full; default: all.'),
});

export const timelineQuery = z.strictObject({
  limit: count(10_000).default(100).describe('The newest entries, at most so many.'),
});

export const eventsQuery = z.strictObject({
  job: z.string().optional().describe('Only entries of this job.'),
  after: z
    .string()
    .max(64)
    .optional()
    .describe(
      'Id of the last entry that the client has: the entries after it are sent first. Or Last-Event-ID.',
    ),
});

export const logsQuery = z.strictObject({
  stream: z.enum(['stdout', 'stderr']).default('stdout'),
  tail: count(1_000_000).optional().describe('Only the last so many lines; default: all.'),
  follow: z.enum(['0', '1']).default('0').describe('1: stay until the run has ended.'),
  run: count(Number.MAX_SAFE_INTEGER).optional().describe('Default: the latest run.'),
});

export const outputQuery = z.strictObject({
  lines: count(1000).default(10).describe('Of each stream at most so many.'),
  run: count(Number.MAX_SAFE_INTEGER).optional().describe('Default: the latest run.'),
});

export const historyQuery = z.strictObject({
  run: count(Number.MAX_SAFE_INTEGER).optional().describe('Default: the latest run.'),
  token: z
    .string()
    .max(2048)
    .optional()
    .describe('`nextToken` of the page before; lives for 24 hours. Default: the first page.'),
});
