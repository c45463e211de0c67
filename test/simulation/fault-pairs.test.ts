/**
 * Two faults at once (fault-pairs.ts), some of the pairs; `npm run test:fault-pairs` takes all.
 *
 *   PAIR='the disk is full,the shims die' npx vitest run test/simulation/fault-pairs.test.ts     one of them
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { IS_LONG } from '../support/long-run.ts';
import { FAULTS, liveThroughPair } from './fault-pairs.ts';

/** At once, before the first has had any effect, and in the middle of it. */
const DELAYS_MS = IS_LONG ? [0, 2_000, 45_000] : [2_000];
/** A number without a common factor with the number of faults: each fault is in some pairs. */
const EVERY = IS_LONG ? 1 : 19;
const BASE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

const names = Object.keys(FAULTS);
const all = names.flatMap((first) => names.map((second) => [first, second] as const));
const [one = '', other = ''] = process.env['PAIR']?.split(',') ?? [];
const pairs = one === '' ? all.filter((_pair, i) => i % EVERY === 0) : [[one, other] as const];

test.each(pairs.flatMap(([first, second]) => DELAYS_MS.map((ms) => [first, second, ms] as const)))(
  '%s, then %s (%i ms later)',
  async (first, second, delayMs) => {
    expect(names).toEqual(expect.arrayContaining([first, second]));
    const directory = mkdtempSync(join(BASE, 'fault-pairs-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    expect(await liveThroughPair(first, second, delayMs, 1, directory)).toEqual([]);
  },
);
