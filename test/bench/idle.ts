/** What the daemon takes while it has nothing to do, and how soon it answers. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { amount } from './figure.ts';
import type { Benchmark } from './figure.ts';
import { monotonicMs } from './monotonic.ts';
import { AWS_ENVIRONMENT, LAUNCHER, startProgram } from './program.ts';
import { median } from './rounds.ts';

const ROUNDS = 5;
/** Calls made, garbage of the start collected or not: what is there a while after the start. */
const SETTLE_MS = 3000;
const LOOK_MS = 5;

interface Standing {
  readonly answeredMs: number;
  readonly rssKb: number;
}

export const idle: Benchmark = {
  name: 'idle',
  method: `The daemon as it is started (\`src/migration-agent daemon\`), both destinations configured, no job, its polls held by a
stub server. Memory is VmRSS of /proc/PID/status ${SETTLE_MS / 1000} s after the first answer, both SDK clients loaded by then
(a poll and a Hub call were made). Baseline: Node that imports the two SDK clients and sets a timer, with the same wait. The
time to the first answer is from spawn to the status over the Unix socket, asked every ${LOOK_MS} ms; its baseline is the
same Node from spawn to its first line, written after the imports. Medians of ${ROUNDS} starts each.`,
  async run() {
    const daemons: Standing[] = [];
    const bares: Standing[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      daemons.push(await standDaemon());
      bares.push(await standBare());
    }
    const rss = (all: Standing[]): number => median(all.map((one) => one.rssKb / 1024));
    const ms = (all: Standing[]): number => median(all.map((one) => one.answeredMs));
    return [
      {
        name: 'memory of the idle daemon (RSS)',
        measured: amount(rss(daemons), 'MB'),
        baseline: `${amount(rss(bares), 'MB')} (Node with both SDK clients)`,
        ratio: rss(daemons) / rss(bares),
      },
      {
        name: 'spawn to first answer on the socket',
        measured: amount(ms(daemons), 'ms'),
        baseline: `${amount(ms(bares), 'ms')} (Node with both SDK clients)`,
        ratio: ms(daemons) / ms(bares),
      },
    ];
  },
};

async function standDaemon(): Promise<Standing> {
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-bench-idle-'));
  const stub = startProgram('watching-stub', {});
  let daemon: ChildProcess | undefined;
  try {
    const { url } = await stub.next<{ readonly url: string }>();
    const socket = join(directory, 'agent.sock');
    const file = join(directory, 'config.yaml');
    writeFileSync(file, configuration(url, directory, socket));
    const beginMs = monotonicMs();
    daemon = spawn(LAUNCHER, ['daemon', '--config', file], {
      stdio: 'ignore',
      env: { ...process.env, ...AWS_ENVIRONMENT },
    });
    await firstAnswer(socket, daemon);
    const answeredMs = monotonicMs() - beginMs;
    await sleep(SETTLE_MS);
    return { answeredMs, rssKb: rssKb(daemon) };
  } finally {
    if (daemon !== undefined) await end(daemon);
    await stub.end();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function configuration(url: string, directory: string, socket: string): string {
  return `aws:
  region: us-west-2
  endpoints: { migrationHub: "${url}", migrationHubConfig: "${url}", dataPipeline: "${url}" }
migrationHub: { region: eu-central-1, progressUpdateStream: bench, createStream: true }
dataPipeline: { workerGroups: [files] }
agent: { stateDirectory: "${join(directory, 'state')}", socket: "${socket}" }
`;
}

const BARE = `
await Promise.all([import('@aws-sdk/client-migration-hub'), import('@aws-sdk/client-data-pipeline')]);
process.stdout.write('imported');
setInterval(() => {}, 1e3);
`;

async function standBare(): Promise<Standing> {
  const beginMs = monotonicMs();
  const node = spawn(process.execPath, ['--input-type=module', '-e', BARE], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // The SDK is found from here.
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
  try {
    await once(node.stdout, 'data');
    const answeredMs = monotonicMs() - beginMs;
    await sleep(SETTLE_MS);
    return { answeredMs, rssKb: rssKb(node) };
  } finally {
    await end(node);
  }
}

async function firstAnswer(socketPath: string, daemon: ChildProcess): Promise<void> {
  while (daemon.exitCode === null) {
    if (await answers(socketPath)) return;
    await sleep(LOOK_MS);
  }
  throw new Error(`the daemon ended with ${daemon.exitCode}`);
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    request({ socketPath, path: '/v1/status' }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on('error', () => resolve(false))
      .end();
  });
}

function rssKb({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid ?? 'self'}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
