/**
 * The input of `notify`, by the model of NotifyMigrationTaskState: from `--cli-input-json`, which the options
 * override. What the service would reject is an error here, with the name of the option.
 */
import * as z from 'zod';
import { defined } from '../../core/lib/defined.ts';
import type { NotifyCall } from '../../core/model/call.ts';
import { readJsonObject, readParameter, readStructure, readTimestamp } from './aws-shorthand.ts';

export interface NotifyOptions {
  readonly progressUpdateStream?: string;
  readonly migrationTaskName?: string;
  readonly task?: string;
  readonly updateDateTime?: string;
  readonly nextUpdateSeconds?: string;
  readonly dryRun?: boolean;
  readonly cliInputJson?: string;
}

/** As `aws mgh notify-migration-task-state --generate-cli-skeleton` prints it. */
export const SKELETON = {
  ProgressUpdateStream: '',
  MigrationTaskName: '',
  Task: { Status: 'COMPLETED', StatusDetail: '', ProgressPercent: 0 },
  UpdateDateTime: '1970-01-01T00:00:00',
  NextUpdateSeconds: 0,
  DryRun: true,
};

/** Each member with its option, in the model's order. */
const OPTIONS = {
  ProgressUpdateStream: '--progress-update-stream',
  MigrationTaskName: '--migration-task-name',
  Task: '--task',
  UpdateDateTime: '--update-date-time',
  NextUpdateSeconds: '--next-update-seconds',
  DryRun: '--dry-run',
} as const;

const pointsOf = (text: string): number => Array.from(text).length;
const whole = (max: number): z.ZodType<number> =>
  z
    .int(`expected a whole number up to ${max}`)
    .min(0, 'must not be negative')
    .max(max, `must be ${max} at most`);
/** Of the command line and of shorthand: a number in its text. */
const wholeInText = (max: number): z.ZodType<number> =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^-?\d+$/u.test(value) ? Number(value) : value),
    whole(max),
  );

const input = z.strictObject({
  ProgressUpdateStream: z
    .string()
    .refine((text) => pointsOf(text) >= 1 && pointsOf(text) <= 50, 'has 1 to 50 characters')
    .regex(/^[^/:|\u0000-\u001f]*$/u, 'must not hold / : | or control characters'),
  MigrationTaskName: z
    .string()
    .refine((text) => pointsOf(text) >= 1 && pointsOf(text) <= 256, 'has 1 to 256 characters')
    .regex(/^[^:|]*$/u, 'must not hold : or |'),
  Task: z.strictObject({
    Status: z.enum(['NOT_STARTED', 'IN_PROGRESS', 'FAILED', 'COMPLETED']),
    StatusDetail: z.string().optional(),
    ProgressPercent: wholeInText(100).optional(),
  }),
  UpdateDateTime: z.unknown(),
  NextUpdateSeconds: wholeInText(2_147_483_647),
  DryRun: z.boolean().optional(),
});

/** The call, but for its region. Throws an `Error` that names every option with a fault. */
export function notifyInput(options: NotifyOptions): Omit<NotifyCall, 'region'> {
  const given: Record<string, unknown> = {
    ...(options.cliInputJson !== undefined &&
      named('--cli-input-json', () => readJsonObject(readParameter(options.cliInputJson ?? '')))),
    ...defined({
      ProgressUpdateStream: options.progressUpdateStream,
      MigrationTaskName: options.migrationTaskName,
      Task:
        options.task === undefined
          ? undefined
          : named('--task', () => readStructure(readParameter(options.task ?? ''))),
      UpdateDateTime: options.updateDateTime,
      NextUpdateSeconds: options.nextUpdateSeconds,
      DryRun: options.dryRun,
    }),
  };
  const missing = Object.entries(OPTIONS).filter(([key]) => key !== 'DryRun' && !(key in given));
  if (missing.length > 0) {
    throw new Error(`missing: ${missing.map(([, option]) => option).join(', ')}`);
  }
  const checked = input.safeParse(given);
  if (!checked.success) throw new Error(checked.error.issues.map(describe).join('; '));
  const { data } = checked;
  const stampS = named('--update-date-time', () => readTimestamp(data.UpdateDateTime));
  return {
    operation: 'NotifyMigrationTaskState',
    stream: data.ProgressUpdateStream,
    task: data.MigrationTaskName,
    status: data.Task.Status,
    ...defined({
      detail: data.Task.StatusDetail,
      percent: data.Task.ProgressPercent,
      dryRun: data.DryRun,
    }),
    stampS,
    nextUpdateS: data.NextUpdateSeconds,
  };
}

/** `--task Status: Invalid option …` */
function describe({ message, path }: z.core.$ZodIssue): string {
  const [key, ...rest] = path.map(String);
  const option = OPTIONS[key as keyof typeof OPTIONS] as string | undefined;
  return `${[option ?? key ?? 'the input', ...rest].join(' ')}: ${message}`;
}

function named<Value>(option: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new Error(`${option}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
