/** What running jobs cost the agent that supervises them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal } from '../../src/core/model/job.ts';
import type { JobStatus } from '../../src/core/model/status.ts';
import { withAwakeProcessors } from './awake.ts';
import { ask, cpuMsOf, startDaemon } from './daemon.ts';
import type { Daemon } from './daemon.ts';
import { amount } from './figure.ts';
import type { Benchmark, Figure } from './figure.ts';
import { median } from './rounds.ts';

/** As in idle.ts: V8 collects the garbage of the start some seconds after it. The runs are in their rounds by then. */
const SETTLE_MS = 20_000;
const WATCH_MS = 12_000;
/** A collection of garbage in one of them counts for as much as twenty jobs. */
const WATCHES = 3;
const LOOK_MS = 100;
const WAIT_MS_MAX = 60_000;

interface Kind {
  readonly jobs: number;
  readonly name: string;
  readonly command: string;
  readonly targetMs: number;
}

const SILENT = { name: 'silent', command: '[sleep, "600"]', targetMs: 0.1 };
const WRITING = {
  name: 'a line with another percent each second',
  command: '[bash, -c, "for i in {1..600}; do echo $((i % 100))%; sleep 1; done"]',
  targetMs: 0.3,
};
const KINDS: readonly Kind[] = [
  { ...SILENT, jobs: 20 },
  { ...SILENT, jobs: 200 },
  { ...WRITING, jobs: 20 },
  { ...WRITING, jobs: 200 },
];

export const supervised: Benchmark = {
  name: 'supervised',
  method: `The daemon as it is started, with running jobs that are reported to nobody: CPU time of all its threads (schedstat) over
${WATCH_MS / 1000} s, less that of a daemon without jobs beside it, for each job and second. The CPU time of the shims (the \`sh\` that records how a
job ended) is measured alike and named apart; that of the jobs themselves is not counted. Medians of ${WATCHES} such\ntimes one after the other. The processors are kept awake, as for _idle_.`,
  async run() {
    const figures: Figure[] = [];
    await withAwakeProcessors(async () => {
      for (const kind of KINDS) figures.push(await figureOf(kind));
    });
    return figures;
  },
};

async function figureOf(kind: Kind): Promise<Figure> {
  const { jobs, name, targetMs } = kind;
  const { ms, shimMs, emptyMs } = await measure(kind);
  return {
    name: `CPU of a supervised job a second, ${jobs} jobs, ${name} (its shim: ${shimMs.toFixed(3)} ms)`,
    measured: `${ms.toFixed(3)} ms`,
    baseline: `${amount(emptyMs, 'ms')} (a second of the daemon without jobs)`,
    target: `≤ ${targetMs} ms`,
    isMet: ms <= targetMs,
  };
}

/** All in milliseconds of CPU a second; of the jobs and their shims for each. */
interface Costs {
  readonly ms: number;
  readonly shimMs: number;
  readonly emptyMs: number;
}

async function measure({ jobs, command }: Kind): Promise<Costs> {
  const lines = Array.from(
    { length: jobs },
    (_, index) =>
      `  job-${index}: { command: ${command}, progress: { parser: percent }, migrationHub: false, stop: { grace: 1s } }`,
  );
  const [busy, empty] = await Promise.all([
    startDaemon({ more: `jobs:\n${lines.join('\n')}\n` }),
    startDaemon(),
  ]);
  try {
    await post(busy, jobs, 'start');
    const running = await untilAll(busy, ({ state }) => state === 'running');
    const shims = running.map(({ pid = 0 }) => pid);
    await sleep(SETTLE_MS);
    const read = (): readonly number[] => [
      cpuMsOf(busy.pid),
      cpuMsOf(empty.pid),
      shims.reduce((sum, pid) => sum + cpuMsOf(pid), 0),
    ];
    const watched: Costs[] = [];
    for (let watch = 0; watch < WATCHES; watch++) {
      const begin = read();
      await sleep(WATCH_MS);
      const [busyMs = NaN, emptyMs = NaN, shimMs = NaN] = read().map(
        (ms, index) => ((ms - (begin[index] ?? NaN)) / WATCH_MS) * 1000,
      );
      watched.push({ ms: (busyMs - emptyMs) / jobs, shimMs: shimMs / jobs, emptyMs });
    }
    await untilAll(busy, ({ state }) => state === 'running');
    const of = (key: keyof Costs): number => median(watched.map((one) => one[key]));
    return { ms: of('ms'), shimMs: of('shimMs'), emptyMs: of('emptyMs') };
  } finally {
    await post(busy, jobs, 'cancel');
    await untilAll(busy, ({ state }) => state === 'idle' || isFinal(state));
    await Promise.all([busy.end(), empty.end()]);
  }
}

async function post({ socket }: Daemon, jobs: number, action: string): Promise<void> {
  for (let index = 0; index < jobs; index++) {
    const path = `/v1/jobs/job-${index}/${action}`;
    await ask({ socketPath: socket, path, method: 'POST', body: {} });
  }
}

/** The jobs, when it holds for all of them. */
async function untilAll(
  { socket }: Daemon,
  holds: (job: JobStatus) => boolean,
): Promise<readonly JobStatus[]> {
  const endMs = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const text = (await ask({ socketPath: socket, path: '/v1/jobs' })) ?? '{"jobs":[]}';
    const { jobs } = JSON.parse(text) as { jobs: readonly JobStatus[] };
    if (jobs.length > 0 && jobs.every(holds)) return jobs;
    if (performance.now() > endMs) {
      const others = jobs.filter((job) => !holds(job)).map(({ name, state }) => `${name} ${state}`);
      throw new Error(`waited in vain for ${others.slice(0, 3).join(', ')}`);
    }
    await sleep(LOOK_MS);
  }
}
