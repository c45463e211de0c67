/** Makes the configuration of a file without faults: defaults that depend on others, rates, job definitions. */
import { defined } from '../../core/lib/defined.ts';
import { HUB_OPERATIONS, PIPELINE_OPERATIONS } from '../../core/model/call.ts';
import type { Operation, PipelineOperation } from '../../core/model/call.ts';
import type {
  HubJobSettings,
  JobDefinition,
  ProgressSource,
  StopPolicy,
} from '../../core/model/job.ts';
import type { HubSettings, PipelineSettings, Rate, Settings } from '../../core/model/settings.ts';
import { SECOND_MS } from '../../core/lib/time.ts';
import type { AgentConfiguration, AwsConfiguration, Configuration } from './configuration.ts';
import type { Environment } from '../lib/document.ts';
import type { ConfigurationFile, JobOfFile } from '../schema/schema.ts';

/** Per account (Data Pipeline developer guide, "AWS Data Pipeline limits"). */
export const PUBLISHED_LIMITS: Readonly<Record<PipelineOperation, Rate>> = {
  PollForTask: { perSecond: 2, burst: 100 },
  ReportTaskProgress: { perSecond: 10, burst: 100 },
  SetTaskStatus: { perSecond: 10, burst: 100 },
  ReportTaskRunnerHeartbeat: { perSecond: 1, burst: 100 },
};

/** AWS publishes no rates for Migration Hub. */
const HUB_RATE: Rate = { perSecond: 1, burst: 10 };

/** The share of a host in a fleet with Redis, if none is configured. */
export const SHARE_WITH_REDIS = 0.1;

/** How runs of the pipeline's own shell text are stopped, and every job by default. */
export const DEFAULT_STOP: StopPolicy = { signal: 'SIGTERM', graceMs: 30 * SECOND_MS };

export type Built = Pick<Configuration, 'settings' | 'aws' | 'agent' | 'log' | 'fleet'>;

export function buildConfiguration(
  file: ConfigurationFile,
  environment: Environment,
  hostname: string,
): Built {
  const rates = ratesOf(file);
  const share = shareOf(file);
  const hasHub = file.migrationHub !== undefined;
  const settings: Settings = defined({
    hostname,
    migrationHub: file.migrationHub === undefined ? undefined : hubSettings(file.migrationHub),
    dataPipeline: file.dataPipeline === undefined ? undefined : pipelineSettings(file.dataPipeline),
    rates: mapRates(rates, (rate) => partOf(rate, share)),
    jobs: new Map(
      Object.entries(file.jobs).map(([name, job]) => [name, jobDefinition(name, job, hasHub)]),
    ),
    keepRunsMs: file.agent.keepRuns,
    shellStop: DEFAULT_STOP,
  });
  return defined({
    settings,
    aws: awsConfiguration(file, environment),
    agent: agentConfiguration(file, environment),
    log: file.log,
    fleet:
      file.fleet === undefined
        ? undefined
        : defined({ redis: file.fleet.redis, account: file.fleet.account, share, rates }),
  });
}

/** The definition of a job of the file, or of a submitted job with the same keys. */
export function jobDefinition(
  name: string,
  job: Omit<JobOfFile, 'schedule' | 'timezone' | 'missedStart' | 'autostart'> & Partial<JobOfFile>,
  hasHub: boolean,
): JobDefinition {
  const { schedule, timezone } = job;
  return defined({
    name,
    command: job.command,
    environment: job.environment,
    workingDirectory: job.workingDirectory,
    user: job.user,
    schedule:
      schedule === undefined
        ? undefined
        : defined({ cron: schedule, timezone, missedStart: job.missedStart ?? 'skip' }),
    autostart: job.autostart ?? false,
    progress: progressOf(job.progress),
    stop: { signal: job.stop.signal, graceMs: job.stop.grace },
    // Absent for the default: definitions are kept with every run.
    waitFor: job.waitFor === 'tree' ? 'tree' : undefined,
    timeoutMs: job.timeout,
    stallAfterMs: job.stallAfter,
    log: job.log === undefined ? undefined : { sizeBytes: job.log.size, files: job.log.files },
    migrationHub: hasHub ? hubOf(job) : undefined,
  });
}

export function defaultTask(hasSchedule: boolean): string {
  return hasSchedule ? '{job}-{run}' : '{job}';
}

export function regionOfEnvironment(environment: Environment): string | undefined {
  // An empty variable counts as not set, as in the SDKs.
  return filled(environment['AWS_REGION']) ?? filled(environment['AWS_DEFAULT_REGION']);
}

/** $STATE_DIRECTORY of systemd.exec(5): a colon-separated list; the agent uses the first. */
export function stateDirectoryOfEnvironment(environment: Environment): string | undefined {
  return filled(environment['STATE_DIRECTORY']?.split(':')[0]);
}

/** $RUNTIME_DIRECTORY of systemd.exec(5), likewise. */
export function socketOfEnvironment(environment: Environment): string | undefined {
  const directory = filled(environment['RUNTIME_DIRECTORY']?.split(':')[0]);
  return directory === undefined ? undefined : `${directory}/agent.sock`;
}

const DEFAULT_SOCKET = '/run/migration-agent/agent.sock';

function hubSettings(hub: NonNullable<ConfigurationFile['migrationHub']>): HubSettings {
  return defined({
    region: hub.region,
    stream: hub.progressUpdateStream,
    createStream: hub.createStream,
    nextUpdateMs: hub.nextUpdate,
    nextUpdateMaxMs: hub.nextUpdateMax,
    finalNextUpdateMs: hub.finalNextUpdate,
  });
}

function pipelineSettings(
  pipeline: NonNullable<ConfigurationFile['dataPipeline']>,
): PipelineSettings {
  return defined({
    workerGroups: pipeline.workerGroups,
    taskRunnerId: pipeline.taskRunnerId,
    concurrency: pipeline.concurrency,
    reportEveryMs: pipeline.reportEvery,
    windowMs: pipeline.window,
    onFence: pipeline.onFence,
    heartbeatEveryMs: pipeline.heartbeatEvery,
    onTerminate: pipeline.onTerminate,
    activities: pipeline.activities.map(({ match, job, shell, precondition }) =>
      defined({ match, job, shell, precondition: precondition ? true : undefined }),
    ),
  });
}

function hubOf(
  job: Pick<JobOfFile, 'migrationHub'> & Partial<JobOfFile>,
): HubJobSettings | undefined {
  const hub = job.migrationHub;
  if (hub === false) return undefined;
  return defined({
    task: hub.task ?? defaultTask(job.schedule !== undefined),
    resourceAttributes: hub.resourceAttributes,
    discoveredResource: hub.discoveredResource,
    sourceResources: hub.sourceResources.map((source) =>
      defined({
        name: source.name,
        description: source.description,
        statusDetail: source.statusDetail,
      }),
    ),
    artifacts: hub.artifacts,
    application: hub.application,
  });
}

export function progressOf(progress: JobOfFile['progress']): ProgressSource {
  const { parser } = progress;
  if (parser === 'size') {
    const { target, source, total } = progress;
    return defined({ parser, target, source, totalBytes: total });
  }
  if (parser === 'pg_restore') return defined({ parser, archive: progress.archive });
  if (parser === 'dd' || parser === 'tar') return defined({ parser, totalBytes: progress.total });
  return progress;
}

function awsConfiguration(file: ConfigurationFile, environment: Environment): AwsConfiguration {
  const region = file.aws.region ?? regionOfEnvironment(environment);
  return defined({
    region,
    profile: file.aws.profile,
    proxy: file.aws.proxy,
    endpoints: defined(file.aws.endpoints),
    dataPipelineRegion:
      file.dataPipeline === undefined ? undefined : (file.dataPipeline.region ?? region),
  });
}

function agentConfiguration(file: ConfigurationFile, environment: Environment): AgentConfiguration {
  const { stateDirectory, socket, http, keepLogs, backend, adHoc } = file.agent;
  return defined({
    stateDirectory: stateDirectoryOfEnvironment(environment) ?? stateDirectory,
    socket: socket ?? socketOfEnvironment(environment) ?? DEFAULT_SOCKET,
    keepLogsMs: keepLogs,
    backend,
    adHoc,
    httpHosts: http?.hosts ?? [],
    httpListen: http?.listen,
  });
}

/** The whole budget of each operation, before it is shared. */
function ratesOf(file: ConfigurationFile): Readonly<Record<Operation, Rate>> {
  const hubRate = file.migrationHub?.rate ?? HUB_RATE;
  const hub = HUB_OPERATIONS.map((operation) => [
    operation,
    file.migrationHub?.rates[operation] ?? hubRate,
  ]);
  const pipeline = PIPELINE_OPERATIONS.map((operation) => [
    operation,
    file.dataPipeline?.rates[operation] ?? PUBLISHED_LIMITS[operation],
  ]);
  return Object.fromEntries([...hub, ...pipeline]) as Record<Operation, Rate>;
}

export function shareOf(file: ConfigurationFile): number {
  return file.fleet === undefined ? 1 : (file.fleet.share ?? SHARE_WITH_REDIS);
}

/** At least one call must always be possible, or nothing would ever be reported. */
function partOf(rate: Rate, share: number): Rate {
  return { perSecond: rate.perSecond * share, burst: Math.max(1, Math.floor(rate.burst * share)) };
}

function mapRates(
  rates: Readonly<Record<Operation, Rate>>,
  change: (rate: Rate) => Rate,
): Readonly<Record<Operation, Rate>> {
  const entries = Object.entries(rates).map(([operation, rate]) => [operation, change(rate)]);
  return Object.fromEntries(entries) as Record<Operation, Rate>;
}

function filled(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
