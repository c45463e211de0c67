/** One record of each tool, and what looks like one: whole ones are read, cut and joined ones are not. */
import { describe, expect, test } from 'vitest';
import {
  createAwsS3Parser,
  createDdParser,
  createRcloneParser,
  createTarParser,
  readPgBasebackup,
  readQemuImg,
  readRestic,
} from '../../../src/jobs/progress/tools.ts';

type Found = object | undefined;

describe('pg_basebackup', () => {
  test.each<[string, Found]>([
    [
      '  12345/24690 kB (50%), 0/1 tablespace',
      { percent: 50, detail: '12.6 MB of 25.3 MB, 0/1 tablespace', isDoubtful: true },
    ],
    [
      '100/100 kB (100%), 1/2 tablespaces (/data)',
      { percent: 100, detail: '102 kB of 102 kB, 1/2 tablespaces', isDoubtful: true },
    ],
    // The last one of a line.
    ['1/100 kB (1%), 0/1 tablespace\r50/100 kB (50%), 0/1 tablespace', { percent: 50 }],
    // More than was estimated is all of it.
    ['101/100 kB (100%), 0/1 tablespace', { percent: 100 }],
    // A percentage that does not fit the numbers: one of them was cut.
    ['12345/24690 kB (52%), 0/1 tablespace', undefined],
    ['12345/24690 kB (51%), 0/1 tablespace', { percent: 50 }],
    ['0/0 kB (0%), 0/1 tablespace', undefined],
    ['12345/24690 kB', undefined],
  ])('%j', (record, found) => {
    const read = readPgBasebackup(record, 'stderr');
    if (found === undefined) expect(read).toBeUndefined();
    else expect(read).toMatchObject(found);
  });
});

test('qemu-img', () => {
  const percent = (record: string): unknown => readQemuImg(record, 'stdout')?.percent;
  expect(percent('    (12.34/100%)')).toBe(12.34);
  expect(percent('(1.00/100%)\r(2.00/100%)')).toBe(2);
  expect(percent('(100.00/100%)')).toBe(100);
  expect([percent('(100.01/100%)'), percent('(2/100%)'), percent('12.34/100%')]).toEqual([
    ...[undefined, undefined, undefined],
  ]);
});

describe('rclone', () => {
  test.each<[string, Found]>([
    [
      'Transferred: 4.059 MiB / 38.147 MiB, 11%, 1 MiB/s, ETA 5s',
      { detail: '4.059 MiB / 38.147 MiB', isDoubtful: true },
    ],
    ['4 MiB / 8 MiB, 50%', { percent: 50, total: 8 * 1024 * 1024 }],
    // Of two in a block the last; counted files are none.
    ['1 KiB / 4 KiB, 25%\n2 KiB / 4 KiB, 50%\nTransferred: 3 / 4, 75%', { percent: 50 }],
    ['Transferred: 3 / 6, 50%', undefined],
    ['0 B / 0 B, -', undefined],
    ['4 MiB / 8 MiB, 90%', undefined],
    ['{"stats":{"bytes":5,"totalBytes":10}}', { percent: 50, total: 10, detail: '5 B of 10 B' }],
    ['{"stats":{"bytes":12,"totalBytes":10}}', { percent: 100, detail: '10 B of 10 B' }],
    ['{"stats":{"bytes":5,"totalBytes":0}}', { detail: '5 B' }],
    ['{"stats":{"bytes":"5"}}', undefined],
    ['{"stats":5}', undefined],
    ['{"stats":null}', undefined],
  ])('%j', (record, found) => {
    const read = createRcloneParser()(record, 'stderr');
    if (found === undefined) expect(read).toBeUndefined();
    else expect(read).toMatchObject(found);
  });
});

describe('restic', () => {
  test.each<[string, Found]>([
    [
      '{"message_type":"status","bytes_done":5,"total_bytes":20}',
      { percent: 25, total: 20, detail: '5 B of 20 B' },
    ],
    ['{"message_type":"status","bytes_restored":5,"total_bytes":20}', { percent: 25 }],
    ['{"message_type":"status","total_bytes":20}', { percent: 0 }],
    ['{"message_type":"status"}', { detail: '0 B' }],
    ['{"message_type":"summary","bytes_done":5,"total_bytes":20}', undefined],
    ['[0:05] 12.34%  12 files 1.2 GiB', { percent: 12.34, detail: '12 files 1.2 GiB' }],
    ['[0:05] 100.00%  all', { percent: 100 }],
    ['[0:05] 100.01%  all', undefined],
    ['0:05] 12.34%  12 files', undefined],
  ])('%j', (record, found) => {
    const read = readRestic(record, 'stdout');
    if (found === undefined) expect(read).toBeUndefined();
    else expect(read).toMatchObject(found);
  });
});

describe('aws s3', () => {
  const read = (record: string): Found => createAwsS3Parser()(record, 'stdout');

  test('bytes and files of a total that is known', () => {
    expect(read('Completed 1.0 MiB/4.0 MiB (481.2 KiB/s) with 12 file(s) remaining')).toEqual({
      ...{ percent: 25, total: 4 * 1024 * 1024 },
      detail: '1.0 MiB of 4.0 MiB',
    });
    expect(read('Completed 1 file(s) with x\rCompleted 1.0 MiB/2.0 MiB with 1 f')).toMatchObject({
      percent: 50,
    });
  });

  test.each([
    'Completed 1.0 MiB/~4.0 MiB (481.2 KiB/s) with 12 file(s) remaining',
    'Completed 1.0 MiB/4.0 MiB (481.2 KiB/s) with ~12 file(s) remaining',
    'Completed 1.0 MiB/4.0 MiB (481.2 KiB/s) with 12 file(s) remaining (calculating...)',
  ])('of a total that grows no percent: %s', (record) => {
    expect(read(record)).toEqual({ detail: '1.0 MiB of 4.0 MiB' });
  });

  test('what is cut is not read', () => {
    expect(read('1.0 MiB/4.0 MiB (481.2 KiB/s) with 12 file(s)')).toBeUndefined();
    expect(read('Completed 1.0 MiB/4.0 M')).toBeUndefined();
  });
});

describe('dd', () => {
  const read = (record: string, total?: number): Found =>
    createDdParser(() => total)(record, 'stderr');

  test('bytes of the total that its command shows', () => {
    const record = '500000 bytes (500 kB, 488 KiB) copied, 1 s, 500 kB/s';
    expect(read(record, 1_000_000)).toEqual({ percent: 50, detail: '500 kB of 1.0 MB' });
    expect(read(record)).toEqual({ detail: '500 kB' });
    // A little more is rounded; much more was not the total of this command.
    expect(read(record, 496_000)).toEqual({ percent: 100, detail: '496 kB of 496 kB' });
    expect(read(record, 490_000)).toEqual({ detail: '500 kB' });
  });

  test('in another language', () => {
    expect(read('500000 Bytes (500 kB, 488 KiB) kopiert, 1 s, 500 kB/s', 1_000_000)).toBeDefined();
  });

  test.each([
    // The number and its rounded form do not fit: one of them was cut.
    '50000 bytes (500 kB, 488 KiB) copied, 1 s, 500 kB/s',
    '500000 bytes (530 kB, 488 KiB) copied, 1 s, 500 kB/s/',
    '500000 bytes (500 kB, 488 KiB) copied, 1 s',
    'x500000 bytes (500 kB, 488 KiB) copied, 1 s, 500 kB/s',
    '976+0 records in',
  ])('%s is none', (record) => {
    expect(read(record, 1_000_000)).toBeUndefined();
  });

  test('rounding may be off by six of a hundred', () => {
    expect(read('500000 bytes (529 kB, 1 K) copied, 1 s, 500 kB/s', 1_000_000)).toBeDefined();
    expect(read('500000 bytes (531 kB, 1 K) copied, 1 s, 500 kB/s', 1_000_000)).toBeUndefined();
    expect(read('500000 bytes (471 kB, 1 K) copied, 1 s, 500 kB/s', 1_000_000)).toBeDefined();
  });
});

describe('tar', () => {
  test('checkpoints count blocks of the archive', () => {
    const read = createTarParser(10_240, () => 102_400);
    expect(read('tar: Write checkpoint 5', 'stderr')).toEqual({
      percent: 50,
      detail: '51.2 kB of 102 kB',
    });
    expect(read('/bin/tar: Schreibe Checkpoint 1', 'stderr')).toMatchObject({ percent: 10 });
    expect(read('tar: Write checkpoint 11', 'stderr')).toEqual({ detail: '113 kB' });
    expect(read('tar: Removing leading `/', 'stderr')).toBeUndefined();
    expect(read('checkpoint 5', 'stderr')).toBeUndefined();
  });
});
