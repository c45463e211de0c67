/** The page beside the benchmarks: the table, the machine it was made on, and what each figure means. */
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { format, resolveConfig } from 'prettier';
import { tableOf } from './figure.ts';
import type { Benchmark, Figure } from './figure.ts';

export async function readme(
  results: readonly { benchmark: Benchmark; figures: readonly Figure[] }[],
): Promise<string> {
  const methods = results.map(({ benchmark }) => `**${benchmark.name}**: ${benchmark.method}`);
  const text = `# Benchmarks

\`npm run bench\` runs all of them in a few minutes and prints this table; \`npm run bench -- NAME\` runs one
(${results.map(({ benchmark }) => benchmark.name).join(', ')}); \`npm run bench -- --write\` makes this page anew. \`npm test\` runs none
of them.

The ratio is what counts: measured against a baseline of the same run, since a machine that others use at the same time
makes every absolute number a matter of luck. Measured and baseline take turns; figures are medians. A target is what the
project wants; where it is missed, the table says so, and [profiles.md](profiles.md) why.

${tableOf(results)}

Made on ${new Date().toISOString().slice(0, 10)} with Node ${process.version}, Linux ${release()}, ${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB of memory;
load over the last fifteen minutes ${loadavg()[2]?.toFixed(1) ?? '?'}.

## What is measured, and how

${methods.join('\n\n')}
`;
  const style = await resolveConfig(import.meta.filename);
  return format(text, { ...style, parser: 'markdown' });
}
