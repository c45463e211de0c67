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

const { DAYS, SEED, SEEDS } = process.env;
const isShort = !IS_LONG && SEED === undefined && SEEDS === undefined;
/** By the number of hosts: three live through more in an hour than one. Few hours with everything in them find most faults. */
const USUAL_DAYS: Readonly<Record<1 | 3, number>> = isShort
  ? { 1: 0.12, 3: 0.05 }
  : { 1: 0.25, 3: 0.1 };

function seeds(): readonly number[] {
  if (SEED !== undefined) return [Number(SEED)];
  if (SEEDS !== undefined) return Array.from({ length: Number(SEEDS) }, (_, i) => i + 1);
  return isShort ? [1] : [1, 3];
}

for (const hosts of [1, 3] as const) {
  const days = DAYS === undefined ? USUAL_DAYS[hosts] : Number(DAYS);
  test.each(seeds())(
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
