/** What a look at a host with very many jobs costs. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, cpuMsOf, loopCpuMsOf, residentMbOf, startDaemon } from './daemon.ts';
import type { Daemon, Question } from './daemon.ts';
import { amount } from './figure.ts';
import type { Benchmark, Figure } from './figure.ts';
import { monotonicMs } from './monotonic.ts';
import { quantile } from './rounds.ts';

const JOBS = 10_000;
const AT_ONCE = 500;
const WAITERS = 8;
const HOLD_MS_MAX = 20;

export const views: Benchmark = {
  name: 'views',
  method: `The daemon as it is started, with ${JOBS} tracked jobs: CPU time of all its threads for each answer (schedstat), less what it takes
in as much time without questions. How long the loop is held: \`/healthz\` is asked again and again while the other question is
answered; what counts is the CPU time that the thread of the loop takes from the request to the answer, which no other process
of the machine lengthens. ${WAITERS} waiting clients ask for one job each second, as \`wait\` does without an event stream.`,
  async run() {
    const port = await freePort();
    const daemon = await startDaemon({ agent: `, http: { listen: "127.0.0.1:${port}" }` });
    try {
      await track(daemon);
      const one = { socketPath: daemon.socket, path: '/v1/jobs/migration-5000' };
      const metrics = { port, path: '/metrics' };
      const overview = { port, path: '/overview.json' };
      const names = { socketPath: daemon.socket, path: '/v1/names' };
      const status = { socketPath: daemon.socket, path: '/v1/status' };
      return [
        await cost(daemon, 'status of one job', one, 300, 2),
        await cost(daemon, '/healthz', { port, path: '/healthz' }, 300, 2),
        await cost(daemon, '/metrics', metrics, 10, 150),
        await cost(daemon, 'the names of all jobs', names, 20),
        await cost(daemon, 'the overview of the page', overview, 10),
        await cost(daemon, 'status of all jobs', status, 10),
        await hold(daemon, '/metrics', port, metrics),
        await hold(daemon, 'the overview of the page', port, overview),
        await hold(daemon, 'status of all jobs', port, status),
        await waiting(daemon, port),
        {
          name: `memory with ${JOBS} jobs`,
          measured: amount(residentMbOf(daemon.pid), 'MB'),
        },
      ];
    } finally {
      await daemon.end();
    }
  },
};

async function track({ socket }: Daemon): Promise<void> {
  for (let from = 0; from < JOBS; from += AT_ONCE) {
    const body = Array.from({ length: AT_ONCE }, (_, index) => ({
      name: `migration-${from + index}`,
    }));
    const question = { socketPath: socket, path: '/v1/tracked', method: 'POST', body };
    if ((await ask(question)) === undefined) throw new Error('the jobs are not taken');
  }
}

async function cost(
  { pid }: Daemon,
  name: string,
  question: Question,
  count: number,
  targetMs?: number,
): Promise<Figure> {
  await times(Math.ceil(count / 5), question);
  const [beginMs, cpuMs] = [monotonicMs(), cpuMsOf(pid)];
  await times(count, question);
  const tookMs = monotonicMs() - beginMs;
  const busyMs = cpuMsOf(pid) - cpuMs;
  await sleep(tookMs);
  const idleMs = cpuMsOf(pid) - cpuMs - busyMs;
  const ms = Math.max(0, busyMs - idleMs) / count;
  return {
    name: `CPU of ${name}, ${JOBS} jobs`,
    measured: amount(ms, 'ms'),
    ...(targetMs === undefined ? {} : { target: `≤ ${targetMs} ms`, isMet: ms <= targetMs }),
  };
}

async function times(count: number, question: Question): Promise<void> {
  for (let i = 0; i < count; i++) {
    if ((await ask(question)) === undefined) throw new Error(`no answer: ${question.path}`);
  }
}

async function hold(
  { pid }: Daemon,
  name: string,
  port: number,
  question: Question,
): Promise<Figure> {
  const ms = await holds(pid, port, () => times(10, question));
  const longest = Math.max(...ms);
  return {
    name: `longest hold of the loop while ${name} is made (CPU), ${JOBS} jobs`,
    measured: amount(longest, 'ms'),
    target: `≤ ${HOLD_MS_MAX} ms`,
    isMet: longest <= HOLD_MS_MAX,
  };
}

async function waiting({ pid, socket }: Daemon, port: number): Promise<Figure> {
  const wait = async (index: number): Promise<void> => {
    for (let second = 0; second < 5; second++) {
      await times(1, { socketPath: socket, path: `/v1/jobs/migration-${index}` });
      await sleep(1000);
    }
  };
  const ms = await holds(pid, port, () =>
    Promise.all(Array.from({ length: WAITERS }, (_, i) => wait(i))),
  );
  const p99 = quantile(ms, 0.99);
  return {
    name: `hold of the loop beside ${WAITERS} waiting clients (CPU, 99 % within), ${JOBS} jobs`,
    measured: amount(p99, 'ms'),
    target: '≤ 30 ms',
    isMet: p99 <= 30,
  };
}

/** The loop's CPU time from each request for /healthz to its answer, while `work` goes on. */
async function holds(pid: number, port: number, work: () => Promise<unknown>): Promise<number[]> {
  const ms: number[] = [];
  const end = new AbortController();
  const working = work().finally(() => end.abort());
  while (!end.signal.aborted) {
    const beginMs = loopCpuMsOf(pid);
    await ask({ port, path: '/healthz' });
    ms.push(loopCpuMsOf(pid) - beginMs);
    await sleep(2);
  }
  await working;
  return ms;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
