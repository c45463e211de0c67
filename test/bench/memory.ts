/** What a tracked job costs in the planner's memory. */
import { amount } from './figure.ts';
import type { Benchmark } from './figure.ts';
import { daemonFlags, runProgram } from './program.ts';
import type { MemoryResult } from './programs/memory.ts';

const TARGET_BYTES = 2048;

export const memory: Benchmark = {
  name: 'memory',
  method: `\`heapUsed\` after garbage collection with so many live jobs in the planner less \`heapUsed\` without them, for each
job: its definition, run, Hub task, promise, reporters and places in the heaps. Each job has a definition of its own, a
percent and a line of detail, and has been reported. The baseline is the same runs and Hub tasks as the store keeps them,
parsed from JSON: what must be remembered at the least. One process for each size.`,
  async run() {
    const figures = [];
    for (const jobs of [1_000, 10_000, 100_000]) {
      const { plannerBytes, recordsBytes } = await runProgram<MemoryResult>('memory', { jobs }, [
        ...daemonFlags(),
        '--expose-gc',
      ]);
      figures.push({
        name: `heap a job, ${jobs.toLocaleString('en-US')} jobs`,
        measured: amount(plannerBytes / jobs, 'B'),
        baseline: `${amount(recordsBytes / jobs, 'B')} (bare records)`,
        ratio: plannerBytes / recordsBytes,
        target: '≤ 2 KB',
        isMet: plannerBytes / jobs <= TARGET_BYTES,
      });
    }
    return figures;
  },
};
