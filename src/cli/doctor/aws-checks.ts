/** The checks of `doctor` that call AWS: each call once, nothing is written, every failure has its remedy. */
import type { Probe } from '../../aws/probe.ts';
import type { Call } from '../../core/model/call.ts';
import { failure, Calls } from './aws-calls.ts';
import type { AwsDoctor } from './aws-calls.ts';
import type { Finding } from '../file-system/finding.ts';
import type { Check } from './report.ts';
import { reachable } from './network-checks.ts';
import { usedWrites } from './iam-policy.ts';
import { span } from '../terminal/durations.ts';
import { defined } from '../../core/lib/defined.ts';

/** The SDK treats credentials as expired five minutes before they are. */
const ENDS_SOON_MS = 15 * 60_000;
/** Less is noise: the header has whole seconds. */
const OFFSET_MS_SEEN = 2_000;
/** AWS rejects a signature whose time is more than five minutes off. */
const OFFSET_MS_MAX = 300_000;

export function awsChecks(doctor: AwsDoctor): Check[] {
  const { configuration, probe } = doctor;
  const { dataPipeline, migrationHub } = configuration.settings;
  const calls = new Calls(doctor);
  return [
    { name: 'credentials', look: () => credentials(probe, doctor.nowMs) },
    { name: 'identity', look: () => identity(calls) },
    ...reachable(doctor, calls),
    ...(migrationHub === undefined
      ? []
      : [{ name: 'home region', look: () => homeRegion(doctor, calls) }]),
    ...usedWrites(configuration).map((operation) => ({
      name: `DryRun ${operation}`,
      look: () => dryRun(operation, calls),
    })),
    ...(dataPipeline === undefined
      ? []
      : [{ name: 'runner heartbeat', look: () => heartbeat(calls) }]),
    { name: 'clock', look: () => clock(calls) },
  ];
}

const WITHOUT: Finding = { verdict: 'skipped', message: 'needs credentials' };

async function credentials(probe: Probe, nowMs: () => number): Promise<Finding> {
  try {
    const { account, expiresAtMs, key } = await probe.credentials();
    const who = `${key}${account === undefined ? '' : ` of account ${account}`}`;
    if (expiresAtMs === undefined) return { verdict: 'ok', message: `${who}, without an expiry` };
    const leftMs = expiresAtMs - nowMs();
    const until = `${who}, until ${new Date(expiresAtMs).toISOString()}`;
    if (leftMs <= 0) {
      return { verdict: 'failed', message: `${until}: they have expired`, remedy: 'renew them' };
    }
    return leftMs < ENDS_SOON_MS
      ? { verdict: 'warning', message: `${until}: ${span(leftMs)} are left` }
      : { verdict: 'ok', message: until };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      verdict: 'failed',
      message: message.startsWith('Could not load credentials from any provider')
        ? 'there are none: no keys in the environment, no profile, no instance or container role'
        : message,
      remedy:
        'attach an instance role, or set aws.profile, keys in the environment or credential_process; run doctor as the user and with the variables of the service',
    };
  }
}

/** STS says this of every caller unless a policy or the network forbids it. Nothing of the agent needs it. */
async function identity(calls: Calls): Promise<Finding> {
  if (!(await calls.hasCredentials())) return WITHOUT;
  try {
    const who = await calls.identity();
    return who === undefined
      ? { verdict: 'skipped', message: 'an endpoint is on this host, so STS is not called' }
      : { verdict: 'ok', message: `${who.arn}, account ${who.account}` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { verdict: 'skipped', message: `${reason}; the agent itself needs no STS` };
  }
}

async function homeRegion({ configuration }: AwsDoctor, calls: Calls): Promise<Finding> {
  if (!(await calls.hasCredentials())) return WITHOUT;
  const named = configuration.settings.migrationHub?.region;
  const { outcome } = await calls.ask({ operation: 'GetHomeRegion' });
  if (outcome.kind !== 'accepted') {
    return named === undefined
      ? await failure('GetHomeRegion', outcome, calls)
      : { verdict: 'warning', message: `${named} by the configuration; ${outcome.reason}` };
  }
  const { homeRegion: home } = outcome.answer;
  if (home === undefined) {
    return {
      verdict: 'failed',
      message: 'this account has no home region: AWS rejects every write',
      remedy:
        'set one: aws migrationhub-config create-home-region-control --home-region REGION --target Type=ACCOUNT',
    };
  }
  return named === undefined || named === home
    ? { verdict: 'ok', message: home }
    : {
        verdict: 'failed',
        message: `${home}, but migrationHub.region is ${named}: AWS rejects every write there`,
        remedy: `leave migrationHub.region out, or set it to ${home}`,
      };
}

async function dryRun(
  operation: ReturnType<typeof usedWrites>[number],
  calls: Calls,
): Promise<Finding> {
  if (!(await calls.hasCredentials())) return WITHOUT;
  const region = await calls.hubRegion();
  if (region === undefined) return { verdict: 'skipped', message: 'needs the home region' };
  const call = dryCall(operation, region, calls.doctor);
  const { outcome } = await calls.ask(call);
  if (outcome.kind === 'accepted') return { verdict: 'ok', message: 'allowed' };
  if (outcome.kind === 'missing') {
    return { verdict: 'ok', message: 'allowed; the stream or the task is not there yet' };
  }
  return failure(operation, outcome, calls);
}

/** A call as the agent makes it, of a task that belongs to no job. */
function dryCall(
  operation: ReturnType<typeof usedWrites>[number],
  region: string,
  { configuration, nowMs }: AwsDoctor,
): Call {
  const { jobs, migrationHub } = configuration.settings;
  const hubs = [...jobs.values()].flatMap((job) => job.migrationHub ?? []);
  const stream = migrationHub?.stream ?? '';
  const onTask = { region, stream, task: 'migration-agent-doctor', dryRun: true };
  const stampS = Math.floor(nowMs() / 1000);
  switch (operation) {
    case 'CreateProgressUpdateStream':
      return { operation, region, stream, dryRun: true };
    case 'ImportMigrationTask':
      return { operation, ...onTask };
    case 'NotifyMigrationTaskState':
      return { operation, ...onTask, status: 'NOT_STARTED', stampS, nextUpdateS: 0 };
    case 'PutResourceAttributes': {
      const attributes = hubs.flatMap((hub) => hub.resourceAttributes).slice(0, 1);
      return { operation, ...onTask, attributes };
    }
    case 'AssociateDiscoveredResource': {
      const configurationId = hubs.flatMap((hub) => hub.discoveredResource ?? [])[0] ?? '';
      return { operation, ...onTask, configurationId };
    }
    case 'AssociateSourceResource': {
      const [source = { name: '' }] = hubs.flatMap((hub) => hub.sourceResources);
      return { operation, ...onTask, ...source };
    }
    case 'AssociateCreatedArtifact': {
      const [artifact = ''] = hubs.flatMap((hub) => hub.artifacts);
      return { operation, ...onTask, artifact };
    }
    case 'NotifyApplicationState': {
      const application = hubs.flatMap((hub) => hub.application ?? [])[0] ?? '';
      return { operation, region, application, status: 'NOT_STARTED', stampS, dryRun: true };
    }
  }
}

/** Data Pipeline has no dry run; a heartbeat is the nearest to it. A poll could take a task away from the runner it is meant for. */
async function heartbeat(calls: Calls): Promise<Finding> {
  if (!(await calls.hasCredentials())) return WITHOUT;
  const { configuration, taskRunnerId } = calls.doctor;
  const { dataPipeline, hostname } = configuration.settings;
  const [workerGroup] = dataPipeline?.workerGroups ?? [];
  const { outcome } = await calls.ask({
    operation: 'ReportTaskRunnerHeartbeat',
    taskRunnerId,
    hostname,
    ...defined({ workerGroup }),
  });
  if (outcome.kind !== 'accepted') return failure('ReportTaskRunnerHeartbeat', outcome, calls);
  return outcome.answer.terminate === true
    ? {
        verdict: 'failed',
        message: `Data Pipeline tells the runner ${taskRunnerId} to terminate`,
        remedy:
          'the agent drains and exits with 75 when it gets this answer; set another dataPipeline.taskRunnerId to go on',
      }
    : {
        verdict: 'ok',
        message: `accepted of ${taskRunnerId}; PollForTask is not tried, because it could take a task`,
      };
}

async function clock(calls: Calls): Promise<Finding> {
  if (!(await calls.hasCredentials())) return WITHOUT;
  const { settings } = calls.doctor.configuration;
  // Each call is made once; this check and the others share its answer.
  if (settings.migrationHub !== undefined) await calls.ask({ operation: 'GetHomeRegion' });
  if (settings.dataPipeline !== undefined) await heartbeat(calls);
  const offsetsMs = (await calls.answers()).flatMap(({ middleMs, outcome }) =>
    // The header's fraction of a second is unknown: on average half of one.
    outcome.serverDateMs === undefined ? [] : [outcome.serverDateMs + 500 - middleMs],
  );
  const sorted = offsetsMs.toSorted((a, b) => a - b);
  const offsetMs = sorted[sorted.length >> 1];
  if (offsetMs === undefined) {
    return { verdict: 'skipped', message: 'no answer had a Date header' };
  }
  const side = offsetMs > 0 ? 'behind' : 'ahead of';
  if (Math.abs(offsetMs) <= OFFSET_MS_SEEN) {
    return { verdict: 'ok', message: 'within two seconds of the service’s' };
  }
  const message = `${span(offsetMs)} ${side} the service’s`;
  const remedy = 'let NTP set it: systemctl status systemd-timesyncd, chronyc tracking';
  return Math.abs(offsetMs) < OFFSET_MS_MAX
    ? { verdict: 'warning', message: `${message}; reports are corrected for it`, remedy }
    : {
        verdict: 'failed',
        message: `${message}: AWS rejects the signatures of other programs`,
        remedy,
      };
}
