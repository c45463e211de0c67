/** The planner's CPU time for each delivered report, and how it grows with the jobs. */
import { amount } from './figure.ts';
import type { Benchmark, Figure } from './figure.ts';
import { daemonFlags, runProgram } from './program.ts';
import type { PlannerOptions } from './programs/planner.ts';
import type { Paired } from './rounds.ts';

const TARGET_US = 10;

/** Whole rounds of all jobs, so that each report carries its part of what a whole round costs. */
const SIZES = [
  { jobs: 1_000, reports: 20_000 },
  { jobs: 10_000, reports: 20_000 },
  { jobs: 100_000, reports: 100_000 },
];

export const planner: Benchmark = {
  name: 'planner',
  method: `CPU time (user and system, garbage collection included) of a planner that has so many live jobs, each with a Hub
task, for each accepted report: the turn that sees \`call-settled\` and asks the gate, and the turn that sees \`gate-opened\`
and makes the next call, with \`takeChanges\`, \`decide\` and \`wakeAtMs\` as the loop calls them, one answer a turn, in virtual
time. Reports come in whole rounds of all jobs. The baseline is the same driver around a planner that does nothing; the
measured figure is what is left after taking it off. "No free place" is a host with a worker group whose places are all
taken, so that the planner looks after each event whether it may poll.`,
  async run() {
    const figures: Figure[] = [];
    const nets: number[] = [];
    for (const { jobs, reports } of SIZES) {
      const net = await add(figures, `CPU a report, ${message(jobs)}`, {
        jobs,
        reports,
        rounds: 3,
        isFull: false,
      });
      nets.push(net);
    }
    const growth = (nets.at(-1) ?? NaN) / (nets[0] ?? NaN);
    figures.push({
      name: 'growth of CPU a report from 1,000 to 100,000 jobs',
      measured: `${growth.toFixed(2)}×`,
    });
    const full = { jobs: 10_000, reports: 10_000, rounds: 1, isFull: true };
    await add(figures, 'CPU a report, 10,000 jobs, no free place', full);
    return figures;
  },
};

async function add(figures: Figure[], name: string, options: PlannerOptions): Promise<number> {
  const { measured, baseline } = await runProgram<Paired>('planner', options, daemonFlags());
  const net = measured - baseline;
  figures.push({
    name,
    measured: amount(net, 'µs'),
    baseline: `${amount(baseline, 'µs')} (empty driver)`,
    ratio: net / baseline,
    target: `≤ ${TARGET_US} µs`,
    isMet: net <= TARGET_US,
  });
  return net;
}

function message(jobs: number): string {
  return `${jobs.toLocaleString('en-US')} jobs`;
}
