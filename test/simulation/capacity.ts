/**
 * What a budget carries, as a Markdown table: demands from a part of it to twice of it, several seeds.
 *
 *   npm run test:capacity                          1,000 jobs
 *   npm run test:capacity -- 100000 0.95           so many jobs, that demand
 *   npm run test:capacity -- 1000 0.95 7           and that seed alone
 */
import { SECOND_MS } from '../../src/core/lib/time.ts';
import { simulateDay } from './capacity-day.ts';
import type { Capacity } from './capacity-day.ts';

function row(result: Capacity): string {
  const { calls, cpuS, demand, jobs, medianPromiseS, missed, overLimit, perSecond } = result;
  const { seed, staleMs, promised, waiting } = result;
  return [
    jobs.toLocaleString('en-US'),
    `${Math.round(demand * 100)} %`,
    seed,
    perSecond.toFixed(3),
    promised.toLocaleString('en-US'),
    waiting.toLocaleString('en-US'),
    `${Math.round(medianPromiseS / 60)} min`,
    Math.ceil(staleMs / SECOND_MS),
    missed,
    overLimit,
    calls.toLocaleString('en-US'),
    cpuS.toFixed(1),
  ].join(' | ');
}

const [jobs = 1000, demand, seed] = process.argv.slice(2).map(Number);
const demands = demand === undefined ? [0.3, 0.6, 0.95, 1.2, 2] : [demand];
const seeds = seed === undefined ? [1, 2, 3] : [seed];
process.stdout.write(
  `| jobs | demand | seed | calls/s | promised | waiting | promise (median) | stale s | missed | over limit | calls | CPU s |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
`,
);
let isKept = true;
for (const one of demands) {
  for (const each of seeds) {
    const result = simulateDay(jobs, one, each);
    process.stdout.write(`| ${row(result)} |\n`);
    isKept &&= result.staleMs === 0 && result.missed === 0 && result.overLimit === 0;
    if (one <= 0.95) isKept &&= result.promised >= result.jobs * 0.97;
  }
}
if (!isKept) {
  process.stderr.write('a promise was broken, or not all that fits was promised\n');
  process.exitCode = 1;
}
