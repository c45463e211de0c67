/** The bytes that dd and tar will process: by their arguments, and by the files that those name, which are measured in play here. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { expectedBytes } from '../../../src/jobs/progress/expected-bytes.ts';
import type { EntryBytes, Measure } from '../../../src/jobs/progress/tree-size.ts';

interface Files {
  /** Of each path, its entries below it. */
  sizes: Record<string, readonly (readonly [size: number, name: string])[]>;
  broken: string;
  asked: string[];
}
const files = vi.hoisted((): Files => ({ sizes: {}, broken: '', asked: [] }));

vi.mock(import('../../../src/jobs/progress/tree-size.ts'), () => ({
  measure: (path: string, { entryBytes }: { entryBytes?: EntryBytes }): Promise<Measure> => {
    files.asked.push(path);
    const of = entryBytes ?? ((size: number): number => size);
    const bytes = (files.sizes[path] ?? []).reduce((all, [size, name]) => all + of(size, name), 0);
    return Promise.resolve({ bytes, isWhole: path !== files.broken });
  },
}));

beforeEach(() => {
  Object.assign(files, { sizes: {}, broken: '', asked: [] });
});

function bytes(name: string, args: readonly string[]): Promise<number | undefined> {
  const launch = { cwd: '/srv', env: {} };
  const tool = { name, program: name, args } as never;
  return expectedBytes(tool, launch, new AbortController().signal);
}

describe('dd', () => {
  test('as many as it was told; nothing is measured', async () => {
    expect(await bytes('dd', ['if=/dev/zero', 'bs=1M', 'count=3'])).toBe(3 * 1024 * 1024);
    expect(files.asked).toEqual([]);
  });

  test('those of its input, without what it leaves out', async () => {
    files.sizes = { '/srv/disk.img': [[5_000, '']] };
    expect(await bytes('dd', ['if=disk.img', 'bs=1000', 'skip=2'])).toBe(3_000);
    expect(await bytes('dd', ['if=disk.img'])).toBe(5_000);
    // Nothing would be left.
    expect(await bytes('dd', ['if=disk.img', 'bs=1000', 'skip=5'])).toBeUndefined();
    expect(await bytes('dd', ['if=/other'])).toBeUndefined();
    expect(await bytes('dd', ['of=/other'])).toBeUndefined();
  });

  test('not those of an input that cannot be read to its end', async () => {
    files.sizes = { '/srv/disk.img': [[5_000, '']] };
    files.broken = '/srv/disk.img';
    expect(await bytes('dd', ['if=disk.img'])).toBeUndefined();
  });
});

describe('tar', () => {
  const packed = async (size: number, name = '/srv/a'): Promise<number | undefined> => {
    files.sizes = { '/srv/a': [[size, name]] };
    return bytes('tar', ['-cf', '/x.tar', 'a']);
  };

  test('a header for each entry, and its content in whole blocks', async () => {
    expect(await packed(0)).toBe(512);
    expect(await packed(1)).toBe(1024);
    expect(await packed(512)).toBe(1024);
    expect(await packed(513)).toBe(1536);
  });

  test('a name of more than a hundred characters has two blocks more', async () => {
    expect(await packed(1, 'x'.repeat(100))).toBe(1024);
    expect(await packed(1, 'x'.repeat(101))).toBe(2048);
  });

  test('all that it packs together, from the directory that it changes to', async () => {
    files.sizes = { '/data/a': [[1, 'a']], '/data/b': [[512, 'b']] };
    expect(await bytes('tar', ['-cf', '/x.tar', '-C', '/data', 'a', 'b'])).toBe(2048);
    files.sizes = { '/srv/data/a': [[1, 'a']] };
    expect(await bytes('tar', ['-cf', '/x.tar', '-C', 'data', 'a'])).toBe(1024);
    // One of them is not there: the rest is not all.
    expect(await bytes('tar', ['-cf', '/x.tar', '-C', 'data', 'a', 'b'])).toBeUndefined();
  });

  test('those of the archive that it unpacks, as it is', async () => {
    files.sizes = { '/srv/x.tar': [[10_240, '']] };
    expect(await bytes('tar', ['-xf', 'x.tar'])).toBe(10_240);
    expect(await bytes('tar', ['-xf', 'x.tar.gz'])).toBeUndefined();
  });
});

test('of another tool, and of none, nothing is known', async () => {
  files.sizes = { '/srv/a': [[1, 'a']] };
  expect(await bytes('cp', ['if=a', 'count=3', '-cf', 'x', 'a'])).toBeUndefined();
  const launch = { cwd: '/srv', env: {} };
  expect(await expectedBytes(undefined, launch, new AbortController().signal)).toBeUndefined();
});
