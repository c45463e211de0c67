/** How long a change takes to the wire, and `canceled` to the job's signal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { amount } from './figure.ts';
import type { Benchmark, Figure } from './figure.ts';
import { monotonicMs } from './monotonic.ts';
import { daemonFlags, startProgram } from './program.ts';
import type { Program } from './program.ts';
import type { Canceled, Reported } from './programs/watching-stub.ts';
import { median, quantile } from './rounds.ts';
import { startToInstruction } from './start-latency.ts';

const TARGET_MS = 10;
const CHANGES = 200;
const CHANGES_FIRST = 20;
const CANCELS = 30;
const LOOK_MS = 2;

export const latency: Benchmark = {
  name: 'latency',
  method: `Change to wire: the real agent (loop, SQLite store, gates, services) whose budget is free gets \`run-exited\` for one of
its jobs; the stub, a server in a process of its own, records when the request with the final report arrives. ${CHANGES}
changes one after the other, ${CHANGES_FIRST} before them not counted. Baseline: the bare SDK client sends the same word
when asked. Cancel to signal: from the moment before the stub writes the answer \`canceled\` until a real process of the
real job host handles SIGTERM (a Node program; ${CANCELS} tasks one after the other). Baseline: \`kill\` of the same
program, without an agent. All processes read the kernel's monotonic clock. Start command to first instruction: from the moment
before the request to start a job goes to the socket of the daemon until \`date\`, the job, reads the clock; 35 starts one after the
other, five before them not counted. Baseline: Node starts the same program itself.
What a start has beside a bare spawn (\`strace -f -ttt -e trace=execve,clone,vfork,fsync,write -p PID\`): a commit with fsync, since nothing
runs before its start is on disk; a fork of the whole daemon; one shell before the job, the shim; and the move into the run's control group, for
which the kernel waits for a grace period (RCU) of some ten milliseconds, most of which passes while the start is prepared.`,
  async run() {
    const stub = startProgram('watching-stub', {});
    try {
      const { url } = await stub.next<{ readonly url: string }>();
      return [
        await changeToWire(stub, url),
        await cancelToSignal(stub, url),
        await startToInstruction(),
      ];
    } finally {
      await stub.end();
    }
  },
};

async function changeToWire(stub: Program, url: string): Promise<Figure> {
  const jobs = CHANGES + CHANGES_FIRST;
  const agent = startProgram('agent-changes', { url, jobs }, daemonFlags());
  const sdk = startProgram('sdk-changes', { url });
  const agentMs: number[] = [];
  const sdkMs: number[] = [];
  try {
    await Promise.all([agent.next(), sdk.next()]);
    for (let i = 0; i < jobs; i++) {
      agentMs.push(await tripMs(agent, stub, `migration-${i}`));
      sdkMs.push(await tripMs(sdk, stub, `bare-${i}`));
    }
    agent.tell({ end: true });
    await agent.next<object>((message) => 'ended' in message);
  } finally {
    await agent.end();
    await sdk.end();
  }
  return figureOf(
    'change to wire',
    agentMs.slice(CHANGES_FIRST),
    sdkMs.slice(CHANGES_FIRST),
    'bare SDK call',
  );
}

async function tripMs(from: Program, stub: Program, task: string): Promise<number> {
  from.tell({ change: task });
  const [{ changedMs }, { atMs }] = await Promise.all([
    from.next<{ readonly changedMs: number }>(),
    stub.next<Reported>((message) => message.reported === task && message.status === 'COMPLETED'),
  ]);
  return atMs - changedMs;
}

async function cancelToSignal(stub: Program, url: string): Promise<Figure> {
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-bench-job-'));
  const agent = startProgram('agent-cancels', { url, directory }, daemonFlags());
  const agentMs: number[] = [];
  const killMs: number[] = [];
  try {
    await agent.next();
    for (let i = 1; i <= CANCELS; i++) {
      stub.tell({ handOut: `task-${i}` });
      await fileIn(directory, `ready-${i}`);
      stub.tell({ cancel: `task-${i}` });
      const { atMs } = await stub.next<Canceled>((message) => message.canceled === `task-${i}`);
      agentMs.push(Number(await fileIn(directory, `signalled-${i}`)) - atMs);
      if (i % 3 === 0) killMs.push(await bareKillMs());
    }
    agent.tell({ end: true });
    await agent.next<object>((message) => 'ended' in message);
  } finally {
    await agent.end();
    rmSync(directory, { recursive: true, force: true });
  }
  return figureOf(
    `canceled to SIGTERM, ${processes()} processes on the host`,
    agentMs,
    killMs,
    'bare kill',
  );
}

async function bareKillMs(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-bench-kill-'));
  const file = fileURLToPath(new URL('programs/canceled-job.ts', import.meta.url));
  const job = spawn(process.execPath, [file, directory], { stdio: 'ignore' });
  const ended = once(job, 'exit');
  try {
    await fileIn(directory, 'ready-bare');
    const atMs = monotonicMs();
    job.kill('SIGTERM');
    await ended;
    return Number(await fileIn(directory, 'signalled-bare')) - atMs;
  } finally {
    job.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Waits for a file of the job and hands back what is in it. */
async function fileIn(directory: string, name: string): Promise<string> {
  const endMs = monotonicMs() + 30_000;
  const file = join(directory, name);
  while (!existsSync(file)) {
    if (monotonicMs() > endMs) throw new Error(`waited in vain for ${name}`);
    await sleep(LOOK_MS);
  }
  return readFileSync(file, 'utf8');
}

function processes(): number {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;
}

function figureOf(name: string, ms: number[], baseline: number[], message: string): Figure {
  const measured = median(ms);
  return {
    name: `${name} (median; 95 % within ${amount(quantile(ms, 0.95), 'ms')})`,
    measured: amount(measured, 'ms'),
    baseline: `${amount(median(baseline), 'ms')} (${message})`,
    ratio: measured / median(baseline),
    target: `< ${TARGET_MS} ms`,
    isMet: measured < TARGET_MS,
  };
}
