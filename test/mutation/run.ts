/**
 * `npm run test:mutants -- [--sample N] [--seed S] [--at FILE:LINE] [folder…]`: changes one place of the sources at a time and
 * looks whether a test notices. The checkout that it is run in is never changed: mutants are switched on and off in the tests'
 * own process (switched.ts), some ten a second.
 *
 * Folders are those of `src` (`core/hub`, `store`); without one all of `core`, `store`, `jobs`, `config`, `aws`, `control` are
 * taken. `--sample N` tries N mutants of each folder, chosen by `--seed`; without it all of them. `--skip N` leaves
 * out the first N of that order: what a sample of N has shown is then no part of it. A test that cannot be repeated
 * there is named and not used. `--apart` tries each mutant in a copy of the checkout instead, with a run of the test beside the
 * name of its file: for a script that goes on in the background, such as that of the status page. `--own` uses the tests of the
 * folder alone, `--narrow` those of its part as well. `--listed` tries the mutants of listed.ts instead, or those of files whose
 * names have the word given: each in a copy of the checkout, with a run of its test. Each is numbered, and `--from N` goes on
 * at the one of that number, so that a long list can be tried in parts.
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
import { mutantsOf, mutated } from './mutants.ts';
import type { Mutant } from './mutants.ts';
import { sample } from './sample.ts';
import { trySwitched } from './switched.ts';
import type { Verdict } from './switched.ts';
import { roundsOf } from './tests-of.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = ['core', 'store', 'jobs', 'config', 'aws', 'control'];
/** A mutant that makes a loop endless is noticed by this. The longest round takes a minute on a quiet machine. */
const ROUND_MS_MAX = 300_000;

type Result = 'passed' | 'failed' | 'too long';

async function main(): Promise<void> {
  const { values, positionals } = read();
  const mayKill = positionals.length === 0 || positionals.some((one) => one.includes('jobs'));
  const end = confineForks(mayKill);
  try {
    await tryAll(values, positionals);
  } finally {
    end();
  }
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
    const { at } = values;
    const wanted = all.filter(
      ({ file, line: no }) => at === undefined || `${file}:${no}`.endsWith(at),
    );
    const skip = Number(values.skip);
    const chosen = sample(wanted, skip + Number(values.sample), Number(values.seed)).slice(skip);
    if (values.apart) {
      await withCopy((copy) => tryApart(chosen, copy));
      continue;
    }
    const rounds = roundsOf(folder, ROOT).slice(0, values.own ? 1 : values.narrow ? 2 : undefined);
    report(folder, await trySwitched(byFile(all), chosen, rounds, say), all.length);
  }
}

async function withCopy(work: (copy: string) => Promise<void>): Promise<void> {
  const copy = copied();
  const end = (): void => rmSync(copy, { recursive: true, force: true });
  process.once('SIGINT', () => {
    end();
    process.exit(130);
  });
  try {
    await work(copy);
  } finally {
    end();
  }
}

/** Those of listed.ts from a number on, each with its own test. */
async function tryListed(word: string, from: number, copy: string): Promise<void> {
  const all = LISTED.filter(({ file }) => file.includes(word));
  const chosen = all.slice(from - 1);
  const passed = new Map<string, boolean>();
  let noticed = 0;
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
      if (isNoticed) noticed += 1;
    }
  }
  say(`\nlisted: ${share(noticed, chosen.length)}`);
}

async function tryApart(chosen: readonly Mutant[], copy: string): Promise<void> {
  const noticed: Mutant[] = [];
  for (const mutant of chosen) {
    const test = mutant.file.replace(/^src/, 'test').replace(/\.ts$/, '.test.ts');
    const isNoticed = (await tryOne(mutant, [[test]], copy)) !== 'passed';
    say(`${isNoticed ? 'noticed ' : 'SURVIVED'}  ${line(mutant)}`);
    if (isNoticed) noticed.push(mutant);
  }
  say(`\napart: ${share(noticed.length, chosen.length)}`);
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

function report(folder: string, verdicts: readonly Verdict[], count: number): void {
  const judged = verdicts.filter(({ verdict }) => verdict !== 'alone');
  const left = judged.filter(({ verdict }) => verdict !== 'noticed');
  for (const { mutant, verdict } of left) say(`${verdict.padEnd(9)} ${line(mutant)}`);
  say(`\n${folder}: ${share(judged.length - left.length, judged.length)}, of ${count} possible`);
  for (const [file, mine] of Map.groupBy(judged, ({ mutant }) => mutant.file)) {
    const noticed = mine.filter(({ verdict }) => verdict === 'noticed').length;
    say(`  ${file}: ${share(noticed, mine.length)}`);
  }
  say('');
}

function share(noticed: number, judged: number): string {
  const percent = judged === 0 ? '-' : Math.round((noticed / judged) * 100);
  return `${noticed} of ${judged} noticed (${percent} %)`;
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
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, ROUND_MS_MAX);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
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

function line({ file, line: at, original, replacement }: Mutant): string {
  return `${file}:${at} ${short(original)} → ${short(replacement)}`;
}

function short(text: string): string {
  const flat = text.replaceAll(/\s+/g, ' ');
  return flat.length > 60 ? `${flat.slice(0, 60)}…` : flat;
}

await main();
