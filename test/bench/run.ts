/**
 * `npm run bench`: all benchmarks, as a Markdown table on stdout. `npm run bench -- NAME …` runs some; `--write` puts the
 * table into README.md beside this file. Not a part of `npm test`: a shared machine decides no build.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { commands, start } from './commands.ts';
import { delivery } from './delivery.ts';
import { tableOf } from './figure.ts';
import { idle } from './idle.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { paced, throughput } from './paced.ts';
import { planner } from './planner.ts';
import { readme } from './readme.ts';
import { restart } from './restart.ts';
import { retention } from './retention.ts';
import { store } from './store.ts';
import { supervised } from './supervised.ts';
import { views } from './views.ts';

const ALL = [
  ...[planner, memory, delivery, paced, throughput, latency],
  ...[idle, supervised, views, commands, start, store, restart, retention],
];

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.find((name) => !ALL.some((one) => one.name === name));
if (unknown !== undefined || (values.write && positionals.length > 0)) {
  const names = ALL.map((one) => one.name).join(', ');
  process.stderr.write(
    unknown === undefined
      ? '--write wants all benchmarks: name none\n'
      : `no benchmark ${unknown}; there are: ${names}\n`,
  );
  process.exit(2);
}

const beginMs = performance.now();
const results = [];
for (const benchmark of ALL) {
  if (positionals.length > 0 && !positionals.includes(benchmark.name)) continue;
  process.stderr.write(`${benchmark.name} …\n`);
  results.push({ benchmark, figures: await benchmark.run() });
}
process.stdout.write(`${tableOf(results)}\n`);
process.stderr.write(`${Math.round((performance.now() - beginMs) / 1000)} s\n`);
if (values.write) writeFileSync(new URL('README.md', import.meta.url), await readme(results));
