/** What may be sent of tracked work: bodies of `POST /v1/tracked` and `POST /v1/reports`, as zod schemas. */
import { z } from 'zod';

import { migrationHub, text } from './requests.ts';

/** So many are taken in one turn of the agent; a client with more sends them in parts. */
export const ITEMS_MAX = 10_000;
/** Room for so many, each with attributes for Migration Hub. */
export const ITEMS_BYTES_MAX = 16 * 1024 * 1024;

/** Kernels allow no more (PID_MAX_LIMIT). */
const PID_MAX = 4_194_304;

/** Which names a job may have is told by the configuration; here it is only looked up. */
const name = z.string('expected the name of a job').min(1, 'is empty').max(1024);

const trackedJob = z
  .strictObject({
    name,
    pid: z
      .int('expected the number of a process')
      .min(1, 'expected the number of a process')
      .max(PID_MAX, `expected the number of a process; ${PID_MAX} at most`)
      .optional()
      .describe('A process of any user. When it is gone without a final word, the run is lost.'),
    unit: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe(
        'A systemd unit: the invocation that is under way, else the next one. It ends as systemd says.',
      ),
    statusFile: text
      .startsWith('/', 'is no absolute path')
      .optional()
      .describe('A JSON file with percent, detail and status, replaced as the work goes on.'),
    stallAfter: z
      .string()
      .optional()
      .describe('Said in StatusDetail when percent and detail have not changed for so long: 30m.'),
    migrationHub: z
      .union([z.literal(false), migrationHub])
      .optional()
      .describe('As in the configuration of a job; false: Migration Hub is not told.'),
  })
  .refine(
    ({ pid, unit, statusFile }) =>
      [pid, unit, statusFile].filter((one) => one !== undefined).length <= 1,
    'give one of pid, unit and statusFile, or none',
  )
  .meta({ id: 'TrackedJob' });

const detail = z
  .string({ error: ({ input }) => (input === undefined ? undefined : 'expected text') })
  .max(32_768, 'has more than 32768 characters')
  .optional()
  .describe('One line; shortened to 300 characters, secrets masked.');

const report = z
  .strictObject({
    name,
    percent: z
      .number('expected a number from 0 to 100')
      .min(0, 'expected a number from 0 to 100')
      .max(100, 'expected a number from 0 to 100')
      .optional()
      .describe('Floored; never falls within a run; 99 at most until the run has ended well.'),
    detail,
    status: z
      .enum(['completed', 'failed'], 'expected completed or failed')
      .optional()
      .describe('How the work ended; only for tracked jobs.'),
  })
  .refine(
    ({ percent, detail: said, status }) =>
      percent !== undefined || said !== undefined || status !== undefined,
    'says nothing: give percent, detail or status',
  )
  .meta({ id: 'Report' });

export const trackedBody = z.union([trackedJob, z.array(trackedJob).min(1).max(ITEMS_MAX)]);
export const reportsBody = z.union([report, z.array(report).min(1).max(ITEMS_MAX)]);

export type TrackedJob = z.infer<typeof trackedJob>;

/** Of an array: how many were done, and what was refused, by its place in the array. */
export const manyReply = z
  .strictObject({
    message: z.string(),
    run: z.string().optional(),
    refused: z
      .array(
        z.strictObject({
          index: z.int(),
          name: z.string(),
          code: z.string(),
          message: z.string(),
        }),
      )
      .optional()
      .describe('What was not done, and why; the others were. Only for an array.'),
  })
  .meta({ id: 'ManyReply' });
