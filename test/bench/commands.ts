/** What a command costs, and the start of the daemon: from a package and from the sources. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ask, cpuMsOf, endProcess, startDaemon } from './daemon.ts';
import { amount } from './figure.ts';
import type { Benchmark, Figure } from './figure.ts';
import { BARE_NODE } from './idle.ts';
import { withBundle } from './packaged.ts';
import { LAUNCHER } from './program.ts';
import { median, paired } from './rounds.ts';

const ROUNDS = 3;
const CALLS = 5;
/** `status --names` is what a TAB runs, `completion` what the start of a shell may run. */
const COMMANDS = [
  'status',
  'report migration-1 --percent 40',
  'status --names',
  'completion bash',
  'wait migration-2',
  '--version',
];
const WITHOUT_SOCKET = /^(?:completion|--version)/;
const PACKAGED_MAX = 3.5;
const SOURCES_MAX = 7;

export const commands: Benchmark = {
  name: 'commands',
  method: `CPU time of a command as the shell counts it, ${CALLS} calls in a loop, against \`node -e 0\` by turns, against a daemon with two jobs. Packaged
means the bundle of the packages with Node and the flags of the launcher; both with what is compiled kept from an earlier call.`,
  async run() {
    return await withBundle(async (packaged) => {
      const daemon = await startDaemon();
      try {
        const question = { socketPath: daemon.socket, path: '/v1/tracked', method: 'POST' };
        await ask({ ...question, body: [{ name: 'migration-1' }, { name: 'migration-2' }] });
        const end = { name: 'migration-2', status: 'completed' };
        await ask({ ...question, path: '/v1/reports', body: end });
        const figures: Figure[] = [];
        for (const [where, program, max] of [
          ['packaged', packaged.join(' '), PACKAGED_MAX],
          ['sources', LAUNCHER, SOURCES_MAX],
        ] as const) {
          for (const words of COMMANDS) {
            const socket = WITHOUT_SOCKET.test(words) ? '' : ` --socket ${daemon.socket}`;
            figures.push(await commandFigure(where, words, `${program} ${words}${socket}`, max));
          }
        }
        return figures;
      } finally {
        await daemon.end();
      }
    });
  },
};

async function commandFigure(
  where: string,
  words: string,
  line: string,
  max: number,
): Promise<Figure> {
  run(line);
  const cpu = await paired(
    ROUNDS,
    () => run(line),
    () => run(`${process.execPath} -e 0`),
  );
  return {
    name: `CPU of \`${words.replace(/ (?:migration|bash).*/, '')}\`, ${where}`,
    measured: amount(cpu.measured, 'ms'),
    baseline: `${amount(cpu.baseline, 'ms')} (\`node -e 0\`)`,
    ratio: cpu.ratio,
    target: `≤ ${max}×`,
    isMet: cpu.ratio <= max,
  };
}

/** Milliseconds of CPU for each of the calls. */
function run(line: string): number {
  const loop = `TIMEFORMAT='%3U %3S'; time for i in $(seq ${CALLS}); do ${line} >/dev/null || exit 1; done`;
  const { status, stderr } = spawnSync('bash', ['-c', loop], { encoding: 'utf8' });
  const last = stderr.trim().split('\n').at(-1) ?? '';
  if (status !== 0) throw new Error(`${line}: ${last}`);
  const [userS = NaN, systemS = NaN] = last.split(' ').map(Number);
  return ((userS + systemS) * 1000) / CALLS;
}

const STARTS = 5;

export const start: Benchmark = {
  name: 'start',
  method: `CPU time of all threads (schedstat) from the spawn to the first answer on the socket, of the bundle of the packages with Node and the
flags of the launcher and of the sources. Baseline: Node from its start to the line that it writes after importing both SDK clients.
Medians of ${STARTS} by turns; what is compiled is kept from an earlier start.`,
  async run() {
    return await withBundle(async (packaged) => [
      await startFigure('packaged', packaged, 1.3),
      await startFigure('sources', [LAUNCHER], undefined),
    ]);
  },
};

async function startFigure(
  where: string,
  command: readonly string[],
  max: number | undefined,
): Promise<Figure> {
  const ms: number[] = [];
  const of = async (): Promise<number> => {
    const daemon = await startDaemon({ command });
    await daemon.end();
    ms.push(daemon.answered.ms);
    return daemon.answered.cpuMs;
  };
  // What was compiled is kept when the agent ends by itself.
  const first = await startDaemon({ command });
  await first.stop();
  const cpu = await paired(STARTS, of, bareStart);
  return {
    name: `CPU to the first answer, ${where} (${amount(median(ms), 'ms')} of time)`,
    measured: amount(cpu.measured, 'ms'),
    baseline: `${amount(cpu.baseline, 'ms')} (Node with both SDK clients)`,
    ratio: cpu.ratio,
    ...(max === undefined ? {} : { target: `≤ ${max}×`, isMet: cpu.ratio <= max }),
  };
}

async function bareStart(): Promise<number> {
  const node = spawn(process.execPath, ['--input-type=module', '-e', BARE_NODE], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
  try {
    await once(node.stdout, 'data');
    return cpuMsOf(node.pid ?? 0);
  } finally {
    await endProcess(node);
  }
}
