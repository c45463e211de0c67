/** What the daemon takes while it has nothing to do. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuMsOf, endProcess, residentMbOf, startDaemon, wakeUpsOf } from './daemon.ts';
import { amount } from './figure.ts';
import type { Benchmark } from './figure.ts';
import { median } from './rounds.ts';

const ROUNDS = 3;
/** Garbage of the start collected or not: what is there a while after the start. */
const SETTLE_MS = 5000;
const WATCH_MS = 20_000;

interface Idle {
  readonly rssMb: number;
  readonly cpuPart: number;
  readonly wakeUps: number;
}

export const idle: Benchmark = {
  name: 'idle',
  method: `The daemon as it is started (\`src/migration-agent daemon\`), both destinations configured, no job, its polls held by a
stub server. From ${SETTLE_MS / 1000} s after the first answer on, both SDK clients loaded by then (a poll and a Hub call were made), for
${WATCH_MS / 1000} s: CPU time and wake-ups of all threads as the kernel counts them (schedstat, voluntary context switches), and VmRSS at
the end. Baseline: Node that imports the two SDK clients and sets a timer of one second. Medians of ${ROUNDS}.`,
  async run() {
    const daemons: Idle[] = [];
    const bares: Idle[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const [daemon, bare] = await Promise.all([idleDaemon(), idleNode()]);
      daemons.push(daemon);
      bares.push(bare);
    }
    const of = (all: readonly Idle[], key: keyof Idle): number =>
      median(all.map((one) => one[key]));
    const rssMb = of(daemons, 'rssMb');
    const wakeUps = of(daemons, 'wakeUps');
    const percent = of(daemons, 'cpuPart') * 100;
    return [
      {
        name: 'memory of the idle daemon (RSS)',
        measured: amount(rssMb, 'MB'),
        baseline: `${amount(of(bares, 'rssMb'), 'MB')} (Node with both SDK clients)`,
        ratio: rssMb / of(bares, 'rssMb'),
        target: '≤ 90 MB',
        isMet: rssMb <= 90,
      },
      {
        name: 'CPU of the idle daemon, part of a core',
        measured: `${percent.toFixed(3)} %`,
        baseline: `${(of(bares, 'cpuPart') * 100).toFixed(3)} % (Node with both SDK clients)`,
        target: '≤ 0.03 %',
        isMet: percent <= 0.03,
      },
      {
        name: 'wake-ups of the idle daemon a second',
        measured: wakeUps.toFixed(1),
        baseline: `${of(bares, 'wakeUps').toFixed(1)} (Node with both SDK clients)`,
        target: '≤ 3',
        isMet: wakeUps <= 3,
      },
    ];
  },
};

async function idleDaemon(): Promise<Idle> {
  const daemon = await startDaemon();
  try {
    return await watched(daemon.pid);
  } finally {
    await daemon.end();
  }
}

export const BARE_NODE = `
await Promise.all([import('@aws-sdk/client-migration-hub'), import('@aws-sdk/client-data-pipeline')]);
process.stdout.write('imported');
setInterval(() => {}, 1e3);
`;

async function idleNode(): Promise<Idle> {
  const node = spawn(process.execPath, ['--input-type=module', '-e', BARE_NODE], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // The SDK is found from here.
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
  try {
    await once(node.stdout, 'data');
    return await watched(node.pid ?? 0);
  } finally {
    await endProcess(node);
  }
}

async function watched(pid: number): Promise<Idle> {
  await sleep(SETTLE_MS);
  const [cpuMs, wakeUps] = [cpuMsOf(pid), wakeUpsOf(pid)];
  await sleep(WATCH_MS);
  return {
    cpuPart: (cpuMsOf(pid) - cpuMs) / WATCH_MS,
    wakeUps: ((wakeUpsOf(pid) - wakeUps) / WATCH_MS) * 1000,
    rssMb: residentMbOf(pid),
  };
}
