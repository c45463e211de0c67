/** What `doctor` says of a state directory: its room, its rights, and how long a write takes. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkStateDirectory, judged } from '../../../src/cli/file-system/state-directory.ts';

const GOOD = { freeBytes: 2e9, syncMs: 4, mode: 0o40700 };

test.each<[string, Partial<typeof GOOD>, string, RegExp | undefined]>([
  ['room, quick, private', {}, 'ok', undefined],
  ['just enough room', { freeBytes: 100e6 }, 'ok', undefined],
  ['little room', { freeBytes: 100e6 - 1 }, 'warning', /^make room soon$/],
  ['as little as will do', { freeBytes: 10e6 }, 'warning', /^make room soon$/],
  ['no room', { freeBytes: 10e6 - 1 }, 'failed', /^make room: without it/],
  ['a slow disk', { syncMs: 501 }, 'warning', /^a slow disk/],
  ['just quick enough', { syncMs: 500 }, 'ok', undefined],
  ['a group that may read', { mode: 0o40750 }, 'ok', undefined],
  ['others may list it', { mode: 0o40704 }, 'warning', /^chmod o-rwx \/state/],
  ['others may enter it', { mode: 0o40701 }, 'warning', /^chmod o-rwx \/state/],
  ['others, and little room', { mode: 0o40755, freeBytes: 50e6 }, 'warning', /^chmod/],
  ['others, and no room', { mode: 0o40755, freeBytes: 1 }, 'failed', /^make room: without it/],
  ['little room and slow', { freeBytes: 50e6, syncMs: 900 }, 'warning', /^make room soon$/],
])('%s', (_what, measured, verdict, remedy) => {
  const finding = judged('/state', { ...GOOD, ...measured });
  expect(finding.verdict).toBe(verdict);
  expect(finding.message).toMatch(/^\/state: \d+\.\d GB free, on disk in \d+ ms/);
  if (remedy === undefined) expect(finding.remedy).toBeUndefined();
  else expect(finding.remedy).toMatch(remedy);
});

test('a directory is made, written to, and left as it was', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'state-'));
  onTestFinished(() => rm(parent, { recursive: true }));
  const directory = join(parent, 'state');
  // A busy disk is slow, and this one may be full: what counts is that it was looked at.
  expect((await checkStateDirectory(directory)).message).toMatch(/GB free, on disk in \d+ ms/);
  expect(await readdir(directory)).toEqual([]);
});
