/** rsync's progress records, as captured from rsync 3.5.0 (and as older ones and other locales write them). */
import { expect, test } from 'vitest';
import { createRsyncParser } from '../../../src/jobs/progress/rsync.ts';

function readAll(...records: string[]): unknown[] {
  return records.map((record) => createRsyncParser({ knowsAllFiles: true })(record, 'stdout'));
}

test('percent, bytes, rate and the time that is left', () => {
  expect(readAll('     42,369,024  54%   19.56MB/s    0:00:01  ')).toEqual([
    { percent: 54, detail: '42.4 MB, 19.6 MB/s, 0:00:01 left' },
  ]);
});

test('the smaller share of bytes and files counts', () => {
  expect(
    readAll(
      '     60,020,000  76%  908.07MB/s    0:00:00 (xfr#2, to-chk=899/1202) ',
      '      3,000,000   9%  908.07MB/s    0:00:00 (xfr#300, to-chk=1/301) ',
    ),
  ).toMatchObject([
    { percent: 25, detail: '60.0 MB, 908.1 MB/s, 303 of 1202 files' },
    { percent: 9, detail: '3.0 MB, 908.1 MB/s, 300 of 301 files' },
  ]);
});

test('no percent while files are still being discovered, nor before anything shows that they are not', () => {
  const read = createRsyncParser();
  const found = [
    '     30,000,000  66%  907.77MB/s    0:00:04  ',
    '     60,000,000  76%  907.77MB/s    0:00:00 (xfr#1, ir-chk=1000/1202)',
    '     60,032,768  70%  907.77MB/s    0:00:04  ',
    '     60,040,000  60%  907.77MB/s    0:00:00 (xfr#2, to-chk=601/1202)',
    '     61,000,000  61%  907.77MB/s    0:00:03  ',
  ].map((record) => read(record, 'stdout'));
  expect(found).toEqual([
    { detail: '30.0 MB, 907.8 MB/s, 0:00:04 left' },
    { detail: '60.0 MB, 907.8 MB/s, 202 files, still counting' },
    { detail: '60.0 MB, 907.8 MB/s, 0:00:04 left' },
    { percent: 50, detail: '60.0 MB, 907.8 MB/s, 601 of 1202 files' },
    { percent: 50, detail: '61.0 MB, 907.8 MB/s, 0:00:03 left' },
  ]);
});

test('-P prints the same records of each file: no percent of the whole', () => {
  const read = createRsyncParser({ knowsAllFiles: true });
  const found = [
    '      5,000,000 100%  907.77MB/s    0:00:00 (xfr#1, to-chk=5/7)',
    '         32,768   1%  907.77MB/s    0:00:04  ',
    '      2,000,000  50%  907.77MB/s    0:00:04  ',
    '      4,000,000 100%  907.77MB/s    0:00:00 (xfr#2, to-chk=4/7)',
  ].map((record) => read(record, 'stdout')?.percent);
  expect(found).toEqual([undefined, undefined, undefined, undefined]);
});

test('a copy that ended well is whole, whatever went over', () => {
  expect(createRsyncParser().ended?.()).toEqual({ percent: 100 });
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

test('no time is shown before a rate is known', () => {
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

test('names of files and other text are no progress', () => {
  const records = [
    'sending incremental file list',
    'a 50% full/file',
    '',
    '100%',
    'x'.repeat(9000),
  ];
  expect(readAll(...records)).toEqual(records.map(() => undefined));
});
