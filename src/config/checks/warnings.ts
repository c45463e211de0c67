/** Warns of values that are legal but riskier than the documents advise. Each warning names the consequence. */
import { HUB_OPERATIONS, PIPELINE_OPERATIONS } from '../../core/model/call.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/lib/time.ts';
import { defaultTask, PUBLISHED_LIMITS, regionOfEnvironment, shareOf } from '../build/build.ts';
import type { Finding } from './cross-checks.ts';
import type { Environment } from '../lib/document.ts';
import { jobWarnings } from './job-warnings.ts';
import { formatDuration } from '../../core/lib/duration.ts';
import type { ConfigurationFile } from '../schema/schema.ts';
import { partlyFilled } from '../lib/template.ts';
import { userWarnings } from './user-warnings.ts';

/** docs.aws.amazon.com/general/latest/gr/datapipeline.html */
const PIPELINE_REGIONS = [
  'us-east-1',
  'us-west-2',
  'ap-northeast-1',
  'ap-southeast-2',
  'eu-west-1',
];

/** How often Data Pipeline expects a report of a task (API reference, ReportTaskProgress). */
const REPORT_EVERY_MS = MINUTE_MS;
/** How long a task may go unreported if its pipeline sets no reportProgressTimeout (ReportTaskProgress). */
const WINDOW_MS = 15 * MINUTE_MS;
/** How often it expects a heartbeat of a task runner (ReportTaskRunnerHeartbeat). */
const HEARTBEAT_MS = 15 * MINUTE_MS;

export function riskyValues(
  file: ConfigurationFile,
  environment: Environment,
  hostname: string,
): Finding[] {
  return [
    ...destinationWarnings(file),
    ...hubWarnings(file),
    ...pipelineWarnings(file),
    ...pipelineRegionWarnings(file, environment),
    ...activityWarnings(file),
    ...fleetWarnings(file),
    ...fleetTaskWarnings(file),
    ...networkWarnings(file),
    ...userWarnings(file),
    ...Object.entries(file.jobs).flatMap(([name, job]) =>
      jobWarnings(name, job, file.migrationHub !== undefined, environment),
    ),
    ...sameTaskWarnings(file, hostname),
  ];
}

function destinationWarnings(file: ConfigurationFile): Finding[] {
  if (file.migrationHub !== undefined || file.dataPipeline !== undefined) return [];
  const message = 'has neither migrationHub nor dataPipeline: nothing is reported to AWS';
  return [{ path: [], message }];
}

function hubWarnings(file: ConfigurationFile): Finding[] {
  const hub = file.migrationHub;
  if (hub === undefined) return [];
  const findings: Finding[] = [];
  if (hub.nextUpdate < MINUTE_MS) {
    const message = 'is shorter than 60s: a short outage makes every task stale';
    findings.push({ path: ['migrationHub', 'nextUpdate'], message });
  }
  if (hub.finalNextUpdate < 24 * HOUR_MS) {
    const message = 'is shorter than 1d: a task that has ended becomes stale after this time';
    findings.push({ path: ['migrationHub', 'finalNextUpdate'], message });
  }
  const tasks = Object.values(file.jobs).filter((job) => job.migrationHub !== false).length;
  const rate = (hub.rates.NotifyMigrationTaskState ?? hub.rate).perSecond * shareOf(file);
  const wanted = tasks / (hub.nextUpdateMax / SECOND_MS);
  if (wanted > rate) {
    const message = `${tasks} jobs at once need ${wanted.toFixed(2)} calls a second, but the budget allows ${rate}: promises are stretched beyond this`;
    findings.push({ path: ['migrationHub', 'nextUpdateMax'], message });
  }
  return findings;
}

function pipelineWarnings(file: ConfigurationFile): Finding[] {
  const pipeline = file.dataPipeline;
  if (pipeline === undefined) return [];
  const findings: Finding[] = [];
  const warn = (key: string, message: string) =>
    findings.push({ path: ['dataPipeline', key], message });
  if (pipeline.reportEvery > REPORT_EVERY_MS) {
    warn(
      'reportEvery',
      'is longer than 60s, which AWS asks for, and delays the detection of a cancel',
    );
  }
  if (pipeline.reportEvery > pipeline.window / 3) {
    const window = formatDuration(pipeline.window);
    warn(
      'reportEvery',
      `is longer than a third of window (${window}): two lost reports in a row lose the task`,
    );
  }
  if (pipeline.window > WINDOW_MS) {
    warn(
      'window',
      'is longer than 15m: the service may give a task to another host while the job still runs here',
    );
  }
  if (pipeline.heartbeatEvery > HEARTBEAT_MS) {
    warn(
      'heartbeatEvery',
      'is longer than 15m, which AWS asks for: the service may treat this host as dead',
    );
  }
  if (pipeline.onFence === 'continue') {
    warn('onFence', 'continue: a task that the service gave away may run on two hosts at once');
  }
  const rate = pipeline.rates.ReportTaskProgress ?? PUBLISHED_LIMITS.ReportTaskProgress;
  const budget = rate.perSecond * shareOf(file);
  const wanted = pipeline.concurrency / (pipeline.reportEvery / SECOND_MS);
  if (wanted > budget) {
    const message = `${pipeline.concurrency} tasks need ${wanted.toFixed(2)} reports a second, but the budget of ReportTaskProgress allows ${budget}`;
    warn('concurrency', message);
  }
  for (const operation of PIPELINE_OPERATIONS) {
    const own = pipeline.rates[operation];
    const limit = PUBLISHED_LIMITS[operation];
    const path = ['dataPipeline', 'rates', operation];
    for (const key of ['perSecond', 'burst'] as const) {
      if (own === undefined || own[key] <= limit[key]) continue;
      const message = `is above the published limit of the account (${limit[key]}): calls will be throttled`;
      findings.push({ path: [...path, key], message });
    }
  }
  return findings;
}

function pipelineRegionWarnings(file: ConfigurationFile, environment: Environment): Finding[] {
  if (file.dataPipeline === undefined) return [];
  const region = file.dataPipeline.region ?? file.aws.region ?? regionOfEnvironment(environment);
  const endpoint =
    file.aws.endpoints.dataPipeline ??
    environment['AWS_ENDPOINT_URL_DATA_PIPELINE'] ??
    environment['AWS_ENDPOINT_URL'];
  if (region === undefined || endpoint !== undefined || PIPELINE_REGIONS.includes(region))
    return [];
  const own = file.dataPipeline.region === undefined && file.aws.region !== undefined;
  const message = `AWS Data Pipeline is not offered in ${region}, only in ${PIPELINE_REGIONS.join(', ')}`;
  return [{ path: own ? ['aws', 'region'] : ['dataPipeline', 'region'], message }];
}

function activityWarnings(file: ConfigurationFile): Finding[] {
  const pipeline = file.dataPipeline;
  if (pipeline === undefined) return [];
  if (pipeline.activities.length === 0) {
    const message = 'is empty: every task of the worker groups is reported as FAILED';
    return [{ path: ['dataPipeline', 'activities'], message }];
  }
  const findings: Finding[] = [];
  pipeline.activities.forEach((rule, index) => {
    const path = ['dataPipeline', 'activities', index];
    if (rule.shell === true) {
      const message =
        'anybody who may edit the pipeline can run any command on this host as the user of the agent';
      findings.push({ path: [...path, 'shell'], message });
    }
    const wider = pipeline.activities
      .slice(0, index)
      .findIndex((earlier) =>
        Object.entries(earlier.match).every(([field, value]) => rule.match[field] === value),
      );
    if (wider >= 0) {
      const message = `is never reached: activities.${wider} matches everything that this one matches`;
      findings.push({ path, message });
    }
    const grace = rule.job === undefined ? undefined : file.jobs[rule.job]?.stop.grace;
    if (rule.job !== undefined && grace !== undefined && grace > pipeline.window / 2) {
      const message = `is longer than half of dataPipeline.window (${formatDuration(pipeline.window)}): the job may still run when the service gives the task away`;
      findings.push({ path: ['jobs', rule.job, 'stop', 'grace'], message });
    }
  });
  return findings;
}

/** A host can make one call at a time at least, so the shares of a small burst may add up to more than the burst. */
function fleetWarnings(file: ConfigurationFile): Finding[] {
  if (file.fleet === undefined) return [];
  const share = shareOf(file);
  const hub = file.migrationHub;
  const pipeline = file.dataPipeline;
  const bursts = [
    ...(hub === undefined ? [] : HUB_OPERATIONS.map((name) => (hub.rates[name] ?? hub.rate).burst)),
    ...(pipeline === undefined
      ? []
      : PIPELINE_OPERATIONS.map((name) => (pipeline.rates[name] ?? PUBLISHED_LIMITS[name]).burst)),
  ];
  const least = Math.min(...bursts);
  if (least * share >= 1) return [];
  const message = `is less than one call of a burst of ${least}: hosts that call at the same moment may exceed it`;
  return [{ path: ['fleet', 'share'], message }];
}

/** Named in one warning. */
const JOBS_NAMED = 3;

/** The hosts of a fleet report to one stream: a task's name must say which of them it is of. */
function fleetTaskWarnings(file: ConfigurationFile): Finding[] {
  if (file.fleet === undefined || file.migrationHub === undefined) return [];
  const jobs = Object.entries(file.jobs).flatMap(([name, { migrationHub, schedule }]) => {
    if (migrationHub === false) return [];
    const template = migrationHub.task ?? defaultTask(schedule !== undefined);
    return template.includes('{host}') ? [] : [name];
  });
  if (jobs.length === 0) return [];
  const left = jobs.length - JOBS_NAMED;
  const names = `${jobs.slice(0, JOBS_NAMED).join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
  const message = `the task names of ${names} lack {host}: jobs of the same name on other hosts report to the same task; set migrationHub.task of the job, such as "{host}-{job}"`;
  return [{ path: ['fleet'], message }];
}

function networkWarnings(file: ConfigurationFile): Finding[] {
  const findings: Finding[] = [];
  const listen = file.agent.http?.listen;
  if (listen !== undefined && !isLoopback(listen.host)) {
    const message = 'is reachable from other hosts, without a password or encryption';
    findings.push({ path: ['agent', 'http', 'listen'], message });
  }
  for (const [service, endpoint] of Object.entries(file.aws.endpoints)) {
    if (typeof endpoint !== 'string') continue;
    const { protocol, hostname } = new URL(endpoint);
    if (protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))) continue;
    const message =
      'is not encrypted, and not on this host: the network sees and can change every call';
    findings.push({ path: ['aws', 'endpoints', service], message });
  }
  return findings;
}

function sameTaskWarnings(file: ConfigurationFile, hostname: string): Finding[] {
  if (file.migrationHub === undefined) return [];
  const owners = new Map<string, string>();
  const findings: Finding[] = [];
  for (const [name, job] of Object.entries(file.jobs)) {
    if (job.migrationHub === false) continue;
    const template = job.migrationHub.task ?? defaultTask(job.schedule !== undefined);
    const task = partlyFilled(template, name, hostname);
    const owner = owners.get(task);
    owners.set(task, owner ?? name);
    if (owner === undefined) continue;
    const message = `is also the task of job ${owner}: their reports would mix; put {job} into it`;
    findings.push({ path: ['jobs', name, 'migrationHub', 'task'], message });
  }
  return findings;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
