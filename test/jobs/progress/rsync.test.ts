/** rsync's progress records, as captured from rsync 3.5.0 (and as older ones and other locales write them). */
import { expect, test } from 'vitest';
import { createRsyncParser } from '../../../src/jobs/progress/rsync.ts';

function readAll(...records: string[]): unknown[] {
  return records.map((record) => createRsyncParser()(record, 'stdout'));
}

test('percent, bytes, rate and the time that is left', () => {
  expect(readAll('     42,369,024  54%   19.56MB/s    0:00:01  ')).toEqual([
    { percent: 54, detail: '42.4 MB, 19.6 MB/s, 0:00:01 left' },
  ]);
});

test('files that are done count more than bytes once all files are known', () => {
  expect(readAll('     60,020,000  76%  908.07MB/s    0:00:00 (xfr#2, to-chk=899/1202) ')).toEqual([
    { percent: 25, detail: '60.0 MB, 908.1 MB/s, 303 of 1202 files' },
  ]);
  // A resumed copy that transferred next to nothing.
  expect(readAll('  1,000   1%  10.00kB/s    0:00:00 (xfr#1, to-chk=0/1202)')).toEqual([
    { percent: 100, detail: '1.0 kB, 10.0 kB/s, 1202 of 1202 files' },
  ]);
});

test('no percent is told while files are still being discovered', () => {
  const read = createRsyncParser();
  const told = [
    '     60,000,000  76%  907.77MB/s    0:00:00 (xfr#1, ir-chk=1000/1202)',
    '     60,032,768  70%  907.77MB/s    0:00:04  ',
    '     60,040,000  60%  907.77MB/s    0:00:00 (xfr#2, to-chk=601/1202)',
    '     61,000,000  61%  907.77MB/s    0:00:03  ',
  ].map((record) => read(record, 'stdout'));
  expect(told).toEqual([
    { detail: '60.0 MB, 907.8 MB/s, 202 files, still counting' },
    { detail: '60.0 MB, 907.8 MB/s, 0:00:04 left' },
    { percent: 50, detail: '60.0 MB, 907.8 MB/s, 601 of 1202 files' },
    { percent: 61, detail: '61.0 MB, 907.8 MB/s, 0:00:03 left' },
  ]);
});

test.each([
  ['1,238,099,200', '1.2 GB'],
  ['1.238.099.200', '1.2 GB'],
  ['1’238’099’200', '1.2 GB'],
  ['1\u202f238\u202f099\u202f200', '1.2 GB'],
  ['1\u00a0238\u00a0099\u00a0200', '1.2 GB'],
  ['1 238 099 200', '1.2 GB'],
  ['1238099200', '1.2 GB'],
  ['1.24G', '1.2 GB'],
  ['1,24G', '1.2 GB'],
  ['32.77K', '32.8 kB'],
  ['0', '0 B'],
])('reads the bytes %s in any locale', (bytes, message) => {
  expect(readAll(`  ${bytes}  62%   12,34MB/s    0:01:02  `)).toEqual([
    { percent: 62, detail: `${message}, 12.3 MB/s, 0:01:02 left` },
  ]);
});

test('no time is told before a rate is known', () => {
  expect(
    readAll(
      '         32,768   0%    0.00kB/s    0:00:00  ',
      '         32,768   1%    1.00kB/s  ??:??:??  ',
    ),
  ).toEqual([
    { percent: 0, detail: '32.8 kB, 0.0 kB/s' },
    { percent: 1, detail: '32.8 kB, 1.0 kB/s' },
  ]);
});

test('names of files and other words are no progress', () => {
  const records = [
    'sending incremental file list',
    'a 50% full/file',
    '',
    '100%',
    'x'.repeat(9000),
  ];
  expect(readAll(...records)).toEqual(records.map(() => undefined));
});
