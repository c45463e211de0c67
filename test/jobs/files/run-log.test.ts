/** Reading a log by position, over the files that it was moved into: files that this test writes. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { archivePath } from '../../../src/jobs/files/log-files.ts';
import { RunLog } from '../../../src/jobs/files/run-log.ts';

let path: string;
let log: RunLog;

beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), 'run-log-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  path = join(directory, 'stdout.log');
  log = new RunLog(path);
});

/** The parts of an output, the last one live. What comes before `begin` was not kept. */
function write(begin: number, ...parts: readonly string[]): void {
  let end = begin;
  for (const part of parts.slice(0, -1)) {
    end += part.length;
    writeFileSync(archivePath(path, end), part);
  }
  writeFileSync(path, parts.at(-1)!);
}

/** All from there on, piece by piece. */
async function readFrom(position: number): Promise<string> {
  let text = '';
  for (let at = position; ;) {
    const piece = await log.read(at);
    if (piece === undefined || piece.bytes.length === 0) return text;
    text += piece.bytes.toString();
    at = piece.next;
  }
}

test('a log that is not there has no end and nothing to read, and begins at its first byte', async () => {
  expect([await log.end(), await log.read(0), await log.begin()]).toEqual([
    ...[undefined, undefined, 0],
  ]);
});

test('a place where no log can be is an error, not an empty log', async () => {
  writeFileSync(path, '');
  const below = new RunLog(join(path, 'stdout.log'));
  await expect(below.end()).rejects.toThrow('ENOTDIR');
});

describe('over several files', () => {
  beforeEach(() => write(0, 'one\ntwo\n', 'three\nfour\n', 'five\nsix\n'));

  test('positions count from the first byte', async () => {
    expect(await log.end()).toBe(28);
    expect(await readFrom(0)).toBe('one\ntwo\nthree\nfour\nfive\nsix\n');
    expect(await readFrom(4)).toBe('two\nthree\nfour\nfive\nsix\n');
    expect(await log.read(8)).toEqual({ bytes: Buffer.from('three\nfour\n'), next: 19 });
    expect(await log.read(28)).toEqual({ bytes: Buffer.from(''), next: 28 });
  });

  test.each([
    [0, 28],
    [1, 24],
    [2, 19],
    [3, 14],
    [4, 8],
    [5, 4],
    [6, 0],
    [7, 0],
    [Infinity, 0],
  ])('the last %d lines begin at %d', async (lines, position) => {
    expect(await log.begin(lines)).toBe(position);
  });

  test('a last line without an end is one', async () => {
    writeFileSync(path, 'five\nsix');
    expect([await log.begin(1), await log.begin(2)]).toEqual([24, 19]);
  });
});

test('of a log whose beginning was not kept, all begins with its first whole line', async () => {
  write(100, 'half\ntwo\n', 'three\n');
  expect([await log.begin(), await log.begin(2), await log.begin(9)]).toEqual([105, 105, 105]);
  expect(await readFrom(await log.begin())).toBe('two\nthree\n');
  // Who asks for what is gone is told how much.
  expect(await readFrom(0)).toBe('\n[100 B of output are not kept]\nhalf\ntwo\nthree\n');
});

test('of one long line that is not whole all is shown', async () => {
  write(100, 'a', 'b');
  expect(await log.begin()).toBe(100);
});

test('what lies between two files was not kept', async () => {
  writeFileSync(archivePath(path, 4), 'one\n');
  writeFileSync(archivePath(path, 2004), 'two\n');
  writeFileSync(path, 'three\n');
  expect(await readFrom(0)).toBe('one\n\n[2.0 kB of output are not kept]\ntwo\nthree\n');
});

test('lines are counted in logs that are larger than a piece', async () => {
  const line = `${'x'.repeat(999)}\n`;
  write(0, line.repeat(100), line.repeat(100));
  expect(await log.begin(150)).toBe(50_000);
  expect(await log.begin(67)).toBe(133_000);
  expect(await log.begin(1)).toBe(199_000);
  const { bytes, next } = (await log.read(0))!;
  expect([bytes.length, next]).toEqual([65_536, 65_536]);
  expect(await readFrom(0)).toBe(line.repeat(200));
});

describe('a live file that somebody else has', () => {
  beforeEach(async () => {
    write(0, 'one\n', 'two\nthree\n');
    expect(await readFrom(0)).toBe('one\ntwo\nthree\n');
  });

  test('cut is new from its first byte', async () => {
    writeFileSync(path, 'new\n');
    expect(await readFrom(14)).toBe('new\n');
  });

  test('replaced is new from its first byte, however long it is', async () => {
    writeFileSync(`${path}-next`, 'new\nand longer than before\n');
    renameSync(`${path}-next`, path);
    expect(await log.read(14)).toEqual({
      bytes: Buffer.from('new\nand longer than before\n'),
      next: 31,
    });
    expect((await log.read(31))?.bytes.length).toBe(0);
  });

  test('appended to is read on', async () => {
    writeFileSync(path, 'four\n', { flag: 'a' });
    expect(await readFrom(14)).toBe('four\n');
  });
});
