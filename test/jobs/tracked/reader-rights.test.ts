/** Whose rights let a status file be read: the owner's bits for the owner, the group's for its members, and every directory on the way. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { ReaderIdentity } from '../../../src/core/model/job.ts';
import { mayReach, mayRead, maySeeProcess } from '../../../src/jobs/tracked/reader-rights.ts';

const OWNER: ReaderIdentity = { uid: 1000, groups: [] };
const MEMBER: ReaderIdentity = { uid: 1001, groups: [50, 60] };
const OTHER: ReaderIdentity = { uid: 1002, groups: [70] };

/** Who may read a file of 1000:60 with this mode. */
function readers(mode: number): string[] {
  const file = { uid: 1000, gid: 60, mode };
  return Object.entries({ OWNER, MEMBER, OTHER })
    .filter(([, reader]) => mayRead(reader, file))
    .map(([name]) => name);
}

test.each<[number, string[]]>([
  [0o000, []],
  [0o400, ['OWNER']],
  [0o040, ['MEMBER']],
  [0o004, ['OTHER']],
  [0o440, ['OWNER', 'MEMBER']],
  [0o444, ['OWNER', 'MEMBER', 'OTHER']],
  // No right to read, whatever else is allowed.
  [0o333, []],
  [0o100640, ['OWNER', 'MEMBER']],
])('a file of mode %o', (mode, expected) => {
  expect(readers(mode)).toEqual(expected);
});

test('root is a user like others: only the bits count, also as the kernel gives them', () => {
  expect(mayRead({ uid: 0, groups: [0] }, { uid: 1000n, gid: 60n, mode: 0o600n })).toBe(false);
  expect(mayRead(OWNER, { uid: 1000n, gid: 60n, mode: 0o600n })).toBe(true);
});

describe('a path', () => {
  const own = process.getuid?.() ?? 0;
  /** No file is of this user. */
  const stranger: ReaderIdentity = { uid: own + 4242, groups: [] };
  let base: string;

  beforeEach(() => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'reader-rights-')));
    chmodSync(base, 0o711);
    const made = base;
    onTestFinished(() => rmSync(made, { recursive: true }));
    for (const [name, mode] of [
      ['open', 0o711],
      ['closed', 0o700],
    ] as const) {
      mkdirSync(join(base, name));
      chmodSync(join(base, name), mode);
    }
    for (const name of ['open/file', 'closed/file']) writeFileSync(join(base, name), '{}');
  });

  test.each([
    ['open/file', true],
    ['closed/file', false],
    // The file itself is another question.
    ['closed', true],
    ['open/./file', true],
    ['open//file', true],
    ['open/../open/file', true],
    ['open/../closed/file', false],
    // Whoever cannot enter it cannot go back from it either.
    ['closed/../open/file', false],
  ])('%s can be reached by a stranger: %s', async (path, can) => {
    expect(await mayReach(stranger, `${base}/${path}`)).toBe(can);
    // The owner of all of these can.
    if (own !== 0) expect(await mayReach({ uid: own, groups: [] }, `${base}/${path}`)).toBe(true);
  });

  test('what may be searched by nobody stops its owner as well, and the right to list is none', async () => {
    chmodSync(join(base, 'open'), 0o744);
    expect(await mayReach(stranger, join(base, 'open/file'))).toBe(false);
    chmodSync(join(base, 'open'), 0o677);
    expect(await mayReach({ uid: own, groups: [] }, join(base, 'open/file'))).toBe(false);
    chmodSync(join(base, 'open'), 0o711);
  });

  test('links on the way are followed, relative and absolute ones, and each directory behind them counts', async () => {
    symlinkSync('open', join(base, 'relative'));
    symlinkSync(join(base, 'open'), join(base, 'absolute'));
    symlinkSync('../closed', join(base, 'open/out'));
    symlinkSync('relative/../relative', join(base, 'twice'));
    const reach = (path: string): Promise<boolean> => mayReach(stranger, join(base, path));
    expect(await reach('relative/file')).toBe(true);
    expect(await reach('absolute/file')).toBe(true);
    expect(await reach('twice/file')).toBe(true);
    expect(await reach('open/out/file')).toBe(false);
    // A link at the end is not followed: its target does not count.
    symlinkSync('closed/file', join(base, 'last'));
    expect(await reach('last')).toBe(true);
  });

  test('forty links can be followed and no more: a circle has an end', async () => {
    symlinkSync('open', join(base, 'link0'));
    for (let number = 1; number <= 40; number += 1) {
      symlinkSync(`link${number - 1}`, join(base, `link${number}`));
    }
    expect(await mayReach(stranger, join(base, 'link39/file'))).toBe(true);
    expect(await mayReach(stranger, join(base, 'link40/file'))).toBe(false);
    symlinkSync('circle', join(base, 'circle'));
    expect(await mayReach(stranger, join(base, 'circle/file'))).toBe(false);
  });

  test('one that is not there is an error, not a yes', async () => {
    await expect(mayReach(stranger, join(base, 'none/file'))).rejects.toThrow('ENOENT');
  });
});

test('a process that is not there is seen by nobody; an own one by its user', () => {
  expect(maySeeProcess(OWNER, 2 ** 22 + 1)).toBe(false);
  expect(maySeeProcess({ uid: process.getuid?.() ?? 0, groups: [] }, process.pid)).toBe(true);
});
