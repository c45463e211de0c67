/**
 * `npm run test:mutants -- [--sample N] [--seed S] [--ways WAY,…] [--at FILE:LINE] [folder…]`: changes one place of the sources
 * at a time and looks whether a test notices. The checkout that it is run in is never changed: mutants are switched on and off
 * in the tests' own process (switched.ts), some ten a second.
 *
 * Folders are those of `src` (`core/hub`, `store`); without one all of `core`, `store`, `jobs`, `config`, `aws`, `control` are
 * taken. `--sample N` tries N mutants of each folder, chosen by `--seed`; without it all of them. `--skip N` leaves
 * out the first N of that order: what a sample of N has shown is then no part of it. `--ways await,arguments` takes only mutants
 * of these ways (mutants.ts lists them). A test that cannot be repeated in its process is named and not used. `--apart` tries each
 * mutant in a copy of the checkout instead, with a run of the test beside the name of its file: for a script that goes on in the
 * background, such as that of the status page. `--own` uses the tests of the folder alone, `--narrow` those of its part as
 * well. `--listed` tries the mutants of listed.ts instead, or those of files whose names have the word given: each in a copy of
 * the checkout, with a run of its test. Each is numbered, and `--from N` goes on at the one of that number, so that a long list
 * can be tried in parts.
 *
 * What is noticed is printed as it comes. A run that is ended by SIGTERM or SIGINT prints its table of what it knows.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { confineForks } from './confined.ts';
import { LISTED } from './listed.ts';
import { mutantsOf, mutated, WAYS } from './mutants.ts';
import type { Mutant, Way } from './mutants.ts';
import { sample } from './sample.ts';
import { trySwitched } from './switched.ts';
import { lineOf, share, short, tableOf } from './table.ts';
import type { Verdict } from './table.ts';
import { roundsOf } from './tests-of.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = ['core', 'store', 'jobs', 'config', 'aws', 'control'];
/** A mutant that makes a loop endless is noticed by this. The longest round takes a minute on a quiet machine. */
const ROUND_MS_MAX = 300_000;

type Result = 'passed' | 'failed' | 'too long';

async function main(): Promise<void> {
  const { values, positionals } = read();
  const mayKill = positionals.length === 0 || positionals.some((one) => one.includes('jobs'));
  // All that is left then is cleaned up on 'exit'.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  process.once('exit', confineForks(mayKill));
  await tryAll(values, positionals);
}

type Values = ReturnType<typeof read>['values'];

function read() {
  return parseArgs({
    allowPositionals: true,
    options: {
      sample: { type: 'string', default: 'Infinity' },
      skip: { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
      at: { type: 'string' },
      ways: { type: 'string' },
      narrow: { type: 'boolean', default: false },
      own: { type: 'boolean', default: false },
      apart: { type: 'boolean', default: false },
      listed: { type: 'boolean', default: false },
      from: { type: 'string', default: '1' },
    },
  });
}

async function tryAll(values: Values, positionals: readonly string[]): Promise<void> {
  if (values.listed) {
    await withCopy((copy) => tryListed(positionals[0] ?? '', Number(values.from), copy));
    return;
  }
  const folders =
    positionals.length === 0 ? FOLDERS : positionals.map((one) => one.replace(/^src\//, ''));
  for (const folder of folders) {
    const all = sources(folder).flatMap((file) =>
      mutantsOf(file, readFileSync(join(ROOT, file), 'utf8')),
    );
    const { at, ways } = values;
    const isWay = waysOf(ways);
    const wanted = all.filter(
      ({ file, line: no, way }) => isWay(way) && (at === undefined || `${file}:${no}`.endsWith(at)),
    );
    const skip = Number(values.skip);
    const chosen = sample(wanted, skip + Number(values.sample), Number(values.seed)).slice(skip);
    if (values.apart) {
      await withCopy((copy) => tryApart(folder, chosen, copy));
      continue;
    }
    const rounds = roundsOf(folder, ROOT).slice(0, values.own ? 1 : values.narrow ? 2 : undefined);
    const verdicts = await trySwitched(byFile(all), chosen, rounds, say, (open) =>
      say(tableOf(folder, open, all.length)),
    );
    say(tableOf(folder, verdicts, all.length));
  }
}

function waysOf(given: string | undefined): (way: Way) => boolean {
  if (given === undefined) return () => true;
  const names = given.split(',');
  const unknown = names.find((name) => !WAYS.some((way) => way === name));
  if (unknown !== undefined) throw new Error(`--ways ${unknown}: it is one of ${WAYS.join(', ')}`);
  return (way) => names.includes(way);
}

async function withCopy(work: (copy: string) => Promise<void>): Promise<void> {
  const copy = copied();
  const end = (): void => rmSync(copy, { recursive: true, force: true });
  process.once('exit', end);
  await work(copy);
  process.off('exit', end);
  end();
}

/** Those of listed.ts from a number on, each with its own test. */
async function tryListed(word: string, from: number, copy: string): Promise<void> {
  const all = LISTED.filter(({ file }) => file.includes(word));
  const chosen = all.slice(from - 1);
  const passed = new Map<string, boolean>();
  let noticed = 0;
  let judged = 0;
  const end = (): void => say(`\nlisted: ${share(noticed, judged)}, of ${chosen.length}`);
  process.once('exit', end);
  for (const [index, { file, from: original, to, test }] of chosen.entries()) {
    const start = onlyPlace(readFileSync(join(copy, file), 'utf8'), original);
    if (!passed.has(test)) passed.set(test, (await vitest([test], copy)) === 'passed');
    const number = `${from + index}/${all.length}`;
    const text = `${number} ${file} ${short(original)} → ${short(to)}`;
    if (start === undefined) say(`NOT FOUND ${text}`);
    else if (!passed.get(test)) say(`NOT USED  ${text}: ${test} fails without it`);
    else {
      const mutant = { file, start, end: start + original.length, replacement: to };
      // As a filter: task-reporter-disk.test.ts is named for task-reporter.ts, too.
      const named = test.replace(/\.test\.ts$/, '');
      const isNoticed = (await tryOne(mutant, [[named]], copy)) !== 'passed';
      say(`${isNoticed ? 'noticed ' : 'SURVIVED'}  ${text}`);
      judged += 1;
      if (isNoticed) noticed += 1;
    }
  }
}

async function tryApart(folder: string, chosen: readonly Mutant[], copy: string): Promise<void> {
  const verdicts = new Map<Mutant, Verdict['verdict']>(chosen.map((mutant) => [mutant, 'open']));
  const end = (): void => {
    const known = [...verdicts].map(([mutant, verdict]) => ({ mutant, verdict }));
    say(tableOf(folder, known, chosen.length));
  };
  process.once('exit', end);
  for (const mutant of chosen) {
    const test = mutant.file.replace(/^src/, 'test').replace(/\.ts$/, '.test.ts');
    const isNoticed = (await tryOne(mutant, [[test]], copy)) !== 'passed';
    verdicts.set(mutant, isNoticed ? 'noticed' : 'survived');
    if (isNoticed) say(`noticed   ${lineOf(mutant)}`);
  }
  process.off('exit', end);
  end();
}

/** `undefined`: the text is not there, or more than once. */
function onlyPlace(text: string, part: string): number | undefined {
  const start = text.indexOf(part);
  return start === -1 || text.includes(part, start + 1) ? undefined : start;
}

function byFile(mutants: readonly Mutant[]): ReadonlyMap<string, readonly Mutant[]> {
  return Map.groupBy(mutants, ({ file }) => file);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function tryOne(
  mutant: Pick<Mutant, 'file' | 'start' | 'end' | 'replacement'>,
  rounds: readonly (readonly string[])[],
  copy: string,
): Promise<Result> {
  const path = join(copy, mutant.file);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, mutated(text, mutant));
  try {
    for (const round of rounds) {
      const result = await vitest(round, copy);
      if (result !== 'passed') return result;
    }
    return 'passed';
  } finally {
    writeFileSync(path, text);
  }
}

/** In a process group of its own, so that what hangs can be ended with all that it started. */
function vitest(tests: readonly string[], copy: string): Promise<Result> {
  const options = ['run', '--bail=1', '--reporter=dot', '--maxWorkers=2', ...tests];
  const child = spawn(
    'nice',
    ['-n', '10', process.execPath, join(ROOT, 'node_modules/vitest/vitest.mjs'), ...options],
    { cwd: copy, stdio: 'ignore', detached: true },
  );
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      kill();
    }, ROUND_MS_MAX);
    const kill = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    };
    process.once('exit', kill);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      process.off('exit', kill);
      resolve(isLate ? 'too long' : code === 0 ? 'passed' : 'failed');
    });
  });
}

/** All files that git knows or would add, as they are now. */
function copied(): string {
  const copy = mkdtempSync(join(tmpdir(), 'migration-agent-mutants-'));
  for (const file of git('ls-files', '--cached', '--others', '--exclude-standard')) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(ROOT, file), join(copy, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

function sources(folder: string): readonly string[] {
  return git('ls-files', '--cached', '--others', '--exclude-standard', `src/${folder}`).filter(
    (file) => file.endsWith('.ts'),
  );
}

function git(...args: readonly string[]): readonly string[] {
  const output = execFileSync('git', [...args], { cwd: ROOT, encoding: 'utf8' });
  return output.split('\n').filter((file) => file !== '');
}

await main();
