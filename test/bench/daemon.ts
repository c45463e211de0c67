/** The daemon as it is started, against a stub in the place of AWS, and what the kernel counts of it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from './monotonic.ts';
import { AWS_ENVIRONMENT, LAUNCHER, startProgram } from './program.ts';
import type { Program } from './program.ts';

const LOOK_MS = 5;

export interface DaemonOptions {
  /** The command and its first arguments. Default: the launcher of the checkout. */
  readonly command?: readonly string[];
  /** More lines of the configuration. */
  readonly more?: string;
  readonly agent?: string;
  readonly hub?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What an earlier daemon left in the state directory. */
  readonly leave?: (stateDirectory: string) => Promise<unknown>;
  /** Resolves when it has come as far as it is to be measured. Default: its first answer on the socket. */
  readonly begun?: (stub: Program) => Promise<unknown>;
}

export interface Daemon {
  readonly pid: number;
  readonly socket: string;
  readonly stateDirectory: string;
  /** From the spawn to the first answer on the socket, or until `begun`. */
  readonly answered: { readonly ms: number; readonly cpuMs: number; readonly peakMb: number };
  /** As systemd stops it. */
  stop(): Promise<void>;
  end(): Promise<void>;
}

export async function startDaemon(options: DaemonOptions = {}): Promise<Daemon> {
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-bench-daemon-'));
  const stub = startProgram('watching-stub', {});
  const { url } = await stub.next<{ readonly url: string }>();
  const socket = join(directory, 'agent.sock');
  const file = join(directory, 'config.yaml');
  writeFileSync(file, configuration(url, directory, socket, options));
  const [command = LAUNCHER, ...words] = options.command ?? [];
  const stateDirectory = join(directory, 'state');
  if (options.leave !== undefined) {
    mkdirSync(stateDirectory);
    await options.leave(stateDirectory);
  }
  const beginMs = monotonicMs();
  const child = spawn(command, [...words, 'daemon', '--config', file], {
    stdio: 'ignore',
    env: { ...process.env, ...AWS_ENVIRONMENT, ...options.environment },
  });
  const pid = child.pid ?? 0;
  const end = async (): Promise<void> => {
    await endProcess(child);
    await stub.end();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await Promise.race([options.begun?.(stub) ?? firstAnswer(socket, child), endedEarly(child)]);
  } catch (error) {
    await end();
    throw error;
  }
  const answered = { ms: monotonicMs() - beginMs, cpuMs: cpuMsOf(pid), peakMb: peakMbOf(pid) };
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    await end();
  };
  return { pid, socket, stateDirectory, answered, stop, end };
}

function configuration(
  url: string,
  directory: string,
  socket: string,
  { agent = '', hub = '', more = '' }: DaemonOptions,
): string {
  return `aws:
  region: us-west-2
  endpoints: { migrationHub: "${url}", migrationHubConfig: "${url}", dataPipeline: "${url}" }
migrationHub: { region: eu-central-1, progressUpdateStream: bench, createStream: true${hub} }
dataPipeline: { workerGroups: [files] }
agent: { stateDirectory: "${join(directory, 'state')}", socket: "${socket}"${agent} }
${more}`;
}

async function firstAnswer(socketPath: string, daemon: ChildProcess): Promise<void> {
  while (daemon.exitCode === null) {
    if ((await ask({ socketPath, path: '/v1/status' })) !== undefined) return;
    await sleep(LOOK_MS);
  }
}

async function endedEarly(daemon: ChildProcess): Promise<never> {
  const [code] = (await once(daemon, 'exit')) as [number | null];
  throw new Error(`the daemon ended with ${code ?? 'a signal'}`);
}

export interface Question {
  readonly socketPath?: string;
  readonly port?: number;
  readonly path: string;
  readonly method?: string;
  readonly body?: unknown;
}

/** The text of a good answer; undefined: there is none. */
export function ask({ body, ...to }: Question): Promise<string | undefined> {
  return new Promise((resolve) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    request({ host: '127.0.0.1', ...to, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const isGood = (response.statusCode ?? 500) < 300;
        resolve(isGood ? Buffer.concat(chunks).toString() : undefined);
      });
    })
      .on('error', () => resolve(undefined))
      .end(body === undefined ? undefined : JSON.stringify(body));
  });
}

export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** CPU time of all threads that are there, in nanoseconds of the scheduler (proc(5), schedstat). */
export function cpuMsOf(pid: number): number {
  return sumOf(pid, 'schedstat', (text) => Number(text.split(' ')[0]) / 1e6);
}

/** CPU time of the thread that runs the loop. */
export function loopCpuMsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8');
  return Number(text.split(' ')[0]) / 1e6;
}

/** How often a thread of the process slept and was woken. */
export function wakeUpsOf(pid: number): number {
  return sumOf(pid, 'status', (text) =>
    Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(text)?.[1]),
  );
}

export function residentMbOf(pid: number): number {
  return megabytesOf(pid, 'VmRSS');
}

/** The most that was ever resident. */
function peakMbOf(pid: number): number {
  return megabytesOf(pid, 'VmHWM');
}

function megabytesOf(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
}

function sumOf(pid: number, file: string, read: (text: string) => number): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      sum += read(readFileSync(`/proc/${pid}/task/${task}/${file}`, 'utf8'));
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return sum;
}
