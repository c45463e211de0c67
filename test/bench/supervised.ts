/** What a running job costs the agent that supervises it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, cpuMsOf, startDaemon } from './daemon.ts';
import { amount } from './figure.ts';
import type { Benchmark, Figure } from './figure.ts';
import { median } from './rounds.ts';

const ROUNDS = 2;
const JOBS = 20;
const SETTLE_MS = 5000;
const WATCH_MS = 15_000;
const KINDS = [
  { name: 'silent', command: '[sleep, "600"]', targetMs: 0.1 },
  {
    name: 'a line a second',
    command: '[bash, -c, "for i in {1..600}; do echo $i%; sleep 1; done"]',
    targetMs: 0.3,
  },
];

export const supervised: Benchmark = {
  name: 'supervised',
  method: `The daemon as it is started, reporting to nobody (no destination answers for these jobs), with ${JOBS} running jobs: CPU time of all its
threads (schedstat) over ${WATCH_MS / 1000} s, less that of a daemon without jobs beside it, for each job and second. Medians of ${ROUNDS}.`,
  async run() {
    const figures: Figure[] = [];
    for (const kind of KINDS) figures.push(await figureOf(kind));
    return figures;
  },
};

async function figureOf({ name, command, targetMs }: (typeof KINDS)[number]): Promise<Figure> {
  const rounds: { readonly ms: number; readonly idleMs: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await measure(command));
  const ms = median(rounds.map((one) => one.ms));
  return {
    name: `CPU of a supervised job a second, ${name}`,
    measured: `${ms.toFixed(3)} ms`,
    baseline: `${amount(median(rounds.map((one) => one.idleMs)), 'ms')} (a second of the daemon without jobs)`,
    target: `≤ ${targetMs} ms`,
    isMet: ms <= targetMs,
  };
}

async function measure(command: string): Promise<{ readonly ms: number; readonly idleMs: number }> {
  const jobs = Array.from(
    { length: JOBS },
    (_, index) =>
      `  job-${index}: { command: ${command}, migrationHub: false, stop: { grace: 1s } }`,
  );
  const more = `jobs:\n${jobs.join('\n')}\n`;
  const [busy, empty] = await Promise.all([startDaemon({ more }), startDaemon()]);
  const post = async (action: string): Promise<void> => {
    for (let index = 0; index < JOBS; index++) {
      const path = `/v1/jobs/job-${index}/${action}`;
      await ask({ socketPath: busy.socket, path, method: 'POST', body: {} });
    }
  };
  try {
    await post('start');
    await sleep(SETTLE_MS);
    const before = [cpuMsOf(busy.pid), cpuMsOf(empty.pid)] as const;
    await sleep(WATCH_MS);
    const seconds = WATCH_MS / 1000;
    const busyMs = (cpuMsOf(busy.pid) - before[0]) / seconds;
    const idleMs = (cpuMsOf(empty.pid) - before[1]) / seconds;
    const status = JSON.parse(
      (await ask({ socketPath: busy.socket, path: '/v1/status' })) ?? '{"jobs":[]}',
    ) as { jobs: { state: string }[] };
    const running = status.jobs.filter(({ state }) => state === 'running').length;
    if (running !== JOBS) throw new Error(`${running} of ${JOBS} jobs run`);
    return { ms: (busyMs - idleMs) / JOBS, idleMs };
  } finally {
    await post('cancel');
    await gone(busy.socket);
    await Promise.all([busy.end(), empty.end()]);
  }
}

async function gone(socketPath: string): Promise<void> {
  for (let look = 0; look < 300; look++) {
    const text = (await ask({ socketPath, path: '/v1/status' })) ?? '';
    if (!/"state":\s*"(?:running|canceling|starting)"/.test(text)) return;
    await sleep(100);
  }
}
