/**
 * The schema of the configuration file: every key with its description, type and default. Rules that involve several keys
 * are in cross-checks.ts; warnings of legal but risky values are in warnings.ts.
 */
import * as z from 'zod';
import { HUB_OPERATIONS, PIPELINE_OPERATIONS } from '../../core/model/call.ts';
import { SECOND_MS } from '../../core/lib/time.ts';
import { JOB_NAME } from '../../core/model/job-name.ts';
import { job } from './job.ts';
import {
  absolutePath,
  duration,
  hostName,
  listenAddress,
  matching,
  NEXT_UPDATE_S_MAX,
  oneOf,
  pipelineText,
  region,
  text,
  url,
  word,
} from './values.ts';

const NEXT_UPDATE_MS_MAX = NEXT_UPDATE_S_MAX * SECOND_MS;

/** MODEL ProgressUpdateStream. */
const STREAM = /^[^/:|\u0000-\u001f]+$/;

const rateKeys = z.strictObject({
  perSecond: z
    .number()
    .positive('must be more than 0')
    .max(10_000)
    .meta({ description: 'Calls a second on average.' }),
  burst: z.int().min(1, 'must be 1 at least').max(100_000).meta({ description: 'Calls at once.' }),
});

function ratesOf<const T extends readonly string[]>(
  operations: T,
): z.ZodType<Partial<Record<T[number], z.output<typeof rateKeys>>>, Record<string, unknown>> {
  const keys = operations.map((operation) => [
    operation,
    rateKeys.optional().meta({ description: `Budget of ${operation}.` }),
  ]);
  return z.strictObject(Object.fromEntries(keys) as Record<string, z.ZodType>) as never;
}

const aws = z.strictObject({
  region: region().optional().meta({
    description: 'Region of both services. Default: AWS_REGION, AWS_DEFAULT_REGION, the profile.',
  }),
  profile: text(256).optional().meta({
    description:
      'Profile of the shared AWS files: credentials, region, endpoints, FIPS, dual-stack, ca_bundle, sdk_ua_app_id. Default: AWS_PROFILE.',
  }),
  proxy: url('http', 'https')
    .optional()
    .meta({ description: 'Proxy for all calls. Default: HTTPS_PROXY and NO_PROXY.' }),
  endpoints: z
    .strictObject({
      migrationHub: url('http', 'https').optional().meta({ description: 'URL of Migration Hub.' }),
      migrationHubConfig: url('http', 'https')
        .optional()
        .meta({ description: 'URL of Migration Hub Config (home region).' }),
      dataPipeline: url('http', 'https').optional().meta({ description: 'URL of Data Pipeline.' }),
    })
    .prefault({})
    .meta({ description: "Other endpoints than AWS's own. AWS_ENDPOINT_URL_… work as well." }),
});

const migrationHub = z.strictObject({
  region: region().optional().meta({
    description: 'Region of the calls. Default: the home region, asked from GetHomeRegion.',
  }),
  progressUpdateStream: text(50, 'the name of a stream')
    .refine(
      (value) => value === '' || STREAM.test(value),
      'must not hold / : | or control characters',
    )
    .meta({ description: 'Name of the progress update stream, in up to 50 characters.' }),
  createStream: z
    .boolean()
    .prefault(true)
    .meta({ description: 'Creates the stream where it does not exist.' }),
  nextUpdate: duration(NEXT_UPDATE_MS_MAX)
    .prefault('5m')
    .meta({ description: 'The promise (NextUpdateSeconds) when the budget has room.' }),
  nextUpdateMax: duration(NEXT_UPDATE_MS_MAX)
    .prefault('1h')
    .meta({ description: 'How far the promise may be stretched.' }),
  finalNextUpdate: duration(NEXT_UPDATE_MS_MAX)
    .prefault('365d')
    .meta({ description: 'The promise in a final report.' }),
  rate: rateKeys
    .prefault({ perSecond: 1, burst: 10 })
    .meta({ description: 'Budget of each operation of this host; AWS publishes none.' }),
  rates: ratesOf(HUB_OPERATIONS)
    .prefault({})
    .meta({ description: 'Budgets of single operations.' }),
});

const activity = z.strictObject({
  match: z.record(z.string(), word()).meta({
    description:
      'Fields that the activity must have, such as type; name is that of its component. All must match; {} matches every task.',
  }),
  job: z.string().optional().meta({ description: 'The configured job to run.' }),
  shell: z
    .literal(true, { error: 'must be true, or left out: it is off unless written' })
    .optional()
    .meta({ description: "Runs the pipeline's own command." }),
  precondition: z.boolean().prefault(false).meta({
    description:
      'The task is a precondition: an exit code other than 0 is reported as FALSE (not met), not as FAILED.',
  }),
});

const dataPipeline = z.strictObject({
  region: region().optional().meta({ description: 'Region of the calls. Default: aws.region.' }),
  workerGroups: z
    .array(pipelineText(1024, 'the name of a worker group'))
    .min(1, 'must name one worker group at least')
    .meta({ description: 'Worker groups to poll for tasks; upper and lower case differ.' }),
  taskRunnerId: pipelineText(1024, 'the id of a task runner').optional().meta({
    description: 'Unique in the account. Default: made once, kept in the state directory.',
  }),
  concurrency: z
    .int()
    .min(1, 'must be 1 at least')
    .max(1000)
    .prefault(4)
    .meta({ description: 'Never polls while this many pipeline tasks run.' }),
  reportEvery: duration().prefault('60s').meta({
    description:
      'How often a task is reported at the least; also the longest time until a cancel is noticed. With budget to spare, up to four times as often.',
  }),
  window: duration().prefault('15m').meta({
    description: 'Time in which a task must be reported, where it has no reportProgressTimeout.',
  }),
  onFence: oneOf(['stop', 'continue'])
    .prefault('stop')
    .meta({ description: 'What becomes of a job whose window ended without an accepted report.' }),
  heartbeatEvery: duration()
    .prefault('15m')
    .meta({ description: 'How often ReportTaskRunnerHeartbeat is called.' }),
  onTerminate: oneOf(['drain', 'stop'])
    .prefault('drain')
    .meta({ description: 'When the service says terminate: let pipeline jobs end, or stop them.' }),
  rates: ratesOf(PIPELINE_OPERATIONS)
    .prefault({})
    .meta({ description: 'Budgets of single operations. Default: the published account limits.' }),
  activities: z.array(activity).prefault([]).meta({
    description:
      'Which job runs for which task; the first that fits. None fits: the task is FAILED.',
  }),
});

const fleet = z.strictObject({
  redis: url('redis', 'rediss').optional().meta({
    description: 'Redis or Valkey where the budgets of all hosts live; rediss:// for TLS.',
  }),
  account: matching(/^[\w.-]{1,64}$/, 'up to 64 letters, digits or . _ -')
    .prefault('default')
    .meta({
      description:
        'Hosts that name the same account share their budgets in Redis. One Redis may serve several accounts.',
    }),
  share: z.number().positive('must be more than 0').max(1, 'must be 1 at most').optional().meta({
    description:
      "This host's share of each budget, without Redis or while it is unreachable. Default with Redis: 0.1.",
  }),
});

const agent = z.strictObject({
  stateDirectory: absolutePath().prefault('/var/lib/migration-agent').meta({
    description:
      'Directory for the state of the agent and the logs of jobs. $STATE_DIRECTORY takes precedence.',
  }),
  socket: absolutePath()
    // sockaddr_un.sun_path has 108 bytes, one of them the terminating zero (unix(7)).
    .refine(
      (path) => new TextEncoder().encode(path).length <= 107,
      'must be 107 bytes long at most',
    )
    .optional()
    .meta({
      description:
        'The Unix socket of the daemon. Default: $RUNTIME_DIRECTORY/agent.sock, else /run/migration-agent/agent.sock.',
    }),
  backend: oneOf(['process', 'unit']).prefault('process').meta({
    description:
      'How a run is started: as a process tree beside the agent, or as a transient service of systemd (needs root).',
  }),
  adHoc: oneOf(['self', 'group', 'off']).prefault('self').meta({
    description:
      "Who may run commands that `jobs` does not name: root and the agent's user, the socket's group too (it may then also drain, reload …), or nobody.",
  }),
  keepRuns: duration().prefault('30d').meta({
    description:
      'How long ended, delivered runs of names that `jobs` does not have are kept; then their records, timelines and Hub tasks are forgotten.',
  }),
  keepLogs: duration().prefault('30d').meta({
    description: 'How long the output and records of a run are kept after its end.',
  }),
  http: z
    .strictObject({
      listen: listenAddress().meta({
        description: 'HOST:PORT of metrics, health and the status page.',
      }),
      hosts: z.array(hostName()).max(100).prefault([]).meta({
        description:
          'Names that it answers to, beside IP addresses and localhost; others are refused, so that a web page cannot reach it through a name of its own.',
      }),
    })
    .optional()
    .meta({ description: 'Read-only HTTP over TCP; off unless written.' }),
});

export const configurationFile = z.strictObject({
  aws: aws.prefault({}).meta({ description: 'How the agent connects to AWS.' }),
  migrationHub: migrationHub
    .optional()
    .meta({ description: 'The destination Migration Hub; leave it out to turn it off.' }),
  dataPipeline: dataPipeline
    .optional()
    .meta({ description: 'The destination Data Pipeline; leave it out to turn it off.' }),
  fleet: fleet.optional().meta({ description: 'One budget for all hosts of an account.' }),
  jobs: z
    .record(z.string(), job)
    .prefault({})
    .meta({
      description: 'The jobs of this host, by name.',
      propertyNames: { type: 'string', pattern: JOB_NAME.source },
    }),
  agent: agent.prefault({}).meta({ description: 'The daemon itself.' }),
  log: z
    .strictObject({
      level: oneOf(['debug', 'info', 'warn', 'error', 'fatal'])
        .prefault('info')
        .meta({ description: 'The lowest level that is logged.' }),
    })
    .prefault({})
    .meta({ description: 'JSON lines on stdout; pretty on a terminal.' }),
});

export type ConfigurationFile = z.output<typeof configurationFile>;
export type JobOfFile = z.output<typeof job>;

/** A key in the JSON schema; only the members that are used here. */
export interface SchemaNode {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | false;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly required?: readonly string[];
}

/** The JSON schema of the file, for editors and for `config schema`. */
export function configurationSchema(): SchemaNode {
  return {
    title: 'Configuration of migration-agent',
    ...z.toJSONSchema(configurationFile, { io: 'input' }),
  } as SchemaNode;
}
