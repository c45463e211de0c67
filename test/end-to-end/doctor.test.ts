/** `doctor` against the simulator: green if all checks pass, and each check red in its own way, with its remedy. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createProbe } from '../../src/aws/probe.ts';
import type { Probe } from '../../src/aws/probe.ts';
import { awsChecks } from '../../src/cli/doctor/aws-checks.ts';
import { hostChecks } from '../../src/cli/doctor/host-checks.ts';
import { runChecks } from '../../src/cli/doctor/report.ts';
import type { Checked } from '../../src/cli/doctor/report.ts';
import type { Finding } from '../../src/cli/file-system/finding.ts';
import { checkStateDirectory } from '../../src/cli/file-system/state-directory.ts';
import type { Configuration } from '../../src/config/build/configuration.ts';
import { readConfiguration } from '../../src/config/load.ts';
import type { Policy } from '../../src/cli/doctor/iam-policy.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.ts';
import { run } from '../cli/terminal-in-memory.ts';
import type { Result } from '../cli/terminal-in-memory.ts';
import { setEnvironment } from '../aws/aws-stub.ts';
import { createSite } from '../support/daemon.ts';
import { redisMissing, startRedis } from '../support/redis-server.ts';

let directory: string;
let simulator: Simulator | undefined;
beforeEach(() => {
  setEnvironment();
  directory = mkdtempSync(join(tmpdir(), 'doctor-'));
});
afterEach(async () => {
  await simulator?.close();
  simulator = undefined;
  rmSync(directory, { recursive: true });
});

const JOBS = `migrationHub: { progressUpdateStream: acme }
dataPipeline: { workerGroups: [files], taskRunnerId: runner-1, activities: [] }
jobs:
  copy:
    command: ['true']
    migrationHub:
      resourceAttributes: [{ type: FQDN, value: files01.example.com }]
      discoveredResource: d-server-1
      sourceResources: [{ name: one }]
      artifacts: ["arn:aws:s3:::a/b"]
      application: d-application-1
`;

/** The configuration file, whose services are at `url`. */
function configure(url: string, text = JOBS): string {
  const file = join(directory, 'config.yaml');
  writeFileSync(
    file,
    `aws:
  region: us-west-2
  endpoints: { migrationHub: "${url}", migrationHubConfig: "${url}", dataPipeline: "${url}" }
agent: { stateDirectory: "${directory}/state", socket: "${directory}/agent.sock" }
${text}`,
  );
  return file;
}

async function simulate(options: SimulatorOptions = {}): Promise<string> {
  simulator = createSimulator({ homeRegion: 'eu-central-1', ...options });
  return (await simulator.listen(0)).url;
}

async function doctor(file: string, ...message: string[]): Promise<Result & { checks: Checked[] }> {
  const result = await run(['doctor', '--config', file, '--json', ...message]);
  const { checks = [] } = JSON.parse(result.stdout || '{}') as { checks?: Checked[] };
  return { ...result, checks };
}

/** What AWS is asked, without the host: each look at file systems is a process. What is printed of it is `doctor`'s above. */
async function lookAtAws(
  file: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Checked[]> {
  const configuration = await configurationOf(file, environment);
  const probe = createProbe({ ...configuration.aws, version: 'test', environment });
  try {
    return await runChecks(
      awsChecks({ configuration, probe, environment, taskRunnerId: 'runner-1', nowMs: Date.now }),
    );
  } finally {
    probe.close();
  }
}

async function configurationOf(file: string, environment = process.env): Promise<Configuration> {
  const loaded = await readConfiguration(file, environment, 'files01');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.configuration;
}

function found(checks: readonly Checked[], name: string): Checked {
  const one = checks.find(({ check }) => check === name);
  if (one === undefined) throw new Error(`no check ${name} in ${JSON.stringify(checks)}`);
  return one;
}

/** The names of the checks that failed. */
function red(checks: readonly Checked[]): string[] {
  return checks.filter(({ verdict }) => verdict === 'failed').map(({ check }) => check);
}

const WRITES = [
  'CreateProgressUpdateStream',
  'ImportMigrationTask',
  'NotifyMigrationTaskState',
  'PutResourceAttributes',
  'AssociateDiscoveredResource',
  'AssociateSourceResource',
  'AssociateCreatedArtifact',
  'NotifyApplicationState',
];

describe('all checks pass', () => {
  test('every check is green, nothing is written to AWS, and the state directory is as it was', async () => {
    const file = configure(await simulate());
    const { checks, code, stderr } = await doctor(file);
    expect(red(checks)).toEqual([]);
    expect([code, stderr]).toEqual([0, '']);
    const names = [
      'credentials',
      'network: Migration Hub',
      'network: home region',
      'network: Data Pipeline',
      'home region',
      'runner heartbeat',
      'clock',
      'state directory',
      ...WRITES.map((name) => `DryRun ${name}`),
    ];
    for (const name of names) expect([name, found(checks, name).verdict]).toEqual([name, 'ok']);
    expect(found(checks, 'home region').message).toBe('eu-central-1');
    expect(found(checks, 'credentials').message).toContain('AKID…MPLE');
    expect(found(checks, 'daemon').verdict).toBe('skipped');
    expect(JSON.stringify(simulator!.state())).not.toContain('acme');
    const made = simulator!.journal();
    // Each operation once, and each write dry.
    expect(made.map(({ operation }) => operation).toSorted()).toEqual(
      [...WRITES, 'GetHomeRegion', 'ReportTaskRunnerHeartbeat'].toSorted(),
    );
    const writes = made.filter(({ operation }) => WRITES.includes(operation));
    expect(writes.every(({ request }) => (request as { DryRun?: boolean }).DryRun)).toBe(true);
    expect(simulator!.audit().invalidRequests.count).toBe(0);
    expect(readdirSync(join(directory, 'state'))).toEqual([]);
  });

  test('jobs that cannot start are red, and schedules show their next start', async () => {
    const jobs = `migrationHub: { progressUpdateStream: acme }
jobs:
  dump: { command: [no-such-program], schedule: "0 2 * * *", timezone: UTC }
  fine: { command: ['true'] }
`;
    const { checks, code } = await doctor(configure(await simulate(), jobs));
    expect(code).toBe(1);
    expect(red(checks)).toEqual(['jobs']);
    expect(found(checks, 'jobs').message).toMatch(/^dump\.command: there is no program/);
    expect(found(checks, 'schedules').message).toMatch(/^dump next \w{3} [\d-]+ 02:00 \+00:00$/);
  });

  test('as lines of at most 80 columns, what failed first; and of a stream that is there; only what the configuration uses is asked', async () => {
    const file = configure(await simulate(), 'migrationHub: { progressUpdateStream: acme }\n');
    const { code, stdout } = await run(['doctor', '--config', file]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok {7}DryRun .*NotifyMigrationTaskState/m);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).not.toContain('DryRun PutResourceAttributes');
    expect(stdout).not.toContain('Data Pipeline');
    expect(stdout).toContain('all checks passed');
  });

  test('beside a daemon that runs', async () => {
    const site = await createSite(JOBS);
    try {
      await site.start();
      const { checks, code } = await doctor(site.configuration);
      expect(red(checks)).toEqual([]);
      expect(code).toBe(0);
      expect(found(checks, 'daemon').message).toMatch(/^migration-agent .* runs as \d+ since /);
    } finally {
      await site.close();
    }
  });
});

describe('red', () => {
  test('a permission that is missing: that write alone, with the IAM statement', async () => {
    const file = configure(await simulate());
    simulator!.addFault(
      {
        operation: 'AssociateCreatedArtifact',
        fault: 'error',
        name: 'UnauthorizedOperation',
        status: 400,
      },
      {
        operation: 'ReportTaskRunnerHeartbeat',
        fault: 'error',
        name: 'AccessDeniedException',
        status: 400,
      },
    );
    const checks = await lookAtAws(file);
    expect(red(checks)).toEqual(['DryRun AssociateCreatedArtifact', 'runner heartbeat']);
    expect(found(checks, 'DryRun AssociateCreatedArtifact').iam).toEqual({
      Sid: 'AssociateCreatedArtifact',
      Effect: 'Allow',
      Action: 'mgh:AssociateCreatedArtifact',
      Resource: 'arn:aws:mgh:eu-central-1:*:progressUpdateStream/acme/*',
    });
    expect(found(checks, 'runner heartbeat').iam).toMatchObject({
      Action: 'datapipeline:ReportTaskRunnerHeartbeat',
      Resource: '*',
    });
    const shown = await run(['doctor', '--config', file]);
    expect(shown.code).toBe(1);
    expect(shown.stdout).toMatch(/→ allow it/);
    expect(shown.stdout).toContain('2 of ');
  });

  test('no home region: reported once; what needs it is skipped', async () => {
    const checks = await lookAtAws(configure(await simulate({ homeRegion: null })));
    expect(red(checks)).toEqual(['home region']);
    expect(found(checks, 'home region').remedy).toContain('create-home-region-control');
    expect(found(checks, 'DryRun NotifyMigrationTaskState').verdict).toBe('skipped');
  });

  test('a region that is not the home region', async () => {
    const text = JOBS.replace('stream: acme', 'stream: acme').replace(
      '{ progressUpdateStream: acme }',
      '{ progressUpdateStream: acme, region: us-west-2 }',
    );
    const checks = await lookAtAws(configure(await simulate(), text));
    expect(red(checks)[0]).toBe('home region');
    expect(found(checks, 'home region').remedy).toContain('set it to eu-central-1');
    expect(red(checks)).toContain('DryRun ImportMigrationTask');
  });

  test('no credentials: reported once; what needs them is skipped, the network is still tried', async () => {
    setEnvironment({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
    const checks = await lookAtAws(configure(await simulate()));
    expect(red(checks)).toEqual(['credentials']);
    expect(found(checks, 'network: Data Pipeline').verdict).toBe('ok');
    expect(found(checks, 'home region')).toMatchObject({
      verdict: 'skipped',
      message: 'needs credentials',
    });
    expect(simulator!.journal()).toEqual([]);
  });

  test('credentials that end soon are a warning', async () => {
    const expiration = new Date(Date.now() + 8 * 60_000).toISOString();
    const answer = {
      Version: 1,
      AccessKeyId: 'ASIA12345678',
      SecretAccessKey: 'y',
      Expiration: expiration,
    };
    const profile = join(directory, 'aws');
    writeFileSync(
      profile,
      `[default]\ncredential_process = ${process.execPath} -p '${JSON.stringify(JSON.stringify(answer))}'\n`,
    );
    setEnvironment({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_CONFIG_FILE: profile,
    });
    const checks = await lookAtAws(configure(await simulate()));
    expect(found(checks, 'credentials')).toMatchObject({ verdict: 'warning' });
    expect(found(checks, 'credentials').message).toContain('ASIA…5678');
  });

  test('credentials that have ended are red, with what is left to do', async () => {
    const expiresAtMs = Date.UTC(2026, 10, 27, 3);
    const key = 'ASIA…5678';
    const probe = { credentials: () => Promise.resolve({ key, expiresAtMs }) } as unknown as Probe;
    const file = configure(await simulate());
    const configuration = await configurationOf(file, {});
    const looked = (nowMs: number): Promise<Finding> =>
      awsChecks({
        ...{ configuration, probe, environment: {}, taskRunnerId: 'r', nowMs: () => nowMs },
      })[0]!.look();
    expect(await looked(expiresAtMs)).toEqual({
      verdict: 'failed',
      message: 'ASIA…5678, until 2026-11-27T03:00:00.000Z: they have expired',
      remedy: 'renew them',
    });
    expect((await looked(expiresAtMs - 1)).verdict).toBe('warning');
    expect((await looked(expiresAtMs - 15 * 60_000 + 1)).verdict).toBe('warning');
    expect((await looked(expiresAtMs - 15 * 60_000)).verdict).toBe('ok');
  });

  test('a state directory that others may enter is a warning', async () => {
    const state = join(directory, 'state');
    mkdirSync(state);
    for (const [mode, verdict] of [
      [0o755, 'warning'],
      [0o751, 'warning'],
      [0o750, 'ok'],
    ] as const) {
      chmodSync(state, mode);
      expect([mode, (await checkStateDirectory(state)).verdict]).toEqual([mode, verdict]);
    }
    chmodSync(state, 0o755);
    expect((await checkStateDirectory(state)).remedy).toContain('chmod o-rwx');
  });

  test('endpoints that do not answer: the network checks are red, with what has to be allowed', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const checks = await lookAtAws(configure(`http://127.0.0.1:${port}`));
    expect(red(checks)).toEqual(
      expect.arrayContaining([
        'network: Migration Hub',
        'network: home region',
        'network: Data Pipeline',
        'home region',
      ]),
    );
    expect(found(checks, 'network: Data Pipeline').remedy).toContain(
      `allow outgoing connections to 127.0.0.1:${port}`,
    );
  });

  test('a name that does not resolve, and a proxy that is not there', async () => {
    const checks = await lookAtAws(configure('http://no-such-host.invalid'));
    expect(found(checks, 'network: Data Pipeline').remedy).toContain(
      'no-such-host.invalid does not resolve',
    );
    const file = configure('http://no-such-host.invalid', JOBS);
    setEnvironment({});
    const by = await lookAtAws(file, { HTTP_PROXY: 'http://user:hunter2@127.0.0.1:9' });
    expect(found(by, 'network: Data Pipeline').message).toContain(
      'through the proxy http://***@127.0.0.1:9',
    );
    expect(found(by, 'network: Data Pipeline').remedy).toContain('allow the proxy to connect to');
    expect(JSON.stringify(by)).not.toContain('hunter2');
  });

  test.each([
    [60_000, 'warning', 'behind the service’s; reports are corrected'],
    [-600_000, 'failed', '10m00s ahead of the service’s'],
  ] as const)('a clock that is off by %d ms is %s', async (dateSkewMs, verdict, message) => {
    const checks = await lookAtAws(configure(await simulate({ dateSkewMs })));
    expect(found(checks, 'clock').verdict).toBe(verdict);
    expect(found(checks, 'clock').message.replace(/9m59s/, '10m00s')).toContain(message);
    expect(found(checks, 'clock').remedy).toContain('NTP');
  });

  test('a runner that has to terminate', async () => {
    const file = configure(await simulate());
    simulator!.setTerminate('runner-1');
    const checks = await lookAtAws(file);
    expect(red(checks)).toEqual(['runner heartbeat']);
    expect(found(checks, 'runner heartbeat').message).toContain(
      'tells the runner runner-1 to terminate',
    );
  });

  test('a state directory that is none', async () => {
    const file = configure(await simulate());
    writeFileSync(join(directory, 'state'), 'a file');
    const { checks } = await doctor(file);
    expect(red(checks)).toEqual(['state directory']);
    expect(found(checks, 'state directory').remedy).toContain('must be a directory');
  });

  test('a stream that Migration Hub rejects', async () => {
    const file = configure(await simulate());
    simulator!.addFault({
      operation: 'CreateProgressUpdateStream',
      fault: 'error',
      name: 'PolicyErrorException',
      status: 400,
    });
    const checks = await lookAtAws(file);
    expect(found(checks, 'DryRun CreateProgressUpdateStream').remedy).toContain(
      'migrationhub-discovery',
    );
  });

  test('a bad configuration: its places, exit code 78, as JSON too', async () => {
    const file = configure('http://127.0.0.1:1', 'migrationHub: { stream: x }\n');
    const result = await run(['doctor', '--config', file]);
    expect([result.code, result.stderr]).toEqual([
      78,
      expect.stringContaining('migrationHub') as string,
    ]);
    const { checks, code } = await doctor(file);
    expect([code, red(checks)]).toEqual([78, ['configuration']]);
  });

  test('a check that hangs or throws is one that failed, and holds up no other', async () => {
    const sinceMs = performance.now();
    const checks = await runChecks([
      { name: 'hangs', limitMs: 50, look: () => new Promise(() => undefined) },
      { name: 'throws', look: () => Promise.reject(new Error('as it is')) },
      { name: 'good', look: () => Promise.resolve({ verdict: 'ok', message: 'fine' }) },
    ]);
    expect(checks.map(({ verdict, message }) => `${verdict} ${message}`)).toEqual([
      'failed no result within 0.05 s',
      'failed as it is',
      'ok fine',
    ]);
    expect(performance.now() - sinceMs).toBeLessThan(5_000);
  });
});

test.skipIf(redisMissing !== undefined)(
  `a Redis that answers is green; one that forgets is a warning${redisMissing === undefined ? '' : ` (skipped: ${redisMissing})`}`,
  async () => {
    const redis = await startRedis(['--requirepass', 'hunter2']);
    onTestFinished(() => redis.kill());
    const fleet = `fleet: { redis: "redis://:hunter2@127.0.0.1:${redis.port}", share: 0.5 }\n`;
    const configuration = await configurationOf(configure('http://127.0.0.1:1', JOBS + fleet));
    const checks = hostChecks(configuration, undefined);
    const look = () => checks.find((check) => check.name === 'Redis')?.look();
    expect(await look()).toMatchObject({ verdict: 'ok' });
    const client = new Redis(redis.url, { password: 'hunter2' });
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    client.disconnect();
    expect(await look()).toMatchObject({ verdict: 'warning' });
  },
);

describe('--iam-policy', () => {
  const policy = async (file: string, ...message: string[]): Promise<Policy> => {
    const { code, stdout } = await run(['doctor', '--config', file, '--iam-policy', ...message]);
    expect(code).toBe(0);
    return JSON.parse(stdout) as Policy;
  };

  test('is the least that this configuration needs', async () => {
    const file = configure('http://127.0.0.1:1');
    const where = ['--account', '123456789012', '--region', 'eu-central-1'];
    const stream = 'arn:aws:mgh:eu-central-1:123456789012:progressUpdateStream/acme';
    expect(await policy(file, ...where)).toEqual({
      Version: '2012-10-17',
      Statement: [
        { Sid: 'HomeRegion', Effect: 'Allow', Action: 'mgh:GetHomeRegion', Resource: '*' },
        {
          Sid: 'Stream',
          Effect: 'Allow',
          Action: 'mgh:CreateProgressUpdateStream',
          Resource: stream,
        },
        {
          Sid: 'Tasks',
          Effect: 'Allow',
          Action: [
            'mgh:ImportMigrationTask',
            'mgh:NotifyMigrationTaskState',
            'mgh:PutResourceAttributes',
            'mgh:AssociateDiscoveredResource',
            'mgh:AssociateSourceResource',
            'mgh:AssociateCreatedArtifact',
            'mgh:ListMigrationTaskUpdates',
          ],
          Resource: `${stream}/*`,
        },
        {
          Sid: 'Applications',
          Effect: 'Allow',
          Action: 'mgh:NotifyApplicationState',
          Resource: '*',
        },
        {
          Sid: 'Poll',
          Effect: 'Allow',
          Action: 'datapipeline:PollForTask',
          Resource: '*',
          Condition: {
            'ForAllValues:StringEquals': { 'datapipeline:workerGroup': ['files'] },
            Null: { 'datapipeline:workerGroup': 'false' },
          },
        },
        {
          Sid: 'Runner',
          Effect: 'Allow',
          Action: [
            'datapipeline:ReportTaskProgress',
            'datapipeline:SetTaskStatus',
            'datapipeline:ReportTaskRunnerHeartbeat',
          ],
          Resource: '*',
        },
      ],
    });
  });

  test('names no more than the configuration uses', async () => {
    const text =
      'migrationHub: { progressUpdateStream: acme, region: us-east-1, createStream: false }\n';
    const { Statement: statements } = await policy(configure('http://127.0.0.1:1', text));
    expect(statements).toEqual([
      {
        Sid: 'Tasks',
        Effect: 'Allow',
        Action: [
          'mgh:ImportMigrationTask',
          'mgh:NotifyMigrationTaskState',
          'mgh:ListMigrationTaskUpdates',
        ],
        Resource: 'arn:aws:mgh:us-east-1:*:progressUpdateStream/acme/*',
      },
    ]);
    expect((await run(['doctor', '--iam-policy', '--account', '12'])).code).toBe(2);
  });
});
