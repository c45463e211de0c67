/** What a look at a host with very many jobs costs. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { ask, cpuMsOf, residentMbOf, startDaemon } from './daemon.ts';
import type { Daemon, Question } from './daemon.ts';
import { amount } from './figure.ts';
import type { Benchmark, Figure } from './figure.ts';
import { monotonicMs } from './monotonic.ts';
import { quantile } from './rounds.ts';

const JOBS = 10_000;
const AT_ONCE = 500;
const WAITERS = 8;

export const views: Benchmark = {
  name: 'views',
  method: `The daemon as it is started, with ${JOBS} tracked jobs: CPU time of all its threads for each answer (schedstat), less what it takes
in as much time without questions. The stall is the longest of the answers to \`/healthz\` that are asked one after the other while the
other question is answered again and again. ${WAITERS} waiting clients ask for one job each second, as \`wait\` does.`,
  async run() {
    const port = await freePort();
    const daemon = await startDaemon({ agent: `, http: { listen: "127.0.0.1:${port}" }` });
    try {
      await track(daemon);
      const one = { socketPath: daemon.socket, path: '/v1/jobs/migration-5000' };
      const metrics = { port, path: '/metrics' };
      return [
        await cost(daemon, 'status of one job', one, 300, 2),
        await cost(daemon, '/healthz', { port, path: '/healthz' }, 300, 2),
        await cost(daemon, '/metrics', metrics, 10, 150),
        await stall('/metrics is made', port, metrics, 20),
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
  targetMs: number,
): Promise<Figure> {
  await times(Math.ceil(count / 5), question);
  const [beginMs, cpuMs] = [monotonicMs(), cpuMsOf(pid)];
  await times(count, question);
  const tookMs = monotonicMs() - beginMs;
  const busyMs = cpuMsOf(pid) - cpuMs;
  await new Promise((resolve) => setTimeout(resolve, tookMs));
  const idleMs = cpuMsOf(pid) - cpuMs - busyMs;
  const ms = Math.max(0, busyMs - idleMs) / count;
  return {
    name: `CPU of ${name}, ${JOBS} jobs`,
    measured: amount(ms, 'ms'),
    target: `≤ ${targetMs} ms`,
    isMet: ms <= targetMs,
  };
}

async function times(count: number, question: Question): Promise<void> {
  for (let i = 0; i < count; i++) {
    if ((await ask(question)) === undefined) throw new Error(`no answer: ${question.path}`);
  }
}

async function stall(
  name: string,
  port: number,
  question: Question,
  targetMs: number,
): Promise<Figure> {
  const ms = await delays(port, () => times(20, question));
  const longest = Math.max(...ms);
  return {
    name: `longest answer of /healthz while ${name}, ${JOBS} jobs`,
    measured: amount(longest, 'ms'),
    target: `≤ ${targetMs} ms`,
    isMet: longest <= targetMs,
  };
}

async function waiting({ socket }: Daemon, port: number): Promise<Figure> {
  const wait = async (index: number): Promise<void> => {
    for (let second = 0; second < 5; second++) {
      await times(1, { socketPath: socket, path: `/v1/jobs/migration-${index}` });
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  };
  const ms = await delays(port, () =>
    Promise.all(Array.from({ length: WAITERS }, (_, i) => wait(i))),
  );
  const p99 = quantile(ms, 0.99);
  return {
    name: `answer of /healthz beside ${WAITERS} waiting clients, 99 % within, ${JOBS} jobs`,
    measured: amount(p99, 'ms'),
    target: '≤ 30 ms',
    isMet: p99 <= 30,
  };
}

/** How long answers to /healthz take, one after the other, while `work` goes on. */
async function delays(port: number, work: () => Promise<unknown>): Promise<number[]> {
  const ms: number[] = [];
  const end = new AbortController();
  const working = work().finally(() => end.abort());
  while (!end.signal.aborted) {
    const beginMs = monotonicMs();
    await ask({ port, path: '/healthz' });
    ms.push(monotonicMs() - beginMs);
    await new Promise((resolve) => setTimeout(resolve, 5));
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
