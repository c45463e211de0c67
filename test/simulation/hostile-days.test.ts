/**
 * Whole agents through days on which several things go wrong at once (hostile-days.ts), judged by support/judge/judge.ts.
 *
 *   SEED=7 npx vitest run test/simulation/hostile-days.test.ts     repeats a seed
 *   DAYS=1 SEEDS=50 …                                              fifty seeds from 1 on
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { IS_LONG } from '../support/long-run.ts';
import { liveThroughHostileDays } from './hostile-days.ts';
import { FAST_DIRECTORY } from '../support/fast-directory.ts';

/** By the number of hosts: three live through more in an hour than one. Few hours with everything in them find most faults. */
const DAYS: Readonly<Record<1 | 3, number>> =
  process.env['DAYS'] === undefined
    ? IS_LONG
      ? { 1: 0.25, 3: 0.1 }
      : { 1: 0.12, 3: 0.05 }
    : { 1: Number(process.env['DAYS']), 3: Number(process.env['DAYS']) };
const SEEDS =
  process.env['SEED'] !== undefined
    ? [Number(process.env['SEED'])]
    : process.env['SEEDS'] === undefined
      ? IS_LONG
        ? [1, 3]
        : [1]
      : Array.from({ length: Number(process.env['SEEDS']) }, (_, i) => i + 1);

for (const hosts of [1, 3] as const) {
  const days = DAYS[hosts];
  test.each(SEEDS)(
    `${days} hostile days of ${hosts} host(s): every promise is kept (seed %i)`,
    async (seed) => {
      const directory = mkdtempSync(join(FAST_DIRECTORY, 'hostile-days-'));
      onTestFinished(() => rmSync(directory, { recursive: true }));
      const result = await liveThroughHostileDays(seed, days, hosts, directory);
      const { findings, ...counts } = result;
      const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
      process.stdout.write(`hostile, ${hosts} host(s), seed ${seed}: ${parts.join(', ')}\n`);
      const replay = `DAYS=${days} SEED=${seed} npx vitest run test/simulation/hostile-days.test.ts`;
      expect(findings, `repeat with: ${replay}`).toEqual([]);
      expect(counts.finals).toBeGreaterThan(days * 30 * hosts);
    },
    3_600_000,
  );
}
