/** What the past costs: nothing, once it is forgotten. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '../../src/core/model/status.ts';
import { ask, cpuMsOf, startDaemon } from './daemon.ts';
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
/** V8 collects garbage some seconds after the work. */
const SETTLE_MS = 15_000;
const LOOK_MS = 200;
const GIVE_UP_MS = 400_000;

interface Costs {
  readonly databaseMb: number;
  readonly heapMb: number;
  readonly statusMs: number;
}

export const retention: Benchmark = {
  name: 'retention',
  method: `The daemon from the sources with \`keepRuns: 1s\`, a budget that stands in no way and ${LIVE} live tracked jobs. Then ${LATER.toLocaleString('en-US')} runs, each of a
name of its own, are tracked, reported to Migration Hub as completed, delivered and forgotten. Size of the database, live heap and CPU of
\`GET /v1/status\` (${QUESTIONS} of them) afterwards against the same before, which is after the first ${A_PASS.toLocaleString('en-US')} such runs; they come in lots of as many. The live heap
is what a heap snapshot (\`--heapsnapshot-signal\`) holds, which V8 makes after a full collection: VmRSS says more of when V8 gives pages back than of what is kept.`,
  async run() {
    const snapshots = mkdtempSync(join(tmpdir(), 'migration-agent-bench-heap-'));
    const daemon = await startDaemon({
      environment: {
        NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${snapshots}`,
      },
      agent: ', keepRuns: 1s',
      hub: ', rate: { perSecond: 2000, burst: 2000 }',
    });
    try {
      await post(daemon, '/v1/tracked', names('live', 0, LIVE));
      await pass(daemon, 'first');
      const before = await costsOf(daemon, snapshots);
      for (let one = 1; one <= PASSES; one++) await pass(daemon, `later-${one}`);
      const after = await costsOf(daemon, snapshots);
      return [
        figure('size of the database', before.databaseMb, after.databaseMb, 'MB'),
        figure('live heap', before.heapMb, after.heapMb, 'MB'),
        figure('CPU of `GET /v1/status`', before.statusMs, after.statusMs, 'ms'),
      ];
    } finally {
      await daemon.end();
      rmSync(snapshots, { recursive: true });
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

async function costsOf(daemon: Daemon, snapshots: string): Promise<Costs> {
  await sleep(SETTLE_MS);
  const beginMs = cpuMsOf(daemon.pid);
  for (let question = 0; question < QUESTIONS; question++) await statusOf(daemon);
  const statusMs = (cpuMsOf(daemon.pid) - beginMs) / QUESTIONS;
  const { size } = statSync(join(daemon.stateDirectory, 'state.db'));
  return { databaseMb: size / 1e6, heapMb: await liveHeapMb(daemon, snapshots), statusMs };
}

/** V8 collects all garbage first. */
async function liveHeapMb({ pid }: Daemon, snapshots: string): Promise<number> {
  process.kill(pid, 'SIGUSR2');
  const giveUpAt = performance.now() + GIVE_UP_MS;
  for (;;) {
    await sleep(LOOK_MS);
    const [name] = readdirSync(snapshots);
    const bytes = name === undefined ? undefined : liveBytes(join(snapshots, name));
    if (bytes !== undefined) return bytes / 1e6;
    if (performance.now() > giveUpAt) throw new Error('the daemon makes no heap snapshot');
  }
}

/** The sizes of all objects of a snapshot, which is removed. Absent: it is being written. */
function liveBytes(file: string): number | undefined {
  let parsed: HeapSnapshot;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8')) as HeapSnapshot;
  } catch {
    return undefined;
  }
  rmSync(file);
  const { node_fields: fields } = parsed.snapshot.meta;
  const place = fields.indexOf('self_size');
  return parsed.nodes.reduce(
    (sum, value, index) => (index % fields.length === place ? sum + value : sum),
    0,
  );
}

interface HeapSnapshot {
  readonly snapshot: { readonly meta: { readonly node_fields: readonly string[] } };
  readonly nodes: readonly number[];
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
