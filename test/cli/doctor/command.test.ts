/** `doctor` as a command: what it is given, what it prints and how it ends. What its checks find is made up here. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { AwsDoctor } from '../../../src/cli/doctor/aws-calls.ts';
import type { Policy } from '../../../src/cli/doctor/iam-policy.ts';
import type { Checked } from '../../../src/cli/doctor/report.ts';
import type { Finding } from '../../../src/cli/file-system/finding.ts';
import { run } from '../terminal-in-memory.ts';

interface Made {
  aws: Finding;
  host: Finding;
  doctor: AwsDoctor | undefined;
  daemonPids: (number | undefined)[];
}
const made = vi.hoisted((): Made => ({
  aws: { verdict: 'ok', message: 'fine' },
  host: { verdict: 'ok', message: 'fine' },
  doctor: undefined,
  daemonPids: [],
}));
vi.mock(import('../../../src/cli/doctor/aws-checks.ts'), async (original) => ({
  ...(await original()),
  awsChecks: (doctor) => {
    made.doctor = doctor;
    return [{ name: 'aws', look: () => Promise.resolve(made.aws) }];
  },
}));
vi.mock(import('../../../src/cli/doctor/host-checks.ts'), () => ({
  hostChecks: (_configuration, daemon) => {
    made.daemonPids.push(daemon?.agent.pid);
    return [{ name: 'host', look: () => Promise.resolve(made.host) }];
  },
}));
vi.mock(import('../../../src/cli/doctor/job-checks.ts'), () => ({
  jobChecks: (_configuration, pid) => {
    made.daemonPids.push(pid);
    return [];
  },
}));

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'doctor-command-'));
  const own = directory;
  onTestFinished(() => rmSync(own, { recursive: true, force: true }));
  file = join(directory, 'config.yaml');
  const fine = { verdict: 'ok', message: 'fine' } as const;
  Object.assign(made, { aws: fine, host: fine, doctor: undefined, daemonPids: [] });
});

function configure(more = ''): void {
  const agent = `{ stateDirectory: "${directory}/state", socket: "${directory}/agent.sock" }`;
  writeFileSync(
    file,
    `aws: { region: eu-west-1 }
migrationHub: { progressUpdateStream: acme, region: eu-central-1 }
agent: ${agent}
${more}`,
  );
}

const doctor = (...options: string[]) => run(['doctor', '--config', file, ...options]);
async function report(...options: string[]) {
  const { code, stdout } = await doctor('--json', ...options);
  return { code, ...(JSON.parse(stdout) as { ok: boolean; checks: Checked[] }) };
}

test('all is well: the file is named, and the exit code is 0', async () => {
  configure();
  expect(await report()).toEqual({
    ...{ code: 0, schema: 1, ok: true },
    checks: [
      { check: 'configuration', verdict: 'ok', message: file },
      { check: 'aws', verdict: 'ok', message: 'fine' },
      { check: 'host', verdict: 'ok', message: 'fine' },
    ],
  });
  const { code, stdout } = await doctor();
  expect(code).toBe(0);
  expect(stdout).toContain('all checks passed\n');
});

test('one check that failed is exit code 1; a warning is none', async () => {
  configure();
  made.host = { verdict: 'failed', message: 'no' };
  expect(await report()).toMatchObject({ code: 1, ok: false });
  expect((await doctor()).code).toBe(1);
  made.host = { verdict: 'warning', message: 'hm' };
  expect(await report()).toMatchObject({ code: 0, ok: true });
});

test('a configuration with warnings is a warning, with their places', async () => {
  configure('dataPipeline: { workerGroups: [files], activities: [], reportEvery: 10m }\n');
  const { checks, ok } = await report();
  expect(ok).toBe(true);
  expect(checks[0]).toMatchObject({ check: 'configuration', verdict: 'warning' });
  expect(checks[0]?.message).toContain(`${file}:`);
});

describe('a configuration that cannot be used', () => {
  beforeEach(() => configure('nonsense: true\n'));

  test('is exit code 78, and the one check of the report; nothing else is looked at', async () => {
    const { code, ok, checks } = await report();
    expect([code, ok, checks.length]).toEqual([78, false, 1]);
    expect(checks[0]).toMatchObject({
      ...{ check: 'configuration', verdict: 'failed' },
      message: expect.stringMatching(/config\.yaml:\d+:\d+ nonsense: /) as string,
      remedy: expect.stringContaining('config/README.md') as string,
    });
    expect(made.doctor).toBeUndefined();
  });

  test('is shown as it is to people', async () => {
    const { code, stdout, stderr } = await doctor();
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr).toMatch(/config\.yaml:\d+:\d+ nonsense: /);
  });
});

describe('the policy', () => {
  const policy = async (...options: string[]): Promise<string> => {
    const { code, stdout } = await doctor('--iam-policy', ...options);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Policy).Version).toBe('2012-10-17');
    expect(made.doctor).toBeUndefined();
    return stdout;
  };

  test('is for the home region of the configuration and any account, or for those that are named', async () => {
    configure();
    expect(await policy()).toContain('arn:aws:mgh:eu-central-1:*:');
    expect(await policy('--region', 'us-west-2', '--account', '111122223333')).toContain(
      'arn:aws:mgh:us-west-2:111122223333:',
    );
  });

  test.each(['1111', '11112222333x', '1111222233334'])('has no account %s', async (account) => {
    configure();
    const { code, stderr } = await doctor('--iam-policy', '--account', account);
    expect(code).toBe(2);
    expect(stderr).toContain('twelve digits');
  });
});

describe('the daemon', () => {
  async function daemon(taskRunnerId?: string): Promise<string> {
    const socket = join(directory, 'daemon.sock');
    const status = { schema: 1, agent: { pid: 4711, taskRunnerId }, jobs: [], budgets: [] };
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(status));
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return socket;
  }
  const PIPELINE = 'dataPipeline: { workerGroups: [files], activities: [] }\n';

  test('is asked at the socket that is named, and what it is goes to the checks of the host and of jobs', async () => {
    configure(PIPELINE);
    await report('--socket', await daemon('runner-1'));
    expect(made.daemonPids).toEqual([4711, 4711]);
    expect(made.doctor?.taskRunnerId).toBe('runner-1');
  });

  test('that does not answer is none: the id of a runner is made up for the look', async () => {
    configure(PIPELINE);
    await report();
    expect(made.daemonPids).toEqual([undefined, undefined]);
    expect(made.doctor?.taskRunnerId).toMatch(/-doctor$/);
  });

  test('has no other id than the configuration says', async () => {
    configure('dataPipeline: { workerGroups: [files], activities: [], taskRunnerId: own }\n');
    await report('--socket', await daemon('runner-1'));
    expect(made.doctor?.taskRunnerId).toBe('own');
  });
});
