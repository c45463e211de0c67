/** What the arguments of dd and tar show of the bytes that they process. */
import { expect, test } from 'vitest';
import { bytesOfDd, bytesOfTar } from '../../../src/core/command-line/archive-size.ts';

test.each<[string, object]>([
  ['if=a bs=1M count=10', { bytes: 10 * 1024 ** 2 }],
  ['if=a bs=1MB count=10', { bytes: 10_000_000 }],
  ['if=a count=100 iflag=count_bytes', { bytes: 100 }],
  ['if=a bs=4k skip=2', { paths: ['a'], skipped: 8192 }],
  ['bs=1M', {}],
  ['count=3', { bytes: 1536 }],
  ['ibs=1k count=3', { bytes: 3072 }],
  ['bs=2x512 count=3', { bytes: 3072 }],
  ['bs=4w count=2', { bytes: 16 }],
  ['bs=3b count=2', { bytes: 3072 }],
  ['bs=5c count=2', { bytes: 10 }],
  ['bs=1MiB count=1', { bytes: 1024 ** 2 }],
  ['bs=1kB count=1', { bytes: 1000 }],
  ['if=a if=b', { paths: ['b'], skipped: 0 }],
  ['if=a skip=7 iflag=skip_bytes', { paths: ['a'], skipped: 7 }],
  ['if=a iseek=2', { paths: ['a'], skipped: 1024 }],
  ['if=a bs=many count=1', {}],
  ['if=a skip=many', {}],
])('dd %s', (args, expected) => {
  expect(bytesOfDd(args.split(' '))).toEqual(expected);
});

test.each<[string, object]>([
  ['-cf a.tar b c', { blockBytes: 10_240, paths: ['b', 'c'], isArchive: true }],
  ['cbf 40 a.tar -C /d b', { blockBytes: 20_480, paths: ['b'], directory: '/d' }],
  ['-xf a.tar', { paths: ['a.tar'] }],
  ['-xzf a.tar.gz', { blockBytes: 10_240 }],
  ['-cf a.tar -T list', { blockBytes: 10_240 }],
  ['-c -b 40 -f a.tar x', { blockBytes: 20_480, paths: ['x'] }],
  ['-c -b0 -f a.tar x', { blockBytes: 10_240 }],
  ['--create --file a.tar --directory /d x', { paths: ['x'], directory: '/d' }],
  ['--create --file=a.tar --directory=/d x', { paths: ['x'], directory: '/d' }],
  ['--blocking-factor=1 -cf a.tar x', { blockBytes: 512, paths: ['x'] }],
  ['-cfa.tar -C/d x', { paths: ['x'], directory: '/d' }],
  ['-cvf - -- -x y', { paths: ['-x', 'y'] }],
  ['-c -f a.tar -', { paths: ['-'] }],
  ['--extract --file a.tar', { paths: ['a.tar'] }],
  ['--get -f a.tar', { paths: ['a.tar'] }],
])('tar %s', (args, expected) => {
  expect(bytesOfTar(args.split(' '))).toMatchObject(expected);
});

test.each(['-cf a.tar', '-c -T list x', '-c --files-from=list x', '-cg state x', '-tf a.tar'])(
  'tar %s shows no size',
  (args) => {
    expect(bytesOfTar(args.split(' '))).toEqual({ blockBytes: 10_240 });
  },
);

test('the letters of tar without a hyphen take their values in order', () => {
  expect(bytesOfTar('cfC a.tar /d x'.split(' '))).toMatchObject({ paths: ['x'], directory: '/d' });
  expect(bytesOfTar('xf a.tar'.split(' '))).toMatchObject({ paths: ['a.tar'] });
});
