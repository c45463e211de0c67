/** What the daemon takes while it has nothing to do. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { withAwakeProcessors } from './awake.ts';
import { cpuMsOf, endProcess, residentMbOf, startDaemon, wakeUpsOf } from './daemon.ts';
import { amount } from './figure.ts';
import type { Benchmark, Figure } from './figure.ts';
import { withBundle } from './packaged.ts';
import { defined } from '../../src/core/lib/defined.ts';
import { median } from './rounds.ts';

const ROUNDS = 3;
/** V8 collects the garbage of the start eight seconds after it, once; after that nothing happens. */
const SETTLE_MS = 20_000;
const WATCH_MS = 40_000;

interface Idle {
  readonly rssMb: number;
  readonly cpuPart: number;
  readonly wakeUps: number;
}

export const idle: Benchmark = {
  name: 'idle',
  method: `The daemon with both destinations configured, no job, its polls held by a stub server: the bundle of the packages with Node
and the flags of the launcher, and the sources. From ${SETTLE_MS / 1000} s after the first answer on, both SDK clients loaded by then (a poll
and a Hub call were made), for ${WATCH_MS / 1000} s: CPU time and wake-ups of all threads as the kernel counts them (schedstat, voluntary
context switches), and VmRSS at the end. Baseline: Node that imports the two SDK clients and sets a timer of one second. Medians of ${ROUNDS}.
The processors are kept awake meanwhile by loops that run only while nothing else wants to (\`chrt --idle\`): a virtual machine charges the
waking of a halted processor to the process that is woken, which is many times what that does.`,
  async run() {
    return await withBundle((packaged) => withAwakeProcessors(() => figures(packaged)));
  },
};

async function figures(packaged: readonly string[]): Promise<Figure[]> {
  const measured: Record<'packaged' | 'sources' | 'bare', Idle[]> = {
    packaged: [],
    sources: [],
    bare: [],
  };
  for (let round = 0; round < ROUNDS; round++) {
    const [ours, sources, bare] = await Promise.all([
      idleDaemon(packaged),
      idleDaemon(undefined),
      idleNode(),
    ]);
    measured.packaged.push(ours);
    measured.sources.push(sources);
    measured.bare.push(bare);
  }
  const bare = medians(measured.bare);
  return [
    ...figuresOf('packaged', medians(measured.packaged), bare),
    ...figuresOf('sources', medians(measured.sources), bare),
  ];
}

function medians(all: readonly Idle[]): Idle {
  const of = (key: keyof Idle): number => median(all.map((one) => one[key]));
  return { rssMb: of('rssMb'), cpuPart: of('cpuPart'), wakeUps: of('wakeUps') };
}

function figuresOf(where: string, measured: Idle, bare: Idle): Figure[] {
  const percent = measured.cpuPart * 100;
  return [
    {
      name: `memory of the idle daemon (RSS), ${where}`,
      measured: amount(measured.rssMb, 'MB'),
      baseline: `${amount(bare.rssMb, 'MB')} (Node with both SDK clients)`,
      ratio: measured.rssMb / bare.rssMb,
      target: '≤ 90 MB',
      isMet: measured.rssMb <= 90,
    },
    {
      name: `CPU of the idle daemon, part of a core, ${where}`,
      measured: `${percent.toFixed(3)} %`,
      baseline: `${(bare.cpuPart * 100).toFixed(3)} % (Node with both SDK clients)`,
      target: '≤ 0.03 %',
      isMet: percent <= 0.03,
    },
    {
      name: `wake-ups of the idle daemon a second, ${where}`,
      measured: measured.wakeUps.toFixed(1),
      baseline: `${bare.wakeUps.toFixed(1)} (Node with both SDK clients)`,
      target: '≤ 3',
      isMet: measured.wakeUps <= 3,
    },
  ];
}

/** `command`: undefined for the launcher of the checkout. */
async function idleDaemon(command: readonly string[] | undefined): Promise<Idle> {
  const daemon = await startDaemon(defined({ command }));
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
