/** What the past costs: nothing, once it is forgotten. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '../../src/core/model/status.ts';
import { ask, cpuMsOf, residentMbOf, startDaemon } from './daemon.ts';
import type { Daemon } from './daemon.ts';
import { amount } from './figure.ts';
import type { Benchmark, Figure } from './figure.ts';

const LIVE = 100;
/** Runs that come at once. One such lot comes before the first look: what the program does with its first runs, it does once. */
const A_PASS = 2_000;
const PASSES = 5;
const LATER = PASSES * A_PASS;
const BATCH = 200;
const QUESTIONS = 200;
/** V8 gives memory back some seconds after the work. */
const SETTLE_MS = 15_000;
const GIVE_UP_MS = 400_000;

interface Costs {
  readonly databaseMb: number;
  readonly rssMb: number;
  readonly statusMs: number;
}

export const retention: Benchmark = {
  name: 'retention',
  method: `The daemon from the sources with \`keepRuns: 1s\`, a budget that stands in no way and ${LIVE} live tracked jobs. Then ${LATER.toLocaleString('en-US')} runs, each of a
name of its own, are tracked, reported to Migration Hub as completed, delivered and forgotten. Size of the database, VmRSS and CPU of
\`GET /v1/status\` (${QUESTIONS} of them) afterwards against the same before, which is after the first ${A_PASS.toLocaleString('en-US')} such runs; they come in lots of as many.`,
  async run() {
    const daemon = await startDaemon({
      agent: ', keepRuns: 1s',
      hub: ', rate: { perSecond: 2000, burst: 2000 }',
    });
    try {
      await post(daemon, '/v1/tracked', names('live', 0, LIVE));
      await pass(daemon, 'first');
      const before = await costsOf(daemon);
      for (let one = 1; one <= PASSES; one++) await pass(daemon, `later-${one}`);
      const after = await costsOf(daemon);
      return [
        figure('size of the database', before.databaseMb, after.databaseMb, 'MB'),
        figure('memory (RSS)', before.rssMb, after.rssMb, 'MB'),
        figure('CPU of `GET /v1/status`', before.statusMs, after.statusMs, 'ms'),
      ];
    } finally {
      await daemon.end();
    }
  },
};

function figure(name: string, before: number, after: number, unit: string): Figure {
  const ratio = after / before;
  return {
    name: `${name}, ${LATER.toLocaleString('en-US')} forgotten runs later`,
    measured: amount(after, unit),
    baseline: `${amount(before, unit)} (before)`,
    ratio,
    target: '≤ 1.2×',
    isMet: ratio <= 1.2,
  };
}

function names(prefix: string, from: number, to: number): { readonly name: string }[] {
  return Array.from({ length: to - from }, (_, index) => ({ name: `${prefix}-${from + index}` }));
}

/** So many runs come, end, are delivered and are forgotten. */
async function pass(daemon: Daemon, prefix: string): Promise<void> {
  for (let from = 0; from < A_PASS; from += BATCH) {
    const batch = names(prefix, from, Math.min(A_PASS, from + BATCH));
    await post(daemon, '/v1/tracked', batch);
    await post(
      daemon,
      '/v1/reports',
      batch.map((one) => ({ ...one, status: 'completed' })),
    );
  }
  const giveUpAt = performance.now() + GIVE_UP_MS;
  while ((await statusOf(daemon)).jobs.length > LIVE) {
    if (performance.now() > giveUpAt) throw new Error('the runs are not forgotten');
    await sleep(1_000);
  }
}

async function costsOf(daemon: Daemon): Promise<Costs> {
  await sleep(SETTLE_MS);
  const rssMb = residentMbOf(daemon.pid);
  const beginMs = cpuMsOf(daemon.pid);
  for (let question = 0; question < QUESTIONS; question++) await statusOf(daemon);
  const statusMs = (cpuMsOf(daemon.pid) - beginMs) / QUESTIONS;
  const { size } = statSync(join(daemon.stateDirectory, 'state.db'));
  return { databaseMb: size / 1e6, rssMb, statusMs };
}

async function statusOf({ socket }: Daemon): Promise<Status> {
  const text = await ask({ socketPath: socket, path: '/v1/status' });
  if (text === undefined) throw new Error('the daemon does not answer');
  return JSON.parse(text) as Status;
}

async function post({ socket }: Daemon, path: string, body: unknown): Promise<void> {
  const answer = await ask({ socketPath: socket, path, method: 'POST', body });
  if (answer === undefined) throw new Error(`${path} was refused`);
}
