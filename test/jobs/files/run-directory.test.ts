/** Where the files of a run lie, whatever its job is called. */
import fc from 'fast-check';
import { basename, dirname, join, relative, sep } from 'node:path';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import {
  lockedSpawns,
  makeRunDirectory,
  moveAside,
  readCgroup,
  readExit,
  readJobUser,
  readStarted,
  recordDirectory,
  runDirectory,
  runLogPaths,
  takeStartLock,
  writeCgroup,
  writeJobUser,
} from '../../../src/jobs/files/run-directory.ts';
import { RunCgroup } from '../../../src/jobs/process/cgroups.ts';
import { anyText } from '../../support/any-text.ts';

test('an ordinary name stays readable', () => {
  expect(runLogPaths('/state', 'nightly-files', 7)).toEqual({
    stdout: '/state/runs/nightly-files/7/stdout.log',
    stderr: '/state/runs/nightly-files/7/stderr.log',
  });
});

test('any name has a directory of its own inside runs, and can be read back from it', () => {
  const name = fc.oneof(
    anyText({ maxLength: 300 }).map((text) => text.toWellFormed()),
    fc.constantFrom(
      '',
      '.',
      '..',
      '/',
      '../../etc',
      'a/b',
      'a%2Fb',
      'a+',
      '+',
      '-',
      'ü'.repeat(200),
    ),
  );
  fc.assert(
    fc.property(name, (job) => {
      const directory = runDirectory('/state', job, 3);
      const pieces = relative(join('/state', 'runs'), dirname(directory)).split(sep);
      expect(basename(directory)).toBe('3');
      expect(pieces.every((piece) => piece !== '..' && piece !== '.' && piece.length <= 255)).toBe(
        true,
      );
      expect(pieces.slice(0, -1).every((piece) => piece.endsWith('+'))).toBe(true);
      const encoded = pieces.map((piece) => piece.replace(/\+$/, '')).join('');
      expect(decodeURIComponent(encoded === '%' ? '' : encoded)).toBe(job);
    }),
  );
});

function directory(): string {
  const state = mkdtempSync(join(tmpdir(), 'run-directory-'));
  onTestFinished(() => rmSync(state, { recursive: true }));
  return runDirectory(state, 'copy', 1);
}

/** As a shim writes it. */
function record(run: string, name: string, text: string): void {
  makeRunDirectory(run);
  writeFileSync(join(recordDirectory(run), name), text);
}

test('a start lock goes to one: an agent may take its own again, a shim keeps its', () => {
  const run = directory();
  expect(lockedSpawns(run)).toEqual([]);
  expect([takeStartLock(run, 1), takeStartLock(run, 1)]).toEqual([true, true]);
  // The lock of a shim is a file.
  record(run, 'start-lock.2', '');
  expect(takeStartLock(run, 2)).toBe(false);
  expect(takeStartLock(run, 13)).toBe(true);
  expect(lockedSpawns(run).toSorted((a, b) => a - b)).toEqual([1, 2, 13]);
});

test.each<[string, ReturnType<typeof readStarted>]>([
  [
    '12 boot 345 /run/a b.sock\n',
    { process: { pid: 12, bootId: 'boot', startTicks: '345' }, socketPath: '/run/a b.sock' },
  ],
  ['12 boot 345 \n', { process: { pid: 12, bootId: 'boot', startTicks: '345' }, socketPath: '' }],
  ['12 boot 345', undefined],
  ['x boot 345 /run/a.sock\n', undefined],
  ['12 boot now /run/a.sock\n', undefined],
  ['', undefined],
])('a started record %j', (text, started) => {
  const run = directory();
  expect(readStarted(run, 1)).toBeUndefined();
  record(run, 'started.1', text);
  expect(readStarted(run, 1)).toEqual(started);
  expect(readStarted(run, 2)).toBeUndefined();
});

test.each([
  ['0\n', 0],
  ['255\n', 255],
  ['137', 137],
  ['1000\n', undefined],
  ['-1\n', undefined],
  ['1 \n', undefined],
  ['', undefined],
])('an exit record %j is %s', (text, exitCode) => {
  const run = directory();
  expect(readExit(run, 1)).toBeUndefined();
  record(run, 'exit.1', text);
  expect(readExit(run, 1)).toBe(exitCode);
});

test('something else in the place of a record is no record', () => {
  const run = directory();
  record(run, 'elsewhere', '0\n');
  symlinkSync(join(recordDirectory(run), 'elsewhere'), join(recordDirectory(run), 'exit.1'));
  mkdirSync(join(recordDirectory(run), 'exit.2'));
  expect([readExit(run, 1), readExit(run, 2)]).toEqual([undefined, undefined]);
});

test('control group and user of a spawn are read back, the group only in the same boot', () => {
  const run = directory();
  makeRunDirectory(run);
  expect([readCgroup(run, 1, 'boot'), readJobUser(run, 1)]).toEqual([undefined, undefined]);
  writeCgroup(run, 1, 'boot', new RunCgroup('/sys/fs/cgroup/run 1'));
  writeJobUser(run, 1, 1000);
  expect(readCgroup(run, 1, 'boot')?.path).toBe('/sys/fs/cgroup/run 1');
  expect(readCgroup(run, 1, 'other')).toBeUndefined();
  expect([readJobUser(run, 1), readJobUser(run, 2)]).toEqual([1000, undefined]);
  // It is written once: another group of the same spawn would be a second start.
  expect(() => writeCgroup(run, 1, 'boot', new RunCgroup('/other'))).toThrow('EEXIST');
});

test('what is moved aside keeps its content, beside what was moved there before', () => {
  const run = directory();
  for (const name of ['first', 'second']) {
    mkdirSync(run, { recursive: true });
    writeFileSync(join(run, name), '');
    moveAside(run);
  }
  expect(existsSync(run)).toBe(false);
  expect(readdirSync(`${run}.aside-1`)).toEqual(['first']);
  expect(readdirSync(`${run}.aside-2`)).toEqual(['second']);
});
