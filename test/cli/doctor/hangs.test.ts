/** `doctor` as a process on a host where everything hangs: it ends, names what hangs, and leaves no process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'vitest';
import type { TestContext } from 'vitest';
import type { Checked } from '../../../src/cli/doctor/report.ts';
import { HangingMount, whyNoHangingMount } from '../../support/hanging-mount.ts';
import { until } from '../../support/until.ts';

const LAUNCHER = join(import.meta.dirname, '../../../src/migration-agent');

/** A host of its own for each test: they wait for limits of `doctor`, side by side. */
class HangingHost {
  readonly directory = mkdtempSync(join(tmpdir(), 'hangs-'));
  readonly #toProxy: Socket[] = [];
  readonly #proxy: Server = createServer((socket) => {
    this.#toProxy.push(socket);
    socket.on('error', () => undefined);
  });
  #mount: HangingMount | undefined;

  static async make({ onTestFinished }: Pick<TestContext, 'onTestFinished'>): Promise<HangingHost> {
    const host = new HangingHost();
    for (const name of ['hung', 'bin', 'home']) mkdirSync(join(host.directory, name));
    await new Promise<void>((resolve) => host.#proxy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => host.#remove());
    return host;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  async mount(): Promise<void> {
    this.#mount = await HangingMount.at(this.path('hung'));
  }

  configure(stateDirectory: string, job: string): string {
    const file = this.path('config.yaml');
    const { port } = this.#proxy.address() as AddressInfo;
    writeFileSync(
      file,
      `aws: { region: us-west-2, proxy: "http://127.0.0.1:${port}" }
migrationHub: { progressUpdateStream: acme }
agent: { stateDirectory: "${stateDirectory}", socket: "${this.path('agent.sock')}" }
jobs: { copy: { command: ['true'], ${job} } }
`,
    );
    return file;
  }

  script(name: string, body: string): string {
    const file = join(this.path('bin'), name);
    writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    return file;
  }

  async doctor(file: string, home: string): Promise<{ code: number; checks: Checked[] }> {
    const { PATH = '' } = process.env;
    const child = spawn('sh', [LAUNCHER, 'doctor', '--config', file, '--json'], {
      env: {
        PATH: `${this.path('bin')}:${PATH}`,
        HOME: home,
        HANGS: this.directory,
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [stdout, [code]] = await Promise.all([
      text(child.stdout),
      once(child, 'exit') as Promise<[number]>,
    ]);
    return { code, checks: (JSON.parse(stdout) as { checks: Checked[] }).checks };
  }

  /** Whatever the command started has this directory in its environment. */
  async untilNothingRuns(): Promise<void> {
    await until(
      'nothing of it runs',
      () => this.#left().length === 0,
      () => this.#left().join(' '),
    );
  }

  async #remove(): Promise<void> {
    await this.#mount?.release();
    for (const socket of this.#toProxy) socket.destroy();
    await new Promise((resolve) => this.#proxy.close(resolve));
    await this.untilNothingRuns();
    rmSync(this.directory, { recursive: true });
  }

  #left(): string[] {
    return readdirSync('/proc').filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        return environment.includes(`HANGS=${this.directory}\0`);
      } catch {
        return false;
      }
    });
  }
}

function messageOf(checks: readonly Checked[], name: string): string {
  const { message = '', verdict } = checks.find(({ check }) => check === name) ?? {};
  return `${verdict}: ${message}`;
}

test.concurrent(
  'credential_process, directory service and proxy: each is named, and none of their processes is left',
  async (context) => {
    const { expect } = context;
    const host = await HangingHost.make(context);
    mkdirSync(host.path('home/.aws'));
    // The second process is a child of the first: `doctor` ends both.
    const hanging = host.script('never', 'sleep 1000; true');
    writeFileSync(host.path('home/.aws/config'), `[default]\ncredential_process = ${hanging}\n`);
    host.script('getent', 'sleep 1000; true');
    const file = host.configure(host.path('state'), 'user: somebody-elsewhere');
    const { code, checks } = await host.doctor(file, host.path('home'));
    expect(code).toBe(1);
    expect(messageOf(checks, 'credentials')).toMatch(/^failed: no credentials within 10 s/);
    expect(messageOf(checks, 'jobs')).toMatch(/^failed: copy: no answer within 5 s: /);
    expect(messageOf(checks, 'network: home region')).toMatch(
      /^failed: https:.*through the proxy.*no connection within 5 s/,
    );
    // A disk of a busy host is slow, which is a warning.
    expect(messageOf(checks, 'state directory')).toMatch(/^(ok|warning)/);
    await host.untilNothingRuns();
  },
);

test
  .skipIf(whyNoHangingMount !== '')
  .concurrent(
    `file systems of the state directory and of a job${whyNoHangingMount && ` (${whyNoHangingMount})`}`,
    async (context) => {
      const { expect } = context;
      const host = await HangingHost.make(context);
      await host.mount();
      const hung = host.path('hung/x');
      const file = host.configure(hung, `workingDirectory: "${hung}"`);
      const { code, checks } = await host.doctor(file, host.path('home'));
      expect(code).toBe(1);
      expect(messageOf(checks, 'state directory')).toMatch(/^failed: .*its file system hangs$/);
      expect(messageOf(checks, 'jobs')).toMatch(
        /^failed: copy: no answer within 5 s: a file system/,
      );
      expect(messageOf(checks, 'credentials')).toMatch(/^failed: there are none/);
    },
  );

test
  .skipIf(whyNoHangingMount !== '')
  .concurrent(
    `the file system of the home directory, which has the AWS files${whyNoHangingMount && ` (${whyNoHangingMount})`}`,
    async (context) => {
      const { expect } = context;
      const host = await HangingHost.make(context);
      await host.mount();
      const file = host.configure(host.path('state'), 'autostart: false');
      const { code, checks } = await host.doctor(file, host.path('hung'));
      expect(code).toBe(1);
      expect(messageOf(checks, 'credentials')).toMatch(/^failed: no credentials within 10 s/);
    },
  );
