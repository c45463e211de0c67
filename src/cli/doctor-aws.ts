/** The checks of `doctor` that ask AWS: each call once, nothing written, every failure with its remedy. */
import { endpointOf, type Probe } from '../aws/probe.ts';
import { hubRegionNear } from '../aws/services-options.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Call, Operation, Outcome } from '../core/call.ts';
import type { Check, Finding } from './doctor-report.ts';
import { missingStatement, usedWrites, type Where } from './iam-policy.ts';
import { span } from './span.ts';

export interface AwsDoctor {
  readonly configuration: Configuration;
  readonly probe: Probe;
  readonly environment: NodeJS.ProcessEnv;
  readonly nowMs: () => number;
  /** As the runner calls itself. */
  readonly taskRunnerId: string;
}

/** The SDK counts credentials as ended five minutes before they are. */
const ENDS_SOON_MS = 15 * 60_000;
/** Less is noise: the header has whole seconds. */
const OFFSET_MS_SEEN = 2_000;
/** AWS refuses a signature that is more than five minutes off. */
const OFFSET_MS_MAX = 300_000;

export function awsChecks(doctor: AwsDoctor): Check[] {
  const { configuration, probe } = doctor;
  const { dataPipeline, migrationHub } = configuration.settings;
  const asked = new Questions(doctor);
  return [
    { name: 'credentials', look: () => credentials(probe, doctor.nowMs) },
    ...reachable(doctor, asked),
    ...(migrationHub === undefined
      ? []
      : [{ name: 'home region', look: () => homeRegion(doctor, asked) }]),
    ...usedWrites(configuration).map((operation) => ({
      name: `DryRun ${operation}`,
      look: () => dryRun(operation, asked),
    })),
    ...(dataPipeline === undefined
      ? []
      : [{ name: 'runner heartbeat', look: () => heartbeat(asked) }]),
    { name: 'clock', look: () => clock(asked) },
  ];
}

/** Each question to AWS is asked once, whoever wants its answer. */
class Questions {
  readonly doctor: AwsDoctor;
  readonly #probe: Probe;
  readonly #outcomes = new Map<Operation, Promise<Told>>();
  #hasCredentials: Promise<boolean> | undefined;

  constructor(doctor: AwsDoctor) {
    this.doctor = doctor;
    this.#probe = doctor.probe;
  }

  /** Without credentials every call fails for the one reason that is told already. */
  hasCredentials(): Promise<boolean> {
    this.#hasCredentials ??= this.#probe.credentials().then(
      () => true,
      () => false,
    );
    return this.#hasCredentials;
  }

  ask(call: Call): Promise<Told> {
    const known = this.#outcomes.get(call.operation);
    if (known !== undefined) return known;
    const told = this.#ask(call);
    this.#outcomes.set(call.operation, told);
    return told;
  }

  /** All answers so far, for what they say of the service's clock. */
  answers(): Promise<Told[]> {
    return Promise.all(this.#outcomes.values());
  }

  /** Where writes go; `undefined`: it cannot be known. */
  async hubRegion(): Promise<string | undefined> {
    const named = this.doctor.configuration.settings.migrationHub?.region;
    if (named !== undefined) return named;
    const { outcome } = await this.ask({ operation: 'GetHomeRegion' });
    return outcome.kind === 'accepted' ? outcome.answer.homeRegion : undefined;
  }

  async where(): Promise<Where> {
    const region = (await this.hubRegion()) ?? '*';
    const account = await this.#probe.credentials().then(
      (who) => who.account ?? '*',
      () => '*',
    );
    return { account, region };
  }

  async #ask(call: Call): Promise<Told> {
    const sentAtMs = this.doctor.nowMs();
    const outcome = await this.#probe.services.send(call);
    return { outcome, middleMs: (sentAtMs + this.doctor.nowMs()) / 2 };
  }
}

interface Told {
  readonly outcome: Outcome;
  /** Half-way between the call and its answer, by the host's clock. */
  readonly middleMs: number;
}

const WITHOUT: Finding = { verdict: 'skipped', words: 'needs credentials' };

async function credentials(probe: Probe, nowMs: () => number): Promise<Finding> {
  try {
    const { account, expiresAtMs, key } = await probe.credentials();
    const who = `${key}${account === undefined ? '' : ` of account ${account}`}`;
    if (expiresAtMs === undefined) return { verdict: 'ok', words: `${who}, without an end` };
    const leftMs = expiresAtMs - nowMs();
    const until = `${who}, until ${new Date(expiresAtMs).toISOString()}`;
    if (leftMs <= 0) {
      return { verdict: 'failed', words: `${until}: they have ended`, remedy: 'renew them' };
    }
    return leftMs < ENDS_SOON_MS
      ? { verdict: 'warning', words: `${until}: ${span(leftMs)} are left` }
      : { verdict: 'ok', words: until };
  } catch (error) {
    return {
      verdict: 'failed',
      words: wordsOf(error),
      remedy:
        'give the agent credentials in a way that the AWS SDK knows: a profile (aws.profile), variables, credential_process; and run doctor as the user and with the variables of the service',
    };
  }
}

function reachable({ configuration, environment, probe }: AwsDoctor, asked: Questions): Check[] {
  const { aws, settings } = configuration;
  const look = async (
    service: 'migrationHub' | 'migrationHubConfig' | 'dataPipeline',
    region: string,
  ): Promise<Finding> => {
    const endpoint = endpointOf(service, aws, region, environment);
    const proxy = proxyWords(aws.proxy, environment);
    try {
      const { tookMs } = await probe.reach(endpoint);
      return { verdict: 'ok', words: `${endpoint} is there${proxy} (${tookMs} ms)` };
    } catch (error) {
      return {
        verdict: 'failed',
        words: `${endpoint}${proxy}: ${wordsOf(error)}`,
        remedy: reachRemedy(error, endpoint, proxy !== ''),
      };
    }
  };
  const near = hubRegionNear(aws.region);
  return [
    ...(settings.migrationHub === undefined
      ? []
      : [
          {
            name: 'way to Migration Hub',
            look: async () => look('migrationHub', (await asked.hubRegion()) ?? near),
          },
        ]),
    ...(settings.migrationHub === undefined || settings.migrationHub.region !== undefined
      ? []
      : [{ name: 'way to its home region', look: () => look('migrationHubConfig', near) }]),
    ...(settings.dataPipeline === undefined
      ? []
      : [
          {
            name: 'way to Data Pipeline',
            look: () => look('dataPipeline', aws.dataPipelineRegion ?? ''),
          },
        ]),
  ];
}

function proxyWords(configured: string | undefined, environment: NodeJS.ProcessEnv): string {
  const named =
    configured ??
    environment['https_proxy'] ??
    environment['HTTPS_PROXY'] ??
    environment['http_proxy'] ??
    environment['HTTP_PROXY'];
  if (named === undefined || named === '') return '';
  return ` by the proxy ${named.replace(/\/\/[^@/]*@/u, '//***@')} (but for NO_PROXY)`;
}

function reachRemedy(error: unknown, endpoint: string, hasProxy: boolean): string {
  const { hostname, port, protocol } = new URL(endpoint);
  const to = `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
  const { code = '' } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return hasProxy
      ? 'the name of the proxy is not known here: look at aws.proxy and HTTPS_PROXY'
      : `the name ${hostname} is not known here: look at /etc/resolv.conf, at the region, or set aws.proxy`;
  }
  if (/CERT|SSL|TLS|SELF_SIGNED/u.test(code)) {
    return 'a proxy that opens TLS needs its CA in NODE_EXTRA_CA_CERTS';
  }
  return hasProxy
    ? `let the proxy connect to ${to}, with an idle time of more than 90 s for long polls`
    : `allow ${to} to go out, or set aws.proxy`;
}

async function homeRegion({ configuration }: AwsDoctor, asked: Questions): Promise<Finding> {
  if (!(await asked.hasCredentials())) return WITHOUT;
  const named = configuration.settings.migrationHub?.region;
  const { outcome } = await asked.ask({ operation: 'GetHomeRegion' });
  if (outcome.kind !== 'accepted') {
    return named === undefined
      ? await failure('GetHomeRegion', outcome, asked)
      : { verdict: 'warning', words: `${named} by the configuration; ${outcome.reason}` };
  }
  const { homeRegion: home } = outcome.answer;
  if (home === undefined) {
    return {
      verdict: 'failed',
      words: 'this account has no home region: every write is refused',
      remedy:
        'set one: aws migrationhub-config create-home-region-control --home-region REGION --target Type=ACCOUNT',
    };
  }
  return named === undefined || named === home
    ? { verdict: 'ok', words: home }
    : {
        verdict: 'failed',
        words: `${home}, but migrationHub.region is ${named}: every write is refused there`,
        remedy: `leave migrationHub.region out, or set it to ${home}`,
      };
}

async function dryRun(
  operation: ReturnType<typeof usedWrites>[number],
  asked: Questions,
): Promise<Finding> {
  if (!(await asked.hasCredentials())) return WITHOUT;
  const region = await asked.hubRegion();
  if (region === undefined) return { verdict: 'skipped', words: 'needs the home region' };
  const call = dryCall(operation, region, asked.doctor);
  const { outcome } = await asked.ask(call);
  if (outcome.kind === 'accepted') return { verdict: 'ok', words: 'allowed' };
  if (outcome.kind === 'missing') {
    return { verdict: 'ok', words: 'allowed; the stream or the task is not there yet' };
  }
  return failure(operation, outcome, asked);
}

/** A call as the agent makes it, of a task that no job has. */
function dryCall(
  operation: ReturnType<typeof usedWrites>[number],
  region: string,
  { configuration, nowMs }: AwsDoctor,
): Call {
  const { jobs, migrationHub } = configuration.settings;
  const told = [...jobs.values()].flatMap((job) => job.migrationHub ?? []);
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
      const attributes = told.flatMap((hub) => hub.resourceAttributes).slice(0, 1);
      return { operation, ...onTask, attributes };
    }
    case 'AssociateDiscoveredResource': {
      const configurationId = told.flatMap((hub) => hub.discoveredResource ?? [])[0] ?? '';
      return { operation, ...onTask, configurationId };
    }
    case 'AssociateSourceResource': {
      const [source = { name: '' }] = told.flatMap((hub) => hub.sourceResources);
      return { operation, ...onTask, ...source };
    }
    case 'AssociateCreatedArtifact': {
      const [artifact = ''] = told.flatMap((hub) => hub.artifacts);
      return { operation, ...onTask, artifact };
    }
    case 'NotifyApplicationState': {
      const application = told.flatMap((hub) => hub.application ?? [])[0] ?? '';
      return { operation, region, application, status: 'NOT_STARTED', stampS, dryRun: true };
    }
  }
}

/** The nearest thing to a dry run that Data Pipeline has. A poll would take a task away from whoever is to run it. */
async function heartbeat(asked: Questions): Promise<Finding> {
  if (!(await asked.hasCredentials())) return WITHOUT;
  const { configuration, taskRunnerId } = asked.doctor;
  const { dataPipeline, hostname } = configuration.settings;
  const [workerGroup] = dataPipeline?.workerGroups ?? [];
  const { outcome } = await asked.ask({
    operation: 'ReportTaskRunnerHeartbeat',
    taskRunnerId,
    hostname,
    ...(workerGroup === undefined ? {} : { workerGroup }),
  });
  if (outcome.kind !== 'accepted') return failure('ReportTaskRunnerHeartbeat', outcome, asked);
  return outcome.answer.terminate === true
    ? {
        verdict: 'failed',
        words: `the service wants the runner ${taskRunnerId} to end`,
        remedy:
          'an agent that is told so drains and exits with 75; give it another dataPipeline.taskRunnerId to go on',
      }
    : {
        verdict: 'ok',
        words: `accepted of ${taskRunnerId}; PollForTask is not tried, since it may take a task`,
      };
}

async function clock(asked: Questions): Promise<Finding> {
  if (!(await asked.hasCredentials())) return WITHOUT;
  const { settings } = asked.doctor.configuration;
  // Whoever comes first asks; the others wait for the same answer.
  if (settings.migrationHub !== undefined) await asked.ask({ operation: 'GetHomeRegion' });
  if (settings.dataPipeline !== undefined) await heartbeat(asked);
  const offsetsMs = (await asked.answers()).flatMap(({ middleMs, outcome }) =>
    // The header's fraction of a second is unknown: on average half of one.
    outcome.serverDateMs === undefined ? [] : [outcome.serverDateMs + 500 - middleMs],
  );
  const sorted = offsetsMs.toSorted((a, b) => a - b);
  const offsetMs = sorted[sorted.length >> 1];
  if (offsetMs === undefined) {
    return { verdict: 'skipped', words: 'no answer told the time of the service' };
  }
  const side = offsetMs > 0 ? 'behind' : 'ahead of';
  if (Math.abs(offsetMs) <= OFFSET_MS_SEEN) {
    return { verdict: 'ok', words: 'as the service’s, to two seconds' };
  }
  const words = `${span(offsetMs)} ${side} the service’s`;
  const remedy = 'let NTP set it: systemctl status systemd-timesyncd, chronyc tracking';
  return Math.abs(offsetMs) < OFFSET_MS_MAX
    ? { verdict: 'warning', words: `${words}; reports are corrected for it`, remedy }
    : { verdict: 'failed', words: `${words}: other programs' signatures are refused`, remedy };
}

async function failure(
  operation: Operation,
  outcome: Exclude<Outcome, { kind: 'accepted' }>,
  asked: Questions,
): Promise<Finding> {
  const { dataPipeline, migrationHub } = asked.doctor.configuration.settings;
  const words = outcome.reason;
  switch (outcome.kind) {
    case 'denied': {
      if (!/AccessDenied|UnauthorizedOperation|NotAuthorized/u.test(words)) {
        return { verdict: 'failed', words, remedy: 'the credentials are not accepted: renew them' };
      }
      const where = await asked.where();
      const { stream = '' } = migrationHub ?? {};
      const { workerGroups = [] } = dataPipeline ?? {};
      return {
        verdict: 'failed',
        words,
        remedy: `allow it (doctor --iam-policy prints all that this configuration needs)`,
        iam: missingStatement(operation, stream, workerGroups, where),
      };
    }
    case 'homeless':
      return { verdict: 'failed', words, remedy: 'set a home region for the account' };
    case 'throttled':
      return { verdict: 'warning', words: `${words}: nothing is known of the permission` };
    case 'disabled':
      return {
        verdict: 'failed',
        words,
        remedy:
          'open Migration Hub in the console once, so that the role migrationhub-discovery is made; else check that Application Discovery Service may be used',
      };
    case 'refused':
      return {
        verdict: 'failed',
        words,
        remedy:
          'the request is not accepted: look at the values of migrationHub, and at its region',
      };
    case 'missing':
    case 'gone':
      return { verdict: 'failed', words, remedy: 'what it names is not known to the service' };
    case 'unavailable':
      return {
        verdict: 'failed',
        words,
        remedy: 'the service or the way to it fails: see the checks of the way',
      };
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
