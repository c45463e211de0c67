/** Tracked work: bodies of `POST /v1/tracked` and `POST /v1/reports`, as zod schemas. */
import * as z from 'zod';

import { PROBLEM_CODES } from '../lib/problem.ts';
import { migrationHub, text } from './requests.ts';

/** Items in one request, all applied in one turn of the loop. A client with more sends them in parts. */
const ITEMS_MAX = 10_000;
/** Room for so many, each with attributes for Migration Hub. */
export const ITEMS_BYTES_MAX = 16 * 1024 * 1024;

/** Kernels allow no more (PID_MAX_LIMIT). */
const PID_MAX = 4_194_304;

/** The configuration decides which names are valid; here a name is only looked up. */
const name = z.string('expected the name of a job').min(1, 'is empty').max(1024);

const trackedJob = z
  .strictObject({
    name,
    pid: z
      .int('expected the number of a process')
      .min(1, 'expected the number of a process')
      .max(PID_MAX, `expected the number of a process; ${PID_MAX} at most`)
      .optional()
      .describe(
        'A process of any user that the caller may see. If it ends without a final report, the run is lost.',
      ),
    unit: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe(
        'A systemd unit: the invocation that is running, else the next one. systemd decides how it ended.',
      ),
    statusFile: text
      .startsWith('/', 'is not an absolute path')
      .optional()
      .describe('A JSON file with percent, detail and status, replaced as the work goes on.'),
    stallAfter: z
      .string()
      .optional()
      .describe('If percent and detail have not changed for so long, StatusDetail shows it: 30m.'),
    migrationHub: z
      .union([z.literal(false), migrationHub])
      .optional()
      .describe('As in the configuration of a job; false: not reported to Migration Hub.'),
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
      .describe('Floored; never falls within a run; 99 at most until the run has succeeded.'),
    detail,
    status: z
      .enum(['completed', 'failed'], 'expected completed or failed')
      .optional()
      .describe('How the work ended; only for tracked jobs.'),
  })
  .refine(
    ({ percent, detail: text, status }) =>
      percent !== undefined || text !== undefined || status !== undefined,
    'is empty: give percent, detail or status',
  )
  .meta({ id: 'Report' });

export const trackedBody = z.union([trackedJob, z.array(trackedJob).min(1).max(ITEMS_MAX)]);
export const reportsBody = z.union([report, z.array(report).min(1).max(ITEMS_MAX)]);

export type TrackedJob = z.infer<typeof trackedJob>;

/** For an array: how many were done, and which were refused, by index. */
export const manyReply = z
  .strictObject({
    message: z.string(),
    run: z.string().optional(),
    refused: z
      .array(
        z.strictObject({
          index: z.int(),
          name: z.string(),
          code: z.enum(PROBLEM_CODES),
          message: z.string(),
        }),
      )
      .optional()
      .describe('Items that were refused, and why; the others were done. Only for an array.'),
  })
  .meta({ id: 'ManyReply' });
