/** What the arguments of dd and tar show of the bytes that they process. */
import { expect, test } from 'vitest';
import { bytesOfDd, bytesOfTar } from '../../../src/core/command-line/archive-size.ts';

test.each<[string, object]>([
  ['if=a bs=1M count=10', { bytes: 10 * 1024 ** 2 }],
  ['if=a bs=1MB count=10', { bytes: 10_000_000 }],
  ['if=a count=100 iflag=count_bytes', { bytes: 100 }],
  ['if=a bs=4k skip=2', { paths: ['a'], skipped: 8192 }],
  ['bs=1M', {}],
])('dd %s', (args, expected) => {
  expect(bytesOfDd(args.split(' '))).toEqual(expected);
});

test.each<[string, object]>([
  ['-cf a.tar b c', { blockBytes: 10_240, paths: ['b', 'c'], isArchive: true }],
  ['cbf 40 a.tar -C /d b', { blockBytes: 20_480, paths: ['b'], directory: '/d' }],
  ['-xf a.tar', { paths: ['a.tar'] }],
  ['-xzf a.tar.gz', { blockBytes: 10_240 }],
  ['-cf a.tar -T list', { blockBytes: 10_240 }],
])('tar %s', (args, expected) => {
  expect(bytesOfTar(args.split(' '))).toMatchObject(expected);
});
