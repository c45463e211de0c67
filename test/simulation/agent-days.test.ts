/**
 * The whole agent through rough and stormy days, in virtual time: its own loop, inbox, journal and store, killed at any
 * touch of the outside. What must hold is in support/agent-checker.ts. `npm run test:long` runs both kept seeds through both.
 *
 *   SEED=7 npx vitest run test/simulation/agent-days.test.ts      repeats a seed
 *   DAYS=2 SEEDS=50 …                                             lives longer, fifty seeds from 1 on
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { IS_LONG } from '../support/long-run.ts';
import { liveThrough } from './agent-days.ts';
import type { Weather } from './agent-days.ts';
import { FAST_DIRECTORY } from '../support/fast-directory.ts';

const DAYS = Number(process.env['DAYS'] ?? (IS_LONG ? 0.25 : 0.1));
/** How long days take says nothing of them: a busy machine needs ten times as long as a quiet one. */
const LIMIT_MS = 3_600_000;
/** Seeds that found something once: a percent that fell after a crash, reports that waited for a full disk. */
const KEPT: Readonly<Record<Weather, readonly number[]>> =
  IS_LONG || process.env['SEEDS'] !== undefined
    ? { rough: [2, 4], stormy: [2, 4] }
    : { rough: [], stormy: [4] };
const MORE = Array.from({ length: Number(process.env['SEEDS'] ?? 0) }, (_, i) => i + 1);

function live(
  seed: number,
  weather: Weather,
  days: number,
  trace?: string[],
): ReturnType<typeof liveThrough> {
  const directory = mkdtempSync(join(FAST_DIRECTORY, 'agent-days-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return liveThrough(seed, weather, days, directory, trace);
}

function seedsOf(weather: Weather): number[] {
  const { SEED } = process.env;
  return SEED === undefined ? [...new Set([...KEPT[weather], ...MORE])] : [Number(SEED)];
}

for (const weather of ['rough', 'stormy'] as const) {
  test.each(seedsOf(weather))(
    `${DAYS} ${weather} days: every promise is kept (seed %i)`,
    async (seed) => {
      const beganAt = performance.now();
      const { findings, ...counts } = await live(seed, weather, DAYS);
      const tookS = ((performance.now() - beganAt) / 1000).toFixed(1);
      const totals = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
      process.stdout.write(`${weather}, seed ${seed}: ${totals.join(', ')}; ${tookS} s\n`);
      const replay = `DAYS=${DAYS} SEED=${seed} npx vitest run test/simulation/agent-days.test.ts`;
      expect(findings, `once more: ${replay}`).toEqual([]);
      expect(counts.lives).toBeGreaterThan(DAYS * 20);
      expect(counts.finalReports).toBeGreaterThan(DAYS * 50);
    },
    LIMIT_MS,
  );
}

/** Each is lived through twice. */
const SAME_DAYS = IS_LONG ? 0.1 : 0.03;

/** A seed that is not the same days again repeats no finding. */
test(
  'a seed is the same days again, call by call',
  async () => {
    const [once, again]: [string[], string[]] = [[], []];
    const counts = await live(7, 'stormy', SAME_DAYS, once);
    expect(await live(7, 'stormy', SAME_DAYS, again)).toEqual(counts);
    const different = once.findIndex((line, i) => line !== again[i]);
    expect([once[different], again[different]]).toEqual([undefined, undefined]);
    expect(again).toHaveLength(once.length);
    expect(once.length).toBeGreaterThan(SAME_DAYS * 50_000);
  },
  LIMIT_MS,
);
