/** The schema of one job: what it runs, how its progress is read, and what is reported to Migration Hub. */
import nodeCron from 'node-cron';
import * as z from 'zod';
import { PLAIN_PARSERS } from '../../core/model/job.ts';
import { templateProblem } from '../lib/template.ts';
import {
  absolutePath,
  duration,
  isGiven,
  line,
  matching,
  oneOf,
  progressPattern,
  size,
  text,
  timeZone,
  word,
} from './values.ts';

/** Signals that a program can handle by shutting down cleanly. SIGKILL follows by itself when the grace is over. */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Rotation moves whole file-system blocks; less would not do on every file system. */
const LOG_BYTES_MIN = 128 * 1024;

/** MODEL ResourceAttributeType. */
const RESOURCE_ATTRIBUTE_TYPES = [
  'IPV4_ADDRESS',
  'IPV6_ADDRESS',
  'MAC_ADDRESS',
  'FQDN',
  'VM_MANAGER_ID',
  'VM_MANAGED_OBJECT_REFERENCE',
  'VM_NAME',
  'VM_PATH',
  'BIOS_ID',
  'MOTHERBOARD_SERIAL_NUMBER',
] as const;

/** MODEL CreatedArtifactName. */
const ARTIFACT = /^arn:[a-z-]+:[a-z0-9-]+:(?:[a-z0-9-]+|):(?:[0-9]{12}|):.*/;

const sourceResource = z.strictObject({
  name: text(1600).meta({ description: 'Name of the source resource.' }),
  description: line(500).optional().meta({ description: 'What it is, in up to 500 characters.' }),
  statusDetail: line(2500)
    .optional()
    .meta({ description: 'Its status, in up to 2,500 characters.' }),
});

const resourceAttribute = z.strictObject({
  type: oneOf(RESOURCE_ATTRIBUTE_TYPES).meta({ description: 'Kind of the attribute.' }),
  value: line(256).meta({ description: 'Its value, in up to 256 characters.' }),
});

const hubOfJob = z.strictObject({
  task: z
    .string()
    .superRefine((template, context) => {
      const message = templateProblem(template);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .optional()
    .meta({
      description:
        'Name of the migration task; {job}, {run}, {host} and {date} are replaced. Default: {job}, and {job}-{run} for a job with a schedule.',
    }),
  resourceAttributes: z
    .array(resourceAttribute)
    .max(100)
    .prefault([])
    .meta({ description: 'Attributes by which Application Discovery Service finds the resource.' }),
  discoveredResource: line(1600).optional().meta({
    description: 'Configuration id in Application Discovery Service, such as d-server-0123.',
  }),
  sourceResources: z
    .array(sourceResource)
    .prefault([])
    .meta({ description: 'Source resources to associate with the task.' }),
  artifacts: z
    .array(
      matching(ARTIFACT, 'an ARN such as arn:aws:s3:::bucket/key').refine(
        (value) => value.length <= 1600,
        'must have 1,600 characters at most',
      ),
    )
    .prefault([])
    .meta({ description: 'ARNs of what the job creates; reported when it succeeds.' }),
  application: line(1600)
    .optional()
    .meta({ description: 'Application id whose state is reported (NotifyApplicationState).' }),
});

export const progressSource = z.discriminatedUnion('parser', [
  z.strictObject({
    parser: z.enum(PLAIN_PARSERS).meta({
      description:
        'How progress is read: from the output of the job, or from files. auto: by the program in the command.',
    }),
  }),
  z.strictObject({
    parser: z.literal('regex'),
    pattern: progressPattern().meta({
      description: 'Regular expression with groups percent, or done and total, and detail.',
    }),
  }),
  z.strictObject({
    parser: z.literal('size'),
    target: absolutePath().meta({ description: 'Path whose bytes are counted.' }),
    source: absolutePath()
      .optional()
      .meta({ description: 'Path whose bytes are the total. Either this or total.' }),
    total: size()
      .optional()
      .meta({ description: 'The total, such as 10 GB. Either this or source.' }),
  }),
  z.strictObject({
    parser: z
      .enum(['dd', 'tar'])
      .meta({ description: 'Reads status=progress of dd, or the checkpoints of tar.' }),
    total: size().optional().meta({
      description:
        'The bytes that are copied or archived, such as 10 GB. Default: by the arguments of the program.',
    }),
  }),
  z.strictObject({
    parser: z.literal('pg_restore'),
    archive: absolutePath().optional().meta({
      description: 'The archive whose entries are counted. Default: taken from the command.',
    }),
  }),
]);

/** The keys of every job, configured or submitted. */
export const jobKeys = {
  command: z
    .array(word(), {
      error: ({ input }) =>
        isGiven(input)
          ? 'expected a list of words, as no shell reads it: [rsync, -a, /srv/a/, /srv/b/]; for a shell write [sh, -c, "…"]'
          : undefined,
    })
    .min(1, 'must name a program: [rsync, -a, /srv/a/, /srv/b/]')
    .refine((message) => message[0] !== '', 'must name a program')
    .meta({ description: 'The program and its arguments; no shell reads them.' }),
  environment: z
    .record(
      matching(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a name of letters, digits and underscores'),
      word(),
    )
    .prefault({})
    .meta({ description: 'Variables beside the clean base (PATH, HOME, USER, LANG, TZ).' }),
  workingDirectory: absolutePath().optional().meta({ description: 'Where the job runs.' }),
  user: matching(/^([A-Za-z_][A-Za-z0-9_.-]*\$?|\d{1,10})$/, 'the name of a user')
    .optional()
    .meta({
      description: "Runs the job as this user. Default: the agent's own.",
      type: ['string', 'integer'],
    }),
  progress: progressSource
    .prefault({ parser: 'none' })
    .meta({ description: 'Where progress is read from.' }),
  timeout: duration().optional().meta({ description: 'The job is stopped after this time.' }),
  stop: z
    .strictObject({
      signal: oneOf(STOP_SIGNALS)
        .prefault('SIGTERM')
        .meta({ description: 'Signal that asks the job to end.' }),
      grace: duration().prefault('30s').meta({ description: 'Time from that signal to SIGKILL.' }),
    })
    .prefault({})
    .meta({ description: 'How the job is stopped.' }),
  waitFor: oneOf(['leader', 'tree']).prefault('leader').meta({
    description:
      'When a run has ended whose program left processes behind. leader: when the program has ended. tree: when its last process has.',
  }),
  stallAfter: duration().optional().meta({
    description:
      'A run without progress for this long is reported as stalled, in StatusDetail and in the log.',
  }),
  log: z
    .strictObject({
      size: size()
        .refine((bytes) => bytes >= LOG_BYTES_MIN, 'must be 128 KiB at least')
        .prefault('10 MB')
        .meta({ description: 'Size at which the output file is rotated.' }),
      files: z.int().min(2).max(1000).prefault(3).meta({
        description: 'Files kept of each stream, including the current one.',
      }),
    })
    .optional()
    .meta({ description: 'How much output of a run is kept, for stdout and stderr each.' }),
  migrationHub: z
    .union([z.literal(false), hubOfJob], {
      error: ({ input }) =>
        isGiven(input) && typeof input !== 'object' ? 'expected false, or a map' : undefined,
    })
    .prefault({})
    .meta({ description: 'What is reported to Migration Hub; false: nothing.' }),
};

export const job = z.strictObject({
  ...jobKeys,
  schedule: z
    .string()
    .superRefine((cron, context) => {
      const message = cronProblem(cron);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .optional()
    .meta({ description: 'Cron expression that starts the job, such as "0 4 * * *".' }),
  timezone: timeZone().optional().meta({
    description: "Time zone of the schedule, such as Europe/Berlin. Default: the host's.",
  }),
  missedStart: oneOf(['skip', 'once']).prefault('skip').meta({
    description:
      'What to do if starts were missed because the agent was down or the host slept. skip: log it. once: log it and start the job once, however many starts were missed.',
  }),
  autostart: z.boolean().prefault(false).meta({
    description: 'Start the job with the agent, if it has never run with this definition.',
  }),
});

function cronProblem(cron: string): string | undefined {
  const message = 'expected a cron expression such as "0 4 * * *"';
  try {
    const result = nodeCron.validateDetailed(cron);
    if (result.valid) return undefined;
    const wrong = result.errors
      .filter((error) => error.value !== undefined)
      .map((error) => `${error.field} "${error.value ?? ''}"`);
    return wrong.length === 0
      ? `${message}, found "${cron}"`
      : `${message}; wrong: ${wrong.join(', ')}`;
  } catch {
    return `${message}, found "${cron}"`;
  }
}
