/** What it costs to take over the state of an earlier agent. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { amount } from './figure.ts';
import type { Benchmark } from './figure.ts';
import { daemonFlags, runProgram, startProgram } from './program.ts';
import type { Restarted } from './programs/agent-restarts.ts';
import { median } from './rounds.ts';

const JOBS = 100_000;
const ROUNDS = 3;

export const restart: Benchmark = {
  name: 'restart',
  method: `A store with ${JOBS.toLocaleString('en-US')} tracked jobs, each with a Hub task whose promise is half over. The real agent is started on
it, in a process of its own: CPU time of all threads from the start of the process to its first accepted report, and the most
memory that was resident until then. Baseline: the same on a store with one job. Medians of ${ROUNDS}.`,
  async run() {
    const stub = startProgram('stub', {});
    try {
      const { url } = await stub.next<{ readonly url: string }>();
      const one = await restarts(1, url);
      const many = await restarts(JOBS, url);
      return [
        {
          name: `CPU from a restart to the first report, ${JOBS.toLocaleString('en-US')} jobs`,
          measured: amount(many.cpuMs / 1000, 's'),
          baseline: `${amount(one.cpuMs / 1000, 's')} (1 job)`,
          target: '≤ 3 s',
          isMet: many.cpuMs <= 3000,
        },
        {
          name: `memory until then, ${JOBS.toLocaleString('en-US')} jobs`,
          measured: amount(many.peakMb, 'MB'),
          baseline: `${amount(one.peakMb, 'MB')} (1 job)`,
          target: '≤ 400 MB',
          isMet: many.peakMb <= 400,
        },
      ];
    } finally {
      await stub.end();
    }
  },
};

async function restarts(jobs: number, url: string): Promise<Restarted> {
  const rounds: Restarted[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // The agent changes what it finds: each round begins with what was left.
    const directory = mkdtempSync(join(tmpdir(), 'migration-agent-bench-restart-'));
    try {
      await runProgram('leave-jobs', { directory, jobs });
      rounds.push(await runProgram<Restarted>('agent-restarts', { directory, url }, daemonFlags()));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  return {
    cpuMs: median(rounds.map(({ cpuMs }) => cpuMs)),
    peakMb: median(rounds.map(({ peakMb }) => peakMb)),
  };
}
