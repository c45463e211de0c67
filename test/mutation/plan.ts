/** What the process that tries mutants and its workers tell each other, as files in a directory of their own. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Plan {
  readonly files: Readonly<Record<string, { readonly first: number }>>;
  readonly count: number;
  /** The numbers of those that are tried. */
  readonly chosen: readonly number[];
  readonly pass: Pass;
  /** The mutant that is tried from the start of each test file; absent: each test tries those that it reaches. */
  readonly only?: number;
}

/**
 * The cheapest tests first, so that the others are tried on little: `beside`: quick tests on the file that they are named for;
 * `quick`: on every file; `slow`: the others.
 */
export type Pass = 'beside' | 'quick' | 'slow';

/** Written by workers, a line for each. */
export interface Line {
  readonly test: string;
  /**
   * `noticed`: this test fails with the mutant. `reached`: it was reached. `loaded`: while the test file was imported. `trying`:
   * if nothing follows, the mutant has ended the process of the test. `finished`: the test file was run to its end. `slow`: the
   * test has been left to the pass of that name.
   */
  readonly what: 'noticed' | 'reached' | 'loaded' | 'unusable' | 'trying' | 'finished' | 'slow';
  readonly mutants: readonly number[];
}

function directory(): string {
  const path = process.env['MUTANTS'];
  if (path === undefined) throw new Error('MUTANTS names no directory: use npm run test:mutants');
  return path;
}

export function writePlan(plan: Plan): void {
  writeFileSync(join(directory(), 'plan.json'), JSON.stringify(plan));
}

export function readPlan(): Plan {
  return JSON.parse(readFileSync(join(directory(), 'plan.json'), 'utf8')) as Plan;
}

export function addLine(line: Line): void {
  appendFileSync(join(directory(), 'lines'), `${JSON.stringify(line)}\n`);
}

export function readLines(): readonly Line[] {
  const path = join(directory(), 'lines');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Line);
}
