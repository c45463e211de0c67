/** From the start command to the first instruction of the job. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ask, startDaemon } from './daemon.ts';
import { amount } from './figure.ts';
import type { Figure } from './figure.ts';
import { median, quantile } from './rounds.ts';

const STARTS = 40;
const STARTS_FIRST = 5;
const TIMES_MAX = 4;
const LOOK_MS = 5;
const WAIT_MS_MAX = 30_000;
/** A program that says when it began, by the clock of the host. */
const COMMAND = ['date', '+%s%N'] as const;

/** By turns: a start of the agent, and the same program started by Node itself. */
export async function startToInstruction(): Promise<Figure> {
  const command = JSON.stringify(COMMAND);
  const daemon = await startDaemon({
    more: `jobs: { clock: { command: ${command}, migrationHub: false } }\n`,
  });
  const agentMs: number[] = [];
  const spawnMs: number[] = [];
  try {
    for (let run = 1; run <= STARTS; run++) {
      agentMs.push(await agentStartMs(daemon.socket, run));
      spawnMs.push(await bareStartMs());
    }
  } finally {
    await daemon.end();
  }
  const [measured, bare] = [agentMs, spawnMs].map((all) => all.slice(STARTS_FIRST));
  const ratio = median(measured ?? []) / median(bare ?? []);
  return {
    name: `start command to the job's first instruction (median; 95 % within ${amount(quantile(measured ?? [], 0.95), 'ms')})`,
    measured: amount(median(measured ?? []), 'ms'),
    baseline: `${amount(median(bare ?? []), 'ms')} (bare spawn)`,
    ratio,
    target: `≤ ${TIMES_MAX}×`,
    isMet: ratio <= TIMES_MAX,
  };
}

/** From the moment before the request is sent. */
async function agentStartMs(socket: string, run: number): Promise<number> {
  const beginMs = wallMs();
  const path = '/v1/jobs/clock/start';
  if ((await ask({ socketPath: socket, path, method: 'POST', body: {} })) === undefined) {
    throw new Error('the start was refused');
  }
  const log = join(dirname(socket), `state/runs/clock/${run}/stdout.log`);
  const endMs = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const [, nanoseconds] = /^(\d+)\n/.exec(textOf(log)) ?? [];
    if (nanoseconds !== undefined) {
      await ended(socket);
      return Number(nanoseconds) / 1e6 - beginMs;
    }
    if (performance.now() > endMs) throw new Error(`waited in vain for ${log}`);
    await sleep(LOOK_MS);
  }
}

async function ended(socketPath: string): Promise<void> {
  for (;;) {
    const text = (await ask({ socketPath, path: '/v1/jobs/clock' })) ?? '{}';
    if ((JSON.parse(text) as { state?: string }).state === 'succeeded') return;
    await sleep(LOOK_MS);
  }
}

async function bareStartMs(): Promise<number> {
  const beginMs = wallMs();
  const { stdout } = await promisify(execFile)(COMMAND[0], COMMAND.slice(1));
  return Number(stdout) / 1e6 - beginMs;
}

/** `date` reads the same clock. */
function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
