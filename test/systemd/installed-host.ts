/** A host for the package: a box with systemd, the simulator as its AWS, and a configuration. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobStatus, Status } from '../../src/core/model/status.ts';
import type { JournalEntry } from '../../src/simulator/audit/journal.ts';
import { SystemdBox } from '../support/systemd-box.ts';
import type { Ran } from '../support/systemd-box.ts';
import { until } from '../support/until.ts';

const ROOT = join(import.meta.dirname, '../..');
export const SERVICE = 'migration-agent.service';
const AWS = 'http://127.0.0.1:4580';

/** A job that ends with the exit code that a test writes into its file. */
function waitingJob(name: string): string {
  const file = `/tmp/${name}.code`;
  return `  ${name}: { command: [sh, -c, 'until [ -s ${file} ]; do sleep 0.1; done; exit $(cat ${file})'] }`;
}

/** `more` is further lines of YAML. */
export function configuration(jobs: readonly string[], more = ''): string {
  return [
    'aws:',
    '  region: us-west-2',
    `  endpoints: { migrationHub: "${AWS}", migrationHubConfig: "${AWS}", dataPipeline: "${AWS}" }`,
    'migrationHub: { progressUpdateStream: box }',
    'jobs:',
    ...jobs.map((name) => waitingJob(name)),
    more,
    '',
  ].join('\n');
}

export class InstalledHost {
  readonly #box: SystemdBox;
  readonly #share: string;
  #cursor = '';

  private constructor(box: SystemdBox, share: string) {
    this.#box = box;
    this.#share = share;
  }

  /** `root`: the root file system of another distribution (debian-root.ts). */
  static async boot(root = '/'): Promise<InstalledHost> {
    const share = mkdtempSync(join(tmpdir(), 'installed-'));
    const box = await SystemdBox.start({ [share]: '/share' }, root);
    // Images of containers forbid packages to start services; the box is a host.
    await box.run('rm', '-f', '/usr/sbin/policy-rc.d');
    return new InstalledHost(box, share);
  }

  /** Builds the packages; returns the path of one in the box. */
  build(version: string, format: 'deb' | 'rpm' | 'tar' = 'deb'): string {
    const output = join(this.#share, version);
    const message = [join(ROOT, 'systemd/package/build.ts'), '--fast', '--version', version];
    if (!existsSync(output)) {
      execFileSync(process.execPath, [...message, '--output', output], { stdio: 'ignore' });
    }
    const file = readdirSync(output).find((name) => name.endsWith(`.${format}`));
    if (file === undefined) throw new Error(`no ${format} was built`);
    return `/share/${version}/${file}`;
  }

  /** Writes a file of the box. */
  async write(path: string, content: string, mode = '644'): Promise<void> {
    writeFileSync(join(this.#share, 'file'), content);
    await this.output('install', '-D', '-m', mode, '/share/file', path);
  }

  run(...command: readonly string[]): Promise<Ran> {
    return this.#box.run(...command);
  }

  output(...command: readonly string[]): Promise<string> {
    return this.#box.output(...command);
  }

  async property(name: string): Promise<string> {
    return this.output('systemctl', 'show', '--value', '-p', name, SERVICE);
  }

  async status(): Promise<Status> {
    return JSON.parse(await this.output('migration-agent', 'status', '--json')) as Status;
  }

  async job(name: string): Promise<JobStatus | undefined> {
    return (await this.status()).jobs.find((job) => job.name === name);
  }

  async untilJob(name: string, isThere: (job: JobStatus) => boolean): Promise<JobStatus> {
    let last: JobStatus | undefined;
    await until(
      `job ${name}`,
      async () => {
        const { code, stdout } = await this.run('migration-agent', 'status', '--json');
        if (code !== 0) return false;
        last = (JSON.parse(stdout) as Status).jobs.find((job) => job.name === name);
        return last !== undefined && isThere(last);
      },
      () => JSON.stringify(last),
    );
    return last!;
  }

  /** Waits until systemd knows nothing of a unit any more. */
  async untilForgotten(unit: string): Promise<void> {
    const message = ['show', '--value', '-p', 'InvocationID', unit];
    await until(
      `${unit} is forgotten`,
      async () => (await this.output('systemctl', ...message)) === '',
    );
  }

  /** A page of the documents. */
  document(path: string): string {
    return readFileSync(join(ROOT, path), 'utf8');
  }

  /** Lets a job end with this code. */
  async end(name: string, code: number): Promise<void> {
    await this.write(`/tmp/${name}.code`, `${code}\n`);
  }

  /** Starts a job that waits to be ended. Resolves to its processes. */
  async start(name: string): Promise<string> {
    await this.run('rm', '-f', `/tmp/${name}.code`);
    await this.output('migration-agent', 'start', name);
    await this.untilJob(name, ({ state }) => state === 'running');
    return this.processesOf(name);
  }

  /** Pids of the shim and the job, in one line; empty: they are gone. */
  async processesOf(name: string): Promise<string> {
    const { stdout } = await this.run('pgrep', '-d', ' ', '-f', `until .*/tmp/${name}.code`);
    return stdout.trim();
  }

  /** A new agent is the main process, and it answers. */
  async untilRestarted(oldPid: string): Promise<void> {
    await until('a new agent answers', async () => {
      const pid = await this.property('MainPID');
      if (pid === '0' || pid === oldPid) return false;
      return (await this.run('migration-agent', 'status')).code === 0;
    });
  }

  /** What the simulator saw of a migration task, newest last. */
  async reportsOf(task: string): Promise<readonly SeenReport[]> {
    const ask = `fetch('${AWS}/_simulator/journal').then(async (a) => console.log(await a.text()))`;
    const text = await this.output('/usr/libexec/migration-agent/node', '-e', ask);
    return (JSON.parse(text) as readonly JournalEntry[]).flatMap(({ operation, request }) => {
      if (operation !== 'NotifyMigrationTaskState') return [];
      const { MigrationTaskName, NextUpdateSeconds, Task } = request as Notify;
      if (MigrationTaskName !== task) return [];
      return [{ status: Task.Status, nextUpdateS: NextUpdateSeconds }];
    });
  }

  /** What the journal has of the service since the last call. */
  async log(): Promise<string> {
    await this.output('journalctl', '--sync');
    const since = this.#cursor === '' ? [] : ['--after-cursor', this.#cursor];
    const message = ['-u', SERVICE, '-u', 'migration-agent.socket', '-o', 'cat', '--show-cursor'];
    // Its exit code is not 0 if nothing was logged.
    const { stdout } = await this.run('journalctl', '--no-pager', ...message, ...since);
    const lines = stdout.trimEnd().split('\n');
    const cursor = lines.findLast((line) => line.startsWith('-- cursor: '));
    if (cursor !== undefined) this.#cursor = cursor.slice('-- cursor: '.length);
    return lines.filter((line) => !line.startsWith('-- ')).join('\n');
  }

  async close(): Promise<void> {
    await this.#box.stop();
    rmSync(this.#share, { recursive: true });
  }
}

interface Notify {
  readonly MigrationTaskName: string;
  readonly NextUpdateSeconds: number;
  readonly Task: { readonly Status: string };
}

export interface SeenReport {
  readonly status: string;
  readonly nextUpdateS: number;
}
