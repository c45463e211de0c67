/**
 * Puts each fault back in a copy of this checkout, and looks what finds it: its hostile days, seed by seed, and its tests.
 *
 *   npm run test:faults                 all of them, as rows of a table
 *   npm run test:faults -- NAME…        some
 *
 * Exit code 1: something did not find its fault.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FAULTS } from './faults.ts';
import type { Fault } from './faults.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
/** Days with a fault in them may never end. */
const LIMIT_MS = 5 * 60_000;

const names = process.argv.slice(2);
const unknown = names.filter((name) => !FAULTS.some((fault) => fault.name === name));
if (unknown.length > 0) {
  process.stderr.write(`no such fault: ${unknown.join(', ')}\n`);
  process.exit(2);
}
const copy = mkdtempSync(join(tmpdir(), 'faults-'));
try {
  for (const part of [
    'src',
    'test',
    'config',
    'systemd',
    'package.json',
    'tsconfig.json',
    'vitest.config.ts',
  ]) {
    cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  for (const fault of FAULTS) {
    if (names.length === 0 || names.includes(fault.name)) tryFault(fault);
  }
} finally {
  rmSync(copy, { recursive: true });
}

function tryFault(fault: Fault): void {
  const before = fault.changes.map(
    ({ file }) => [file, readFileSync(join(copy, file), 'utf8')] as const,
  );
  for (const { file, find, replace } of fault.changes) {
    const path = join(copy, file);
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace(find, () => replace),
    );
  }
  const found = [
    ...(fault.days === undefined ? [] : [ofDays(fault.days)]),
    ...(fault.atOnce === undefined ? [] : [ofFaultsAtOnce(fault.atOnce)]),
    ...fault.tests.map((file) => ofTest(file)),
  ];
  for (const [file, text] of before) writeFileSync(join(copy, file), text);
  if (found.some((one) => one.startsWith('NOTHING'))) process.exitCode = 1;
  process.stdout.write(`| ${fault.name} | ${fault.what} | ${found.join('; ')} |\n`);
}

function ofDays({ hosts, seeds }: NonNullable<Fault['days']>): string {
  for (const seed of seeds) {
    const finding = run('node', [
      'test/simulation/faults/one-day.ts',
      `${hosts}`,
      `${seed}`,
    ]).stdout;
    if (finding !== '') return `${hosts} host(s), seed ${seed}: ${finding.slice(25)}`;
  }
  return `NOTHING in the days of seeds ${seeds.join(', ')}`;
}

function ofFaultsAtOnce(faults: string): string {
  const found = ofTest('test/simulation/fault-pairs.test.ts', { FAULTS: faults });
  return `${found} (${faults})`;
}

function ofTest(file: string, environment: NodeJS.ProcessEnv = {}): string {
  const { status } = run('node', ['node_modules/vitest/vitest.mjs', 'run', file], environment);
  return status === 0 ? `NOTHING in ${file}` : file;
}

function run(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): { status: number | null; stdout: string } {
  const { status, stdout } = spawnSync(command, args, {
    ...{ cwd: copy, encoding: 'utf8', timeout: LIMIT_MS },
    env: { ...process.env, ...environment },
  });
  return { status, stdout };
}
