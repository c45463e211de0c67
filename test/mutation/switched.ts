/**
 * Tries the mutants of files whose tests run in their own process, by switches in the program (switches.ts) instead of a run of
 * all tests for each: thousands in some minutes. Rounds of tests are tried one after the other, on what is left.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createVitest } from 'vitest/node';
import type { TestSpecification, Vitest } from 'vitest/node';
import type { Mutant } from './mutants.ts';
import { addLine, readLines, writePlan } from './plan.ts';
import type { Pass, Plan } from './plan.ts';
import { lineOf } from './table.ts';
import type { Verdict } from './table.ts';
import { isNamedFor } from './tests-of.ts';

const ROOT = join(import.meta.dirname, '../..');
const PASSES: readonly Pass[] = ['beside', 'quick', 'slow'];
/** A constant is tried with so many of the test files that import it, the nearest first. */
const LOADED_TESTS_MAX = 8;

/** What has been tried so far of the last round. */
interface Tried {
  /** All quick tests were. */
  isQuickOver: boolean;
  /** Test files, in the slow pass. */
  readonly slow: Set<string>;
  /** Constants. */
  readonly loaded: Set<number>;
}

/**
 * `files` has all mutants of each file, `chosen` those that are tried. What is noticed is said as it comes, and `onEnd` gets what
 * is known if this process ends before all was tried.
 */
export async function trySwitched(
  files: ReadonlyMap<string, readonly Mutant[]>,
  chosen: readonly Mutant[],
  rounds: readonly (readonly string[])[],
  say: (line: string) => void,
  onEnd: (verdicts: readonly Verdict[]) => void,
): Promise<readonly Verdict[]> {
  const path = mkdtempSync(join(tmpdir(), 'migration-agent-switched-'));
  process.env['MUTANTS'] = path;
  const plan = planOf(files, new Set(chosen));
  writePlan(plan);
  const tried: Tried = { isQuickOver: false, slow: new Set(), loaded: new Set() };
  const end = (): void => {
    onEnd(verdicts(files, new Set(chosen), tried));
    rmSync(path, { recursive: true, force: true });
  };
  process.once('exit', end);
  const sayNoticed = noticedSayer([...files.values()].flat(), say);
  const vitest = await createVitest({
    config: join(import.meta.dirname, 'vitest.config.ts'),
    watch: false,
  });
  try {
    for (const [index, round] of rounds.entries()) {
      tried.isQuickOver = false;
      await tryRound(vitest, round, plan, tried, index === rounds.length - 1, sayNoticed);
      const { noticed } = results();
      say(`${round.join(' ')}: ${noticed.size} of ${plan.chosen.length} noticed`);
    }
    await tryLoaded(vitest, files, plan, tried, say);
    sayNoticed();
    for (const test of new Set(results().unusable)) say(`not used, it cannot be repeated: ${test}`);
    return verdicts(files, new Set(chosen), tried);
  } finally {
    await vitest.close();
    process.off('exit', end);
    rmSync(path, { recursive: true, force: true });
  }
}

function planOf(files: ReadonlyMap<string, readonly Mutant[]>, wanted: ReadonlySet<Mutant>): Plan {
  let count = 0;
  const all = [...files.values()].flat();
  const chosen = [...all.keys()].filter((number) => wanted.has(all[number]!));
  const places: Record<string, { first: number }> = {};
  for (const [file, mutants] of files) {
    places[file] = { first: count };
    count += mutants.length;
  }
  return { files: places, count, chosen, pass: 'quick' };
}

async function runTests(vitest: Vitest, filters: readonly string[]): Promise<boolean> {
  const specifications = await vitest.globTestSpecifications([...filters]);
  const { testModules } = await vitest.runTestSpecifications(specifications);
  return testModules.length > 0 && testModules.every((one) => one.ok());
}

/** A mutant may end the process of the test: so many of each test file are found. */
const DEATHS_MAX = 20;

async function tryRound(
  vitest: Vitest,
  filters: readonly string[],
  plan: Plan,
  tried: Tried,
  isLast: boolean,
  sayNoticed: () => void,
): Promise<void> {
  const files = await vitest.globTestSpecifications([...filters]);
  const sources = Object.keys(plan.files);
  for (const pass of PASSES) {
    writePlan({ ...plan, pass });
    for (const file of files) {
      const test = relative(ROOT, file.moduleId);
      const isNamed = sources.some((source) => isNamedFor(test, source));
      if (pass === 'beside' ? isNamed : mayNotice(test, pass, plan)) await tryFile(vitest, file);
      sayNoticed();
      if (pass === 'slow') tried.slow.add(test);
    }
    if (pass === 'quick') tried.isQuickOver = isLast;
  }
}

/** Says those that were noticed since it was called last. */
function noticedSayer(all: readonly Mutant[], say: (line: string) => void): () => void {
  const said = new Set<number>();
  return () => {
    for (const number of results().noticed) {
      const mutant = all[number];
      if (mutant === undefined || said.has(number)) continue;
      said.add(number);
      say(`noticed   ${lineOf(mutant)}`);
    }
  };
}

/** Whether the test file reaches what nothing has noticed, as far as is known of it. */
function mayNotice(test: string, pass: Pass, { chosen }: Plan): boolean {
  const { noticed } = results();
  const left = new Set(chosen.filter((mutant) => !noticed.has(mutant)));
  if (left.size === 0) return false;
  const lines = readLines().filter((line) => line.test.startsWith(`${test} > `));
  if (lines.length === 0) return pass === 'quick';
  const what = pass === 'quick' ? 'reached' : 'slow';
  return lines.some((line) => line.what === what && line.mutants.some((one) => left.has(one)));
}

/** A test file at a time: what ends its process is no matter of the others. */
async function tryFile(vitest: Vitest, file: TestSpecification): Promise<void> {
  for (let deaths = 0; deaths < DEATHS_MAX; deaths++) {
    const before = readLines().length;
    await vitest.runTestSpecifications([file]);
    const lines = readLines().slice(before);
    if (lines.some(({ what }) => what === 'finished')) break;
    // A signal to the process group ends both: then this process ends here, and no mutant has ended the other.
    await setImmediate();
    const deadly = lines.findLast(({ what }) => what === 'trying');
    if (deadly === undefined) {
      // It ended before anything was tried: with the switches it cannot even be imported, or a hook ends its process.
      addLine({ test: relative(ROOT, file.moduleId), what: 'unusable', mutants: [] });
      break;
    }
    addLine({ ...deadly, what: 'noticed' });
  }
}

/** Places that run while a file is imported (constants): a run of the tests that import it for each of their mutants. */
async function tryLoaded(
  vitest: Vitest,
  files: ReadonlyMap<string, readonly Mutant[]>,
  plan: Plan,
  tried: Tried,
  say: (line: string) => void,
): Promise<void> {
  const { loaded, noticed } = results();
  const wanted = new Set(plan.chosen);
  // Also those that a test has reached: it may have imported the file itself.
  const left = [...loaded].filter(([mutant]) => wanted.has(mutant) && !noticed.has(mutant));
  const all = [...files.values()].flat();
  let found = 0;
  for (const [number, tests] of left) {
    writePlan({ ...plan, only: number });
    const nearest = byNearness(all[number]?.file ?? '', [...tests]);
    for (const test of nearest.slice(0, LOADED_TESTS_MAX)) {
      if (await runTests(vitest, [test])) continue;
      addLine({ test, what: 'noticed', mutants: [number] });
      found++;
      break;
    }
    tried.loaded.add(number);
  }
  writePlan(plan);
  say(`constants: ${found} of ${left.length} noticed`);
}

function byNearness(file: string, tests: readonly string[]): readonly string[] {
  const source = file.replace(/^src/, 'test').replace(/\.ts$/, '.test.ts');
  const steps = (test: string): number => relative(source, test).split('/').length;
  return tests.toSorted((a, b) => steps(a) - steps(b));
}

interface Results {
  readonly noticed: ReadonlySet<number>;
  readonly reached: ReadonlySet<number>;
  /** With the test files that import them. */
  readonly loaded: ReadonlyMap<number, ReadonlySet<string>>;
  /** With the test files that reach them and are left to the slow pass. */
  readonly slow: ReadonlyMap<number, ReadonlySet<string>>;
  readonly unusable: readonly string[];
}

function results(): Results {
  const noticed = new Set<number>();
  const reached = new Set<number>();
  const loaded = new Map<number, Set<string>>();
  const slow = new Map<number, Set<string>>();
  const unusable: string[] = [];
  for (const { test, what, mutants } of readLines()) {
    if (what === 'unusable') unusable.push(test);
    for (const mutant of mutants) {
      if (what === 'noticed') noticed.add(mutant);
      if (what === 'reached') reached.add(mutant);
      const [file = test] = test.split(' > ');
      const later = what === 'loaded' ? loaded : what === 'slow' ? slow : undefined;
      later?.set(mutant, (later.get(mutant) ?? new Set()).add(file));
    }
  }
  return { noticed, reached, loaded, slow, unusable };
}

function verdicts(
  files: ReadonlyMap<string, readonly Mutant[]>,
  chosen: ReadonlySet<Mutant>,
  tried: Tried,
): readonly Verdict[] {
  const { noticed, reached, loaded, slow } = results();
  const isOpen = (number: number): boolean =>
    !tried.isQuickOver ||
    (loaded.has(number) && !tried.loaded.has(number)) ||
    [...(slow.get(number) ?? [])].some((test) => !tried.slow.has(test));
  const all = [...files.values()].flat().map((mutant, number): Verdict => {
    if (mutant.kind === 'alone') return { mutant, verdict: 'alone' };
    if (noticed.has(number)) return { mutant, verdict: 'noticed' };
    if (isOpen(number)) return { mutant, verdict: 'open' };
    const isRun = reached.has(number) || loaded.has(number);
    return { mutant, verdict: isRun ? 'survived' : 'unreached' };
  });
  return all.filter(({ mutant }) => chosen.has(mutant));
}
