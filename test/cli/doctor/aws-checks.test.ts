/** What `doctor` finds of an account, by the answers of a probe that this test makes up: verdicts, limits and remedies. */
import { beforeEach, describe, expect, test } from 'vitest';
import { awsChecks } from '../../../src/cli/doctor/aws-checks.ts';
import type { AwsDoctor } from '../../../src/cli/doctor/aws-calls.ts';
import type { Finding } from '../../../src/cli/file-system/finding.ts';
import type { Call, Outcome } from '../../../src/core/model/call.ts';
import type { Settings } from '../../../src/core/model/settings.ts';
import { HUB, HUB_JOB, PIPELINE, settings } from '../../support/settings.ts';

const NOW_MS = Date.UTC(2026, 10, 27, 12);
const OK: Outcome = { kind: 'accepted', answer: {} };
let nowMs: number;
/** The answer to each operation; without one it is accepted. */
let answers: Partial<Record<Call['operation'], Outcome>>;
let calls: Call[];
let probe: Record<string, unknown>;
let of: Settings;
let aws: object;
let environment: NodeJS.ProcessEnv;

const failing = (message: string, code?: string) => (): Promise<never> =>
  Promise.reject(new Error(message, { cause: code === undefined ? undefined : { code } }));

beforeEach(() => {
  nowMs = NOW_MS;
  answers = { GetHomeRegion: { kind: 'accepted', answer: { homeRegion: 'eu-central-1' } } };
  calls = [];
  aws = { region: 'eu-central-1', dataPipelineRegion: 'us-east-1', endpoints: {} };
  environment = {};
  of = settings({ migrationHub: HUB, dataPipeline: PIPELINE, jobs: new Map() });
  probe = {
    services: {
      send: (call: Call) => {
        calls.push(call);
        return Promise.resolve(answers[call.operation] ?? OK);
      },
    },
    credentials: () => Promise.resolve({ key: 'AKIA…MPLE', account: '111122223333' }),
    identity: () => Promise.resolve({ account: '111122223333', arn: 'arn:aws:iam::1:user/anna' }),
    endpoint: (service: string, region: string) =>
      Promise.resolve(`https://${service}.${region}.example.com`),
    reach: () => Promise.resolve({ tookMs: 12 }),
  };
});

async function findings(...names: readonly string[]): Promise<Record<string, Finding>> {
  const doctor = {
    configuration: { settings: of, aws },
    ...{ probe, environment, nowMs: () => nowMs, taskRunnerId: 'runner-1' },
  } as unknown as AwsDoctor;
  const checks = awsChecks(doctor).filter(({ name }) => names.length === 0 || names.includes(name));
  const found: Record<string, Finding> = {};
  for (const { name, look } of checks) found[name] = await look();
  return found;
}

async function finding(name: string): Promise<Finding> {
  const found = (await findings(name))[name];
  if (found === undefined) throw new Error(`there is no check ${name}`);
  return found;
}

const withHub = (region: string): void => {
  of = { ...of, migrationHub: { ...of.migrationHub!, region } };
};

test('a healthy account: every check is ok, and every call is made once', async () => {
  const found = await findings();
  expect(Object.keys(found)).toEqual([
    ...['credentials', 'identity', 'network: Migration Hub', 'network: home region'],
    ...['network: Data Pipeline', 'home region', 'DryRun CreateProgressUpdateStream'],
    ...['DryRun ImportMigrationTask', 'DryRun NotifyMigrationTaskState', 'runner heartbeat'],
    'clock',
  ]);
  expect(Object.values(found).map(({ verdict }) => verdict)).toEqual([
    ...Array<string>(10).fill('ok'),
    'skipped',
  ]);
  const names = calls.map(({ operation }) => operation);
  expect(new Set(names).size).toBe(names.length);
  expect(found['identity']?.message).toBe('arn:aws:iam::1:user/anna, account 111122223333');
  expect(found['network: Migration Hub']?.message).toBe(
    'https://migrationHub.eu-central-1.example.com answers (12 ms)',
  );
  expect(found['network: Data Pipeline']?.message).toContain('dataPipeline.us-east-1.');
  expect(found['runner heartbeat']?.message).toContain('accepted of runner-1');
});

test('nothing is written: every write is a dry run of a task that belongs to no job', async () => {
  of = {
    ...of,
    jobs: new Map([
      [
        'copy',
        {
          ...of.jobs.get('copy')!,
          migrationHub: {
            ...HUB_JOB,
            resourceAttributes: [
              { type: 'FQDN', value: 'a.example.com' },
              { type: 'IPV4_ADDRESS', value: '10.0.0.1' },
            ],
            discoveredResource: 'd-server-1',
            sourceResources: [{ name: 'source', description: 'from' }],
            artifacts: ['arn:aws:s3:::bucket/a', 'arn:aws:s3:::bucket/b'],
            application: 'd-application-1',
          },
        },
      ],
    ]),
  };
  await findings();
  const region = 'eu-central-1';
  const onTask = { region, stream: HUB.stream, task: 'migration-agent-doctor', dryRun: true };
  expect(calls).toEqual([
    { operation: 'GetHomeRegion' },
    { operation: 'CreateProgressUpdateStream', region, stream: HUB.stream, dryRun: true },
    { operation: 'ImportMigrationTask', ...onTask },
    {
      ...{ operation: 'NotifyMigrationTaskState', ...onTask, status: 'NOT_STARTED' },
      ...{ stampS: NOW_MS / 1000, nextUpdateS: 0 },
    },
    {
      ...{ operation: 'PutResourceAttributes', ...onTask },
      attributes: [{ type: 'FQDN', value: 'a.example.com' }],
    },
    { operation: 'AssociateDiscoveredResource', ...onTask, configurationId: 'd-server-1' },
    { operation: 'AssociateSourceResource', ...onTask, name: 'source', description: 'from' },
    { operation: 'AssociateCreatedArtifact', ...onTask, artifact: 'arn:aws:s3:::bucket/a' },
    {
      ...{ operation: 'NotifyApplicationState', region, application: 'd-application-1' },
      ...{ status: 'NOT_STARTED', stampS: NOW_MS / 1000, dryRun: true },
    },
    expect.objectContaining({ operation: 'ReportTaskRunnerHeartbeat', taskRunnerId: 'runner-1' }),
  ]);
});

describe('credentials', () => {
  test.each<[number | undefined, string, string]>([
    [undefined, 'ok', 'without an expiry'],
    [15 * 60_000, 'ok', 'until 2026-11-27T12:15:00.000Z'],
    [15 * 60_000 - 1, 'warning', '14m59s are left'],
    [1, 'warning', '0s are left'],
    [0, 'failed', 'they have expired'],
  ])('that last %s ms more: %s', async (leftMs, verdict, text) => {
    const expiresAtMs = leftMs === undefined ? undefined : NOW_MS + leftMs;
    probe['credentials'] = () => Promise.resolve({ key: 'AKIA…MPLE', account: '1', expiresAtMs });
    const found = await finding('credentials');
    expect(found.verdict).toBe(verdict);
    expect(found.message).toContain('AKIA…MPLE of account 1');
    expect(found.message).toContain(text);
  });

  test('that are missing are said once; everything else needs them', async () => {
    probe['credentials'] = failing('Could not load credentials from any providers');
    const { credentials, identity, ...rest } = await findings();
    expect(credentials).toMatchObject({ verdict: 'failed' });
    expect(credentials?.message).toMatch(/^there are none: no keys in the environment/);
    const needing = ['home region', 'DryRun ImportMigrationTask', 'runner heartbeat', 'clock'];
    for (const one of [identity, ...needing.map((name) => rest[name])]) {
      expect(one).toEqual({ verdict: 'skipped', message: 'needs credentials' });
    }
    expect(calls.filter(({ operation }) => operation !== 'GetHomeRegion')).toEqual([]);
    probe['credentials'] = failing('the helper ended with 3');
    expect((await finding('credentials')).message).toBe('the helper ended with 3');
  });

  test('STS is not needed: who it does not name is no fault', async () => {
    probe['identity'] = () => Promise.resolve(undefined);
    expect(await finding('identity')).toMatchObject({ verdict: 'skipped' });
    probe['identity'] = failing('no route');
    expect(await finding('identity')).toEqual({
      ...{ verdict: 'skipped', message: 'no route; the agent itself needs no STS' },
    });
  });
});

describe('the home region', () => {
  const away: Outcome = { kind: 'unavailable', reason: 'no route' };

  test.each<[string | undefined, Outcome, string, string]>([
    ['eu-central-1', { kind: 'accepted', answer: { homeRegion: 'eu-central-1' } }, 'ok', 'eu-ce'],
    [
      'us-west-2',
      { kind: 'accepted', answer: { homeRegion: 'eu-central-1' } },
      ...(['failed', 'eu-central-1, but migrationHub.region is us-west-2'] as const),
    ],
    [undefined, OK, 'failed', 'this account has no home region'],
    ['us-west-2', away, 'warning', 'us-west-2 by the configuration; no route'],
    [undefined, away, 'failed', 'no route'],
  ])('configured %s, answered %o: %s', async (named, outcome, verdict, text) => {
    if (named !== undefined) withHub(named);
    answers.GetHomeRegion = outcome;
    const found = await finding('home region');
    expect(found.verdict).toBe(verdict);
    expect(found.message).toContain(text);
  });

  test('that is not known leaves nothing to write to', async () => {
    answers.GetHomeRegion = away;
    expect(await finding('DryRun ImportMigrationTask')).toEqual({
      ...{ verdict: 'skipped', message: 'needs the home region' },
    });
    withHub('us-west-2');
    calls = [];
    expect(await finding('DryRun ImportMigrationTask')).toMatchObject({ verdict: 'ok' });
    expect(calls).toMatchObject([{ operation: 'ImportMigrationTask', region: 'us-west-2' }]);
  });
});

describe('a write that is not accepted', () => {
  test.each<[Exclude<Outcome, { kind: 'accepted' }>, string, string | undefined]>([
    [{ kind: 'missing', reason: 'no stream' }, 'ok', undefined],
    [
      { kind: 'denied', reason: 'ExpiredTokenException: old' },
      ...(['failed', 'AWS does not accept the credentials: renew them'] as const),
    ],
    [{ kind: 'denied', reason: 'AccessDeniedException: no' }, 'failed', 'allow it (doctor'],
    [{ kind: 'no-home-region', reason: 'none' }, 'failed', 'set a home region for the account'],
    [{ kind: 'throttled', reason: 'slow down' }, 'warning', undefined],
    [{ kind: 'disabled', reason: 'no role' }, 'failed', 'open Migration Hub in the console once'],
    [{ kind: 'refused', reason: 'bad' }, 'failed', 'check the values of migrationHub'],
    [{ kind: 'gone', reason: 'gone' }, 'failed', 'the service does not know what the request'],
    [{ kind: 'unavailable', reason: 'no route' }, 'failed', 'see the network checks'],
  ])('%o: %s', async (outcome, verdict, remedy) => {
    answers.ImportMigrationTask = outcome;
    const found = await finding('DryRun ImportMigrationTask');
    expect(found.verdict).toBe(verdict);
    if (remedy === undefined) expect(found.remedy).toBeUndefined();
    else expect(found.remedy).toContain(remedy);
    if (outcome.kind === 'throttled') expect(found.message).toContain('permitted is unknown');
  });

  test.each([
    ['that of the credentials', () => undefined, '111122223333'],
    [
      'that STS names',
      () => {
        probe['credentials'] = () => Promise.resolve({ key: 'k' });
        probe['identity'] = () => Promise.resolve({ account: '444455556666', arn: 'a' });
      },
      '444455556666',
    ],
    [
      'any, if nobody names it',
      () => {
        probe['credentials'] = () => Promise.resolve({ key: 'k' });
        probe['identity'] = failing('no route');
      },
      '*',
    ],
  ])('its missing permission is for the account: %s', async (_which, arrange, account) => {
    arrange();
    answers.ImportMigrationTask = { kind: 'denied', reason: 'AccessDeniedException: no' };
    const found = (await finding('DryRun ImportMigrationTask')) as Finding & { iam?: object };
    expect(JSON.stringify(found.iam)).toContain(`arn:aws:mgh:eu-central-1:${account}:`);
    expect(JSON.stringify(found.iam)).toContain('mgh:ImportMigrationTask');
  });
});

test('a stream that the agent does not create is not tried', async () => {
  of = { ...of, migrationHub: { ...of.migrationHub!, createStream: false } };
  const names = Object.keys(await findings());
  expect(names).not.toContain('DryRun CreateProgressUpdateStream');
  expect(names).toContain('DryRun ImportMigrationTask');
});

test('a heartbeat names this host and the first worker group; a stamp is in whole seconds', async () => {
  nowMs = NOW_MS + 999;
  await findings();
  const made = (operation: string) => calls.find((call) => call.operation === operation);
  const { hostname, dataPipeline } = of;
  expect(made('ReportTaskRunnerHeartbeat')).toEqual({
    ...{ operation: 'ReportTaskRunnerHeartbeat', taskRunnerId: 'runner-1' },
    ...{ hostname, workerGroup: dataPipeline?.workerGroups[0] },
  });
  expect(made('NotifyMigrationTaskState')).toMatchObject({ stampS: NOW_MS / 1000 });
});

test('a runner that AWS tells to terminate', async () => {
  answers.ReportTaskRunnerHeartbeat = { kind: 'accepted', answer: { terminate: true } };
  expect(await finding('runner heartbeat')).toMatchObject({
    ...{ verdict: 'failed', message: 'Data Pipeline tells the runner runner-1 to terminate' },
  });
  answers.ReportTaskRunnerHeartbeat = { kind: 'denied', reason: 'AccessDenied' };
  expect(await finding('runner heartbeat')).toMatchObject({ verdict: 'failed' });
});

test('what the configuration does not have is not checked', async () => {
  Reflect.deleteProperty(of, 'migrationHub');
  expect(Object.keys(await findings())).toEqual([
    ...['credentials', 'identity', 'network: Data Pipeline', 'runner heartbeat', 'clock'],
  ]);
  Reflect.deleteProperty(of, 'dataPipeline');
  expect(Object.keys(await findings())).toEqual(['credentials', 'identity', 'clock']);
});

describe('the clock', () => {
  const dated = (offsetMs: number): Outcome => ({
    ...{ kind: 'accepted', answer: { homeRegion: 'eu-central-1' } },
    serverDateMs: NOW_MS + offsetMs - 500,
  });

  test.each<[number, string, string]>([
    [0, 'ok', 'within two seconds'],
    [2_000, 'ok', 'within two seconds'],
    [2_001, 'warning', '2s behind'],
    [-2_001, 'warning', '2s ahead of'],
    [299_999, 'warning', '4m59s behind'],
    [300_000, 'failed', '5m00s behind'],
    [-300_000, 'failed', '5m00s ahead of'],
  ])('%d ms off is %s', async (offsetMs, verdict, text) => {
    answers = { GetHomeRegion: dated(offsetMs), ReportTaskRunnerHeartbeat: dated(offsetMs) };
    const found = await finding('clock');
    expect(found.verdict).toBe(verdict);
    expect(found.message).toContain(text);
    expect(found.remedy === undefined).toBe(verdict === 'ok');
  });

  test.each([
    ['GetHomeRegion', 'dataPipeline'],
    ['ReportTaskRunnerHeartbeat', 'migrationHub'],
  ] as const)('is known by %s without %s', async (operation, without) => {
    Reflect.deleteProperty(of, without);
    answers = { [operation]: dated(2_001) };
    expect(await finding('clock')).toMatchObject({ verdict: 'warning' });
    expect(calls.map((call) => call.operation)).toEqual([operation]);
  });

  test('is judged by the middle of the answers, and of each between its call and its answer', async () => {
    // Each answer takes ten seconds.
    const { send } = probe['services'] as { send: (call: Call) => Promise<Outcome> };
    probe['services'] = {
      send: (call: Call) => {
        nowMs += 10_000;
        return send(call);
      },
    };
    answers = { GetHomeRegion: { ...dated(5_000) } };
    expect(await finding('clock')).toMatchObject({ verdict: 'ok' });
  });
});

describe('the way to a service', () => {
  const NAME = 'network: Data Pipeline';

  test.each([
    ['ENOTFOUND', undefined, 'the name datapipeline.us-east-1.example.com does not resolve'],
    ['EAI_AGAIN', undefined, 'does not resolve: check /etc/resolv.conf'],
    ['ENOTFOUND', 'http://proxy:3128', 'the name of the proxy does not resolve'],
    ['SELF_SIGNED_CERT_IN_CHAIN', undefined, 'if a proxy inspects TLS'],
    [
      'ECONNREFUSED',
      undefined,
      'allow outgoing connections to datapipeline.us-east-1.example.com:443',
    ],
    ['ECONNREFUSED', 'http://proxy:3128', 'allow the proxy to connect to datapipeline'],
  ])('%s with the proxy %s', async (code, proxy, remedy) => {
    aws = { ...aws, ...(proxy === undefined ? {} : { proxy }) };
    probe['reach'] = failing('it failed', code);
    const found = await finding(NAME);
    expect(found.verdict).toBe('failed');
    expect(found.message).toContain('it failed');
    expect(found.remedy).toContain(remedy);
  });

  test('an http endpoint has its own port', async () => {
    probe['endpoint'] = () => Promise.resolve('http://127.0.0.1:4580');
    probe['reach'] = failing('refused', 'ECONNREFUSED');
    expect((await finding(NAME)).remedy).toContain('127.0.0.1:4580');
    probe['endpoint'] = () => Promise.resolve('http://host');
    expect((await finding(NAME)).remedy).toContain('host:80');
  });

  test.each<[object, NodeJS.ProcessEnv, string]>([
    [{ proxy: 'http://anna:hunter2@proxy:3128' }, {}, ' through the proxy http://***@proxy:3128 ('],
    [{}, { HTTPS_PROXY: 'http://p:1' }, ' through the proxy http://p:1 ('],
    [{}, { https_proxy: 'http://q:1', HTTPS_PROXY: 'http://p:1' }, ' through the proxy http://q:1'],
    [{}, { all_proxy: 'http://r:1' }, ' through the proxy http://r:1 ('],
    [{}, { http_proxy: 'http://p:1' }, 'answers (12 ms)'],
    [{}, { https_proxy: '' }, 'answers (12 ms)'],
  ])('the proxy is shown, without its password: %o %o', async (over, variables, text) => {
    aws = { ...aws, ...over };
    environment = variables;
    const found = await finding(NAME);
    expect(found.message).toContain(text);
    expect(found.verdict).toBe('ok');
  });

  test('entries of NO_PROXY without effect are a warning, if there is a proxy', async () => {
    environment = { NO_PROXY: '*.example.com' };
    expect(await finding(NAME)).toMatchObject({ verdict: 'ok' });
    environment = { NO_PROXY: '*.example.com', HTTPS_PROXY: 'http://p:1' };
    expect(await finding(NAME)).toMatchObject({
      verdict: 'warning',
      remedy: expect.stringContaining('*.example.com: write .example.com') as string,
    });
  });

  test('settings that exclude each other', async () => {
    probe['endpoint'] = failing('FIPS and a custom endpoint are not supported');
    expect(await finding(NAME)).toMatchObject({
      ...{ verdict: 'failed', message: 'FIPS and a custom endpoint are not supported' },
    });
  });

  test('the home region is asked for only where none is named', async () => {
    withHub('us-west-2');
    const found = await findings();
    expect(found).not.toHaveProperty('network: home region');
    expect(found['network: Migration Hub']?.message).toContain('migrationHub.us-west-2.');
  });
});
