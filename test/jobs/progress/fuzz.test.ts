/**
 * Output in the form that tools print, made for a truth that rises in small steps, and then cut, joined and mangled: bounded
 * memory, linear time, and never a percent that is more than five points above the truth. LINES=100000 runs the long form.
 * recorded.test.ts does the same with recorded output.
 */
import { expect, test } from 'vitest';
import { RecordSplitter } from '../../../src/jobs/files/record-splitter.ts';
import type { ReadRecord } from '../../../src/jobs/lib/progress.ts';
import {
  createPvParser,
  createRegexParser,
  readPercent,
} from '../../../src/jobs/progress/lines.ts';
import { PercentFilter } from '../../../src/jobs/progress/percent-filter.ts';
import { createRsyncParser } from '../../../src/jobs/progress/rsync.ts';
import {
  createAwsS3Parser,
  createRcloneParser,
  readPgBasebackup,
  readQemuImg,
  readRestic,
} from '../../../src/jobs/progress/tools.ts';
import { dice, mangled } from './mangle.ts';

const LINES = Number(process.env['LINES'] ?? 8000);

const size = (mib: number): string =>
  mib < 1
    ? `${(mib * 1024).toFixed(1)} KiB`
    : mib < 1024
      ? `${mib.toFixed(1)} MiB`
      : `${(mib / 1024).toFixed(1)} GiB`;

interface Form {
  readonly name: string;
  readonly parser: () => ReadRecord;
  readonly line: (percent: number) => string;
  readonly end: string;
}

const TOTAL_MIB = 5222;
const FORMS: readonly Form[] = [
  {
    name: 'aws s3',
    parser: createAwsS3Parser,
    line: (p) =>
      `Completed ${size((p * TOTAL_MIB) / 100)}/${size(TOTAL_MIB)} (481.2 KiB/s) with 12 file(s) remaining`,
    end: '\r',
  },
  {
    name: 'rclone',
    parser: createRcloneParser,
    line: (p) =>
      `${size((p * TOTAL_MIB) / 100)} / ${size(TOTAL_MIB)}, ${Math.floor(p)}%, 8.0 MiB/s, ETA 3s`,
    end: '',
  },
  {
    name: 'qemu-img',
    parser: () => readQemuImg,
    line: (p) => `    (${p.toFixed(2)}/100%)`,
    end: '\r',
  },
  {
    name: 'pg_basebackup',
    parser: () => readPgBasebackup,
    line: (p) => `${Math.floor(p * 1000)}/100000 kB (${Math.floor(p)}%), 0/1 tablespace`,
    end: '\r',
  },
  {
    name: 'restic',
    parser: () => readRestic,
    line: (p) =>
      JSON.stringify({
        message_type: 'status',
        percent_done: p / 100,
        total_bytes: 1e9,
        bytes_done: p * 1e7,
      }),
    end: '\n',
  },
  {
    name: 'rsync',
    parser: () => createRsyncParser({ knowsAllFiles: true }),
    line: (p) =>
      `  ${Math.floor(p * 1e6).toLocaleString('en')}  ${Math.floor(p)}%   12.34MB/s    0:01:02  `,
    end: '\r',
  },
  {
    name: 'percent',
    parser: () => readPercent,
    line: (p) => `copied ${p.toFixed(1)}%`,
    end: '\b'.repeat(14),
  },
  {
    name: 'regex',
    parser: () => createRegexParser(String.raw`(?<done>\d+) of (?<total>\d+)`),
    line: (p) => `copied ${Math.floor(p * 10)} of 1000 files`,
    end: '\n',
  },
  {
    name: 'regex of a number alone',
    parser: () => createRegexParser(String.raw`^(?<percent>\d+)$`),
    line: (p) => `${Math.floor(p)}`,
    end: '\n',
  },
  {
    name: 'pv',
    parser: () => {
      const read = createPvParser();
      return (record, _stream, isUnfinished) => read(record, 'stderr', isUnfinished);
    },
    line: (p) => `${Math.floor(p)}`,
    end: '\n',
  },
];

test.each(FORMS)('$name', ({ name, parser, line, end }) => {
  const roll = dice(42);
  const splitter = new RecordSplitter();
  const read = parser();
  const filter = new PercentFilter({
    confirmsSteps: /^(percent|regex.*|pv)$/.test(name),
  });
  const began = performance.now();
  let buffered = '';
  let unfinishedBefore = '';
  let highest = 0;
  let worst = -Infinity;
  for (let index = 0; index < LINES; index += 1) {
    const truth = (index / LINES) * 100;
    buffered += mangled(line(truth) + end, roll);
    // The output arrives in pieces that end anywhere.
    if (roll() < 0.3) continue;
    const length = Math.floor(roll() * buffered.length);
    for (const record of splitter.push(Buffer.from(buffered.slice(0, length)))) {
      const found = read(record, 'stdout');
      if (found?.percent !== undefined) filter.offer({ ...found, percent: found.percent });
    }
    buffered = buffered.slice(length);
    const { unfinished } = splitter;
    if (unfinished !== unfinishedBefore) {
      unfinishedBefore = unfinished;
      const found = read(unfinished, 'stdout', true);
      if (found?.percent !== undefined) filter.offer({ ...found, percent: found.percent });
    }
    expect(unfinished.length).toBeLessThan(5000);
    filter.endPoll();
    highest = Math.max(highest, filter.percent ?? 0);
    worst = Math.max(worst, highest - truth);
  }
  expect(worst).toBeLessThan(5);
  expect(highest).toBeGreaterThan(85);
  // 0.1 ms a line on a quiet machine; quadratic time would take minutes.
  expect(performance.now() - began).toBeLessThan(5000 + LINES);
});
