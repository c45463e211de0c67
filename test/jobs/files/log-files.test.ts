/** The files of one stream: what was moved out of the live one, in the order of the output, and where the live one begins. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import {
  archivePath,
  listLogFiles,
  partBegin,
  partPath,
} from '../../../src/jobs/files/log-files.ts';

let path: string;

beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), 'log-files-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  path = join(directory, 'stdout.log');
});

test('nothing is there, or only the live file: it begins at the first byte', async () => {
  expect(await listLogFiles('/nonexistent/stdout.log')).toEqual({ archives: [], liveBegin: 0 });
  writeFileSync(path, 'live');
  expect(await listLogFiles(path)).toEqual({ archives: [], liveBegin: 0 });
});

test('archives are named by their end and listed oldest first; a gap between two shows', async () => {
  writeFileSync(archivePath(path, 1_000_000), 'bbbb');
  writeFileSync(archivePath(path, 5), 'aaaaa');
  writeFileSync(join(path, '..', 'stderr.log.000000000000009'), 'of another stream');
  writeFileSync(`${path}.123`, 'not named by the agent');
  expect(await listLogFiles(path)).toEqual({
    archives: [
      { path: archivePath(path, 5), begin: 0, end: 5 },
      { path: archivePath(path, 1_000_000), begin: 999_996, end: 1_000_000 },
    ],
    liveBegin: 1_000_000,
  });
});

test('a part that is being moved is named, and where it began', async () => {
  writeFileSync(archivePath(path, 5), 'aaaaa');
  writeFileSync(partPath(path, 5), 'bb');
  const { archives, liveBegin, part } = await listLogFiles(path);
  expect([archives.length, liveBegin, part]).toEqual([1, 5, partPath(path, 5)]);
  expect(partBegin(part ?? '')).toBe(5);
});

test('names sort by number', () => {
  const ends = [5, 40, 300, 20_971_520].map((end) => archivePath(path, end));
  expect(ends.toSorted()).toEqual(ends);
});

test('a directory that cannot be read is not an empty one', async () => {
  writeFileSync(path, 'live');
  await expect(listLogFiles(join(path, 'stdout.log'))).rejects.toThrow('ENOTDIR');
});
