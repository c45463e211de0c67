/**
 * What the tests of the job host share: a host on a state directory of its own, the events that it posts, and runs
 * to give it. Every process that a test starts carries the directory in its environment and is killed at its end.
 */
import { maskSecrets } from '../../src/core/lib/secrets.ts';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event } from '../../src/core/model/event.ts';
import type { HostIdentity } from '../../src/core/model/host-identity.ts';
import type { JobDefinition, Run } from '../../src/core/model/job.ts';
import { createJobHost } from '../../src/jobs/job-host.ts';
import { runDirectory } from '../../src/jobs/files/run-directory.ts';
import type { JobHost } from '../../src/ports.ts';
import { until as waitUntil } from '../support/until.ts';

export const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

export const fixtures = join(import.meta.dirname, 'fixtures');

type EventOf<Type extends Event['type']> = Extract<Event, { type: Type }>;

export interface Place {
  readonly directory: string;
  readonly socketPath: string;
}

type HostOptions = [
  boot?: string,
  cgroupBase?: string,
  backend?: 'process' | 'unit',
  hostIdentity?: HostIdentity,
];

export class Host implements Place {
  readonly directory: string;
  readonly socketPath: string;
  readonly events: Event[] = [];
  readonly host: JobHost;

  constructor(
    directory: string,
    boot = bootId,
    cgroupBase?: string,
    backend: 'process' | 'unit' = 'process',
    hostIdentity?: HostIdentity,
  ) {
    this.directory = directory;
    this.socketPath = join(directory, 'agent.sock');
    this.host = createJobHost({
      post: (event) => this.events.push(event),
      stateDirectory: directory,
      socketPath: this.socketPath,
      bootId: boot,
      // Beside what is known as a secret, a word that a test can put anywhere.
      mask: (text) => maskSecrets(text.replaceAll('hunter2', '***')),
      ...(cgroupBase === undefined ? {} : { cgroupBase }),
      ...(hostIdentity === undefined ? {} : { hostIdentity }),
      backend,
    });
  }

  /** The first event of this type, as soon as it is there. */
  async event<Type extends Event['type']>(type: Type): Promise<EventOf<Type>> {
    const isIt = (event: Event): event is EventOf<Type> => event.type === type;
    await until(
      () => this.events.some(isIt),
      () => `${type} in ${JSON.stringify(this.events)}`,
    );
    return this.events.find(isIt)!;
  }

  all<Type extends Event['type']>(type: Type): EventOf<Type>[] {
    return this.events.filter((event): event is EventOf<Type> => event.type === type);
  }

  get place(): Place {
    return { directory: this.directory, socketPath: this.socketPath };
  }

  has(run: Run, name: string): boolean {
    return existsSync(this.path(run, name));
  }

  types(): string[] {
    return this.events.map((event) => event.type);
  }

  path(run: Run, name: string): string {
    return join(runDirectory(this.directory, run.job, run.number), name);
  }

  /** As the shim of the run does before it does anything else. */
  async takeStartLockAsShim(run: Run): Promise<void> {
    await mkdir(this.path(run, '.shim'), { recursive: true });
    await writeFile(this.path(run, '.shim/start-lock.1'), '', { flag: 'wx' });
  }

  read(run: Run, name: string): Promise<string> {
    return readFile(this.path(run, name), 'utf8');
  }
}

/** Gives the test a directory and hosts on it; afterwards nothing of them is left. */
export async function withHosts(
  use: (newHost: (...options: HostOptions) => Host, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'migration-agent-jobs-'));
  const hosts: Host[] = [];
  try {
    await use((...options) => {
      const host = new Host(directory, ...options);
      hosts.push(host);
      return host;
    }, directory);
  } finally {
    await Promise.all(hosts.map(({ host }) => host.close()));
    await until(
      () => {
        const left = processesWith(directory);
        left.forEach(kill);
        return left.length === 0;
      },
      () => 'the processes of the test to end',
    );
    // What was killed a moment ago may still be writing its record.
    await rm(directory, { recursive: true, maxRetries: 5, retryDelay: 50 });
  }
}

let runs = 0;

export function makeRun(
  command: readonly string[],
  definition: Partial<JobDefinition> = {},
  run: Partial<Run> = {},
): Run {
  const job = run.job ?? definition.name ?? 'copy files';
  const number = run.number ?? (runs += 1);
  return {
    id: `${job}/${number}`,
    job,
    number,
    definition: {
      name: job,
      command,
      environment: {},
      autostart: false,
      progress: { parser: 'none' },
      stop: { signal: 'SIGTERM', graceMs: 1000 },
      ...definition,
    },
    origin: 'operator',
    state: 'starting',
    requestedAt: { wallMs: 0, bootMs: 0 },
    spawn: 1,
    ...run,
  };
}

export function sh(text: string): string[] {
  return ['/bin/sh', '-c', text];
}

export async function until(
  isSo: () => boolean | Promise<boolean>,
  message: () => string,
): Promise<void> {
  await waitUntil('there is', isSo, message);
}

/**
 * As the planner does: SIGKILL and a look, until nothing is left. On a busy machine one look may still see who was killed, and
 * what records the end takes its time.
 */
export async function killUntilGone(host: Host, run: Run): Promise<void> {
  const looks = (): readonly EventOf<'tree-checked'>[] =>
    host.all('tree-checked').filter((event) => event.run === run.id);
  for (;;) {
    const before = looks().length;
    host.host.signalTree(run, 'SIGKILL');
    await until(
      () => looks().length > before,
      () => `a look at the tree after ${JSON.stringify(looks())}`,
    );
    if (looks().at(-1)?.survivors.length === 0) return;
  }
}

/** Living processes with this text in their environment or command line: an independent look at /proc. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      const has = (name: string): boolean => readFileSync(`/proc/${pid}/${name}`).includes(text);
      try {
        if (!has('environ') && !has('cmdline')) return false;
        const state = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8').split('\n').at(-2)!);
        return !['Z', 'X'].includes(state![1]!);
      } catch {
        return false;
      }
    })
    .map(Number);
}

export function startTicksOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!;
}

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

export function isInstalled(program: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program]);
    return true;
  } catch {
    return false;
  }
}
