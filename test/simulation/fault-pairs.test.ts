/**
 * Two faults at once (fault-pairs.ts), and three: those that find most; `npm run test:fault-pairs` takes all.
 *
 *   FAULTS='the disk is full,the shims die' npx vitest run test/simulation/fault-pairs.test.ts     those alone
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { IS_LONG } from '../support/long-run.ts';
import { FAULTS, liveThroughFaults } from './fault-pairs.ts';
import { FAST_DIRECTORY } from '../support/fast-directory.ts';

/** At once, before the first has had any effect, and in the middle of it. */
const DELAYS_MS = IS_LONG ? [0, 2_000, 45_000] : [2_000];

const RENAMES = 'a reload renames, removes and adds jobs';
const TERMINATE = 'AWS wants the agent to end, an operator wants it to go on';
/** Of `npm test`: each finds a fault that was put back (FAULTS.md). */
const SHORT = [
  ['the disk is full', 'a start is wanted', 'an operator cancels'],
  ['an operator cancels with a long grace', 'AWS does not answer'],
  [RENAMES, 'AWS gives the next attempts out'],
];
const TRIPLES = [
  ['the disk is full', 'an operator cancels', 'the shims die'],
  ['the disk is full', 'AWS cancels', 'the agent is killed'],
  ['the disk is full', 'a start is wanted', 'an operator cancels'],
  ['the disk is full', 'a start is wanted', RENAMES],
  ['the disk is full', 'the programs end', 'the agent is killed'],
  ['the disk is full', 'a start is wanted', 'the agent is killed', 'the programs end'],
  ['the disk is full', 'the shims die', 'the host reboots'],
  ['processes cannot be seen', 'AWS does not answer', 'the agent is killed'],
  ['processes cannot be seen', 'an operator cancels with a long grace', 'AWS does not answer'],
  ['the shims die', RENAMES, 'AWS gives the next attempts out'],
  ['the shims die', 'the disk is full', TERMINATE],
  [RENAMES, 'the agent is away', 'AWS gives the next attempts out'],
  ['the host boots in 1970', 'the disk is full', 'the agent is killed'],
  ['the home region is lost', 'the programs end', 'the agent is restarted'],
];

const names = Object.keys(FAULTS);
const pairs = names.flatMap((first) => names.map((second) => [first, second]));
const wanted = process.env['FAULTS']?.split(',').map((name) => name.trim());
/** A name has commas of its own. */
const isOf = (faults: readonly string[]): boolean =>
  wanted === undefined || faults.join().replaceAll(' ', '') === wanted.join().replaceAll(' ', '');
const taken = IS_LONG || wanted !== undefined ? [...pairs, ...TRIPLES] : SHORT;

test.each(
  taken
    .filter(isOf)
    .flatMap((faults) =>
      DELAYS_MS.map((delayMs) => ({ faults, name: faults.join('; '), delayMs })),
    ),
)('$name ($delayMs ms apart)', async ({ delayMs, faults }) => {
  expect(names).toEqual(expect.arrayContaining(faults));
  const directory = mkdtempSync(join(FAST_DIRECTORY, 'fault-pairs-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  expect(await liveThroughFaults(faults, delayMs, 1, directory)).toEqual([]);
});
