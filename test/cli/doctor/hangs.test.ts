/** `doctor` as a process on a host where everything hangs: it ends, names what hangs, and leaves no process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Checked } from '../../../src/cli/doctor/report.ts';
import { HangingMount, whyNoHangingMount } from '../../support/hanging-mount.ts';
import { until } from '../../support/until.ts';

const LAUNCHER = join(import.meta.dirname, '../../../src/migration-agent');

let directory: string;
let mount: HangingMount | undefined;
let proxy: Server;
let toProxy: Socket[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hangs-'));
  for (const name of ['hung', 'bin', 'home']) mkdirSync(join(directory, name));
  toProxy = [];
  proxy = createServer((socket) => {
    toProxy.push(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await mount?.release();
  mount = undefined;
  for (const socket of toProxy) socket.destroy();
  await new Promise((resolve) => proxy.close(resolve));
  await until('nothing of it runs', () => marked().length === 0);
  rmSync(directory, { recursive: true });
});

/** Whatever the command started has this directory in its environment. */
function marked(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HANGS=${directory}\0`);
    } catch {
      return false;
    }
  });
}

function configure(stateDirectory: string, job: string): string {
  const file = join(directory, 'config.yaml');
  const { port } = proxy.address() as AddressInfo;
  writeFileSync(
    file,
    `aws: { region: us-west-2, proxy: "http://127.0.0.1:${port}" }
migrationHub: { progressUpdateStream: acme }
agent: { stateDirectory: "${stateDirectory}", socket: "${directory}/agent.sock" }
jobs: { copy: { command: ['true'], ${job} } }
`,
  );
  return file;
}

async function doctor(file: string, home: string): Promise<{ code: number; checks: Checked[] }> {
  const { PATH = '' } = process.env;
  const child = spawn('sh', [LAUNCHER, 'doctor', '--config', file, '--json'], {
    env: { PATH: `${directory}/bin:${PATH}`, HOME: home, HANGS: directory },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [stdout, [code]] = await Promise.all([
    text(child.stdout),
    once(child, 'exit') as Promise<[number]>,
  ]);
  return { code, checks: (JSON.parse(stdout) as { checks: Checked[] }).checks };
}

function script(name: string, body: string): string {
  const file = join(directory, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return file;
}

function messageOf(checks: readonly Checked[], name: string): string {
  const { message = '', verdict } = checks.find(({ check }) => check === name) ?? {};
  return `${verdict}: ${message}`;
}

test('credential_process, directory service and proxy: each is named, and none of their processes is left', async () => {
  mkdirSync(join(directory, 'home/.aws'));
  // The second process is a child of the first: `doctor` ends both.
  const hanging = script('never', 'sleep 1000; true');
  writeFileSync(
    join(directory, 'home/.aws/config'),
    `[default]\ncredential_process = ${hanging}\n`,
  );
  script('getent', 'sleep 1000; true');
  const file = configure(join(directory, 'state'), 'user: somebody-elsewhere');
  const { code, checks } = await doctor(file, join(directory, 'home'));
  expect(code).toBe(1);
  expect(messageOf(checks, 'credentials')).toMatch(/^failed: no credentials within 10 s/);
  expect(messageOf(checks, 'jobs')).toMatch(/^failed: copy: no answer within 5 s: /);
  expect(messageOf(checks, 'network: home region')).toMatch(
    /^failed: https:.*through the proxy.*no connection within 5 s/,
  );
  expect(messageOf(checks, 'state directory')).toMatch(/^ok/);
  await until('nothing of it runs', () => marked().length === 0);
});

test.skipIf(whyNoHangingMount !== '')(
  `file systems of the state directory and of a job${whyNoHangingMount && ` (${whyNoHangingMount})`}`,
  async () => {
    mount = await HangingMount.at(join(directory, 'hung'));
    const hung = join(directory, 'hung/x');
    const file = configure(hung, `workingDirectory: "${hung}"`);
    const { code, checks } = await doctor(file, join(directory, 'home'));
    expect(code).toBe(1);
    expect(messageOf(checks, 'state directory')).toMatch(/^failed: .*its file system hangs$/);
    expect(messageOf(checks, 'jobs')).toMatch(/^failed: copy: no answer within 5 s: a file system/);
    expect(messageOf(checks, 'credentials')).toMatch(/^failed: there are none/);
  },
);

test.skipIf(whyNoHangingMount !== '')(
  `the file system of the home directory, which has the AWS files${whyNoHangingMount && ` (${whyNoHangingMount})`}`,
  async () => {
    mount = await HangingMount.at(join(directory, 'hung'));
    const file = configure(join(directory, 'state'), 'autostart: false');
    const { code, checks } = await doctor(file, join(directory, 'hung'));
    expect(code).toBe(1);
    expect(messageOf(checks, 'credentials')).toMatch(/^failed: no credentials within 10 s/);
  },
);
