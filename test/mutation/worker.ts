/**
 * Runs each test once without a mutant and then once with each mutant that it reached and that no test has noticed yet, all
 * in one process. A test whose second run without a mutant fails cannot be repeated like that, and is not used.
 */
import { TestRunner } from 'vitest';
import type { RunnerTestCase } from 'vitest';
import { addLine, readLines, readPlan } from './plan.ts';
import { SWITCH } from './switches.ts';

/** A mutant that makes a loop endless reaches its places far more often than the test without it. */
const MORE_REACHED_MAX = 50;
const REACHED_MIN = 200_000;

const plan = readPlan();
const chosen = new Set(plan.chosen);
/** How often each place was reached since the last look. */
const counts = new Uint32Array(plan.count);
let active = plan.only ?? -1;
let reached = 0;
let reachedMax = Infinity;

Object.defineProperty(globalThis, SWITCH, {
  value: (number: number): boolean => {
    counts[number] = 1;
    if (++reached > reachedMax) throw new Error('endless');
    return number === active;
  },
});

// eslint-disable-next-line no-restricted-syntax -- vitest takes the default export
export default class MutantRunner extends TestRunner {
  #noticed = new Set<number>();

  override onCollectStart(file: Parameters<TestRunner['onCollectStart']>[0]): void {
    super.onCollectStart(file);
    counts.fill(0);
    const noticed = readLines().filter(({ what }) => what === 'noticed');
    this.#noticed = new Set(noticed.flatMap(({ mutants }) => mutants));
  }

  async runTask(test: RunnerTestCase): Promise<void> {
    const run = TestRunner.getTestFn(test) as () => Promise<void>;
    if (plan.only !== undefined) {
      await run();
      return;
    }
    const name = `${test.file.name} > ${test.name}`;
    const loaded = takeReached();
    if (loaded.length > 0) addLine({ test: name, what: 'loaded', mutants: loaded });
    reached = 0;
    await run();
    const reachedOnce = reached;
    const covered = takeReached();
    addLine({ test: name, what: 'reached', mutants: covered });
    if (!(await this.#passes(test, run, -1, Infinity))) {
      addLine({ test: name, what: 'unusable', mutants: [] });
      return;
    }
    const noticed: number[] = [];
    for (const mutant of covered) {
      if (!chosen.has(mutant) || this.#noticed.has(mutant)) continue;
      const limit = Math.max(reachedOnce * MORE_REACHED_MAX, REACHED_MIN);
      if (!(await this.#passes(test, run, mutant, limit))) noticed.push(mutant);
    }
    // What a mutant left behind must not be why later ones seem to be noticed.
    const isClean = await this.#passes(test, run, -1, Infinity);
    if (!isClean) addLine({ test: name, what: 'unusable', mutants: noticed });
    else if (noticed.length > 0) addLine({ test: name, what: 'noticed', mutants: noticed });
    if (isClean) for (const mutant of noticed) this.#noticed.add(mutant);
    counts.fill(0);
  }

  async #passes(
    test: RunnerTestCase,
    run: () => Promise<void>,
    mutant: number,
    limit: number,
  ): Promise<boolean> {
    this.onBeforeTryTask(test, { retry: 0, repeats: 0 });
    reached = 0;
    reachedMax = limit;
    active = mutant;
    try {
      await run();
      this.onAfterTryTask(test);
      // A soft assertion throws nothing.
      return test.result?.state !== 'fail';
    } catch {
      return false;
    } finally {
      active = -1;
      reachedMax = Infinity;
      if (test.result?.state === 'fail') test.result.state = 'run';
    }
  }
}

function takeReached(): number[] {
  const found: number[] = [];
  for (const [number, count] of counts.entries()) if (count > 0) found.push(number);
  counts.fill(0);
  return found;
}
