/**
 * Runs each test once without a mutant and then once with each mutant that it reached and that no test has noticed yet, all
 * in one process, with its hooks around each run. A test whose second run without a mutant fails cannot be repeated like that,
 * and is not used; neither is one that takes long, since it would be repeated a hundred times.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { TestRunner } from 'vitest';
import type { RunnerTestCase, RunnerTestSuite, TestContext } from 'vitest';
import { addLine, readLines, readPlan } from './plan.ts';
import { SWITCH } from './switches.ts';
import { isNamedFor } from './tests-of.ts';

/** A mutant that makes a loop endless reaches its places far more often than the test without it. */
const MORE_REACHED_MAX = 50;
const REACHED_MIN = 200_000;
/** A mutant that makes a test wait for ever needs far longer than the test without it. */
const LONGER_MAX = 20;
const LIMIT_MS_MIN = 3000;
/** A test that takes longer is not repeated. */
const REPEATED_MS_MAX = 4000;
/** A test that takes longer is left to the last pass. */
const QUICK_MS_MAX = 100;

const plan = readPlan();
const chosen = new Set(plan.chosen);
const files = Object.entries(plan.files).toSorted(([, a], [, b]) => b.first - a.first);
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
  #slow: ReadonlySet<string> = new Set();

  override onCollectStart(file: Parameters<TestRunner['onCollectStart']>[0]): void {
    super.onCollectStart(file);
    counts.fill(0);
    const lines = readLines();
    const noticed = lines.filter(({ what }) => what === 'noticed');
    this.#noticed = new Set(noticed.flatMap(({ mutants }) => mutants));
    this.#slow = new Set(lines.filter(({ what }) => what === 'slow').map(({ test }) => test));
  }

  override onAfterRunFiles(files: Parameters<TestRunner['onAfterRunFiles']>[0]): void {
    super.onAfterRunFiles(files);
    addLine({ test: '', what: 'finished', mutants: [] });
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
    const startMs = nowMs();
    await run();
    const tookMs = nowMs() - startMs;
    const limit: Limit = {
      reached: Math.max(reached * MORE_REACHED_MAX, REACHED_MIN),
      ms: Math.max(tookMs * LONGER_MAX, LIMIT_MS_MIN),
    };
    const covered = takeReached();
    addLine({ test: name, what: 'reached', mutants: covered });
    const wanted = covered.filter(
      (one) =>
        chosen.has(one) &&
        !this.#noticed.has(one) &&
        (plan.pass !== 'beside' || isNamedFor(test.file.name, fileOf(one))),
    );
    if (wanted.length === 0 || (plan.pass === 'slow' && !this.#slow.has(name))) return;
    if (plan.pass !== 'slow' && tookMs > QUICK_MS_MAX && tookMs <= REPEATED_MS_MAX) {
      addLine({ test: name, what: 'slow', mutants: wanted });
      return;
    }
    if (tookMs > REPEATED_MS_MAX || !(await this.#passes(test, run, -1))) {
      addLine({ test: name, what: 'unusable', mutants: [] });
      return;
    }
    const noticed: number[] = [];
    for (const mutant of wanted) {
      addLine({ test: name, what: 'trying', mutants: [mutant] });
      if (!(await this.#passes(test, run, mutant, limit))) noticed.push(mutant);
    }
    // What a mutant left behind must not be why later ones seem to be noticed.
    const isClean = await this.#passes(test, run, -1);
    if (!isClean) addLine({ test: name, what: 'unusable', mutants: noticed });
    else if (noticed.length > 0) addLine({ test: name, what: 'noticed', mutants: noticed });
    if (isClean) for (const mutant of noticed) this.#noticed.add(mutant);
    counts.fill(0);
  }

  async #passes(
    test: RunnerTestCase,
    run: () => Promise<void>,
    mutant: number,
    limit?: Limit,
  ): Promise<boolean> {
    await finish(test);
    this.onBeforeTryTask(test, { retry: 0, repeats: 0 });
    reached = 0;
    reachedMax = limit?.reached ?? Infinity;
    active = mutant;
    try {
      await begin(test);
      await within(run(), limit?.ms);
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

/** By a clock that no test replaces. */
function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

interface Limit {
  readonly reached: number;
  readonly ms: number;
}

/** The suites of a test, the outermost first. */
function suitesOf({ suite, file }: RunnerTestCase): readonly RunnerTestSuite[] {
  const found: RunnerTestSuite[] = [];
  for (let one: RunnerTestSuite | undefined = suite ?? file; one; one = one.suite)
    found.unshift(one);
  return found[0] === file ? found : [file, ...found];
}

/** The test's hooks before it, as the runner itself has called them before the first run. */
async function begin(test: RunnerTestCase): Promise<void> {
  for (const suite of suitesOf(test)) {
    for (const hook of TestRunner.getSuiteHooks(suite).beforeEach) await hook(test.context, suite);
  }
}

/** The hooks after it. What fails there failed because of a mutant; the check without one shows whether it matters. */
async function finish(test: RunnerTestCase): Promise<void> {
  const registered = test as { onFinished?: ((context: TestContext) => unknown)[] };
  const finished = registered.onFinished ?? [];
  registered.onFinished = [];
  for (const suite of suitesOf(test).toReversed()) {
    for (const hook of TestRunner.getSuiteHooks(suite).afterEach)
      await quietly(() => hook(test.context, suite));
  }
  for (const handler of finished.toReversed()) await quietly(() => handler(test.context));
}

async function quietly(call: () => unknown): Promise<void> {
  try {
    await call();
  } catch {
    // See `finish`.
  }
}

async function within(run: Promise<void>, limitMs: number | undefined): Promise<void> {
  if (limitMs === undefined) return run;
  const abort = new AbortController();
  try {
    await Promise.race([
      run,
      sleep(limitMs, undefined, { signal: abort.signal }).then(() => {
        throw new Error('it takes too long');
      }),
    ]);
  } finally {
    abort.abort();
  }
}

function fileOf(mutant: number): string {
  return files.find(([, { first }]) => first <= mutant)?.[0] ?? '';
}

function takeReached(): number[] {
  const found: number[] = [];
  for (const [number, count] of counts.entries()) if (count > 0) found.push(number);
  counts.fill(0);
  return found;
}
