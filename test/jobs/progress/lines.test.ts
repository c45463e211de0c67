/** The parsers that read one line: pv, percent, json, regex. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesText, percentOf } from '../../../src/jobs/lib/progress.ts';
import {
  createRegexParser,
  readJson,
  readPercent,
  readPv,
} from '../../../src/jobs/progress/lines.ts';

test.each([
  ['42', 42],
  [' 7 ', 7],
  ['0.5003 42', 42],
  ['100', 100],
  ['101', undefined],
  ['42%', undefined],
  ['3000000', undefined],
  ['', undefined],
])('pv -n: %j', (record, percent) => {
  expect(readPv(record, 'stderr')?.percent).toBe(percent);
});

test('pv: numbers on stdout are data', () => {
  expect(readPv('42', 'stdout')).toBeUndefined();
});

test.each([
  ['10% of this, 42.9% of all', 42],
  ['progress: 99,99 % done', 99],
  ['[=====>    ] 50%', 50],
  ['1.234%', 1],
  ['1250%', undefined],
  ['delta -5%', undefined],
  ['no number', undefined],
  [`${'x '.repeat(50_000)} 12%`, 12],
])('percent: the last one in %.40j', (record, percent) => {
  expect(readPercent(record)?.percent).toBe(percent);
});

test.each([
  ['{"percent":41.9,"detail":"table 3"}', { percent: 41, detail: 'table 3' }],
  [' {"detail":"only words"}', { detail: 'only words' }],
  ['{"percent":120}', { percent: 100 }],
  ['{"percent":-1}', { percent: 0 }],
  ['{"percent":"50"}', undefined],
  ['{"percent":null,"detail":3}', undefined],
  ['[50]', undefined],
  ['null', undefined],
  ['{"percent":5', undefined],
  ['words', undefined],
])('json: %j', (record, progress) => {
  expect(readJson(record)).toEqual(progress);
});

describe('regex', () => {
  test.each([
    [String.raw`(?<percent>\d+([.,]\d+)?)`, 'at 12,9', { percent: 12 }],
    [String.raw`(?<done>\d+)/(?<total>\d+)`, '29/100', { percent: 29 }],
    [String.raw`(?<done>[\d,]+) of (?<total>[\d,]+)`, '1,000 of 3,000', { percent: 33 }],
    [String.raw`(?<done>\d+)/(?<total>\d+) (?<detail>.*)`, '0/0 x', { detail: 'x' }],
    [String.raw`^copying (?<detail>.+)`, 'copying a', { detail: 'a' }],
    [String.raw`(?<done>\d+)`, '5', undefined],
    [String.raw`\d+`, '5', undefined],
    [String.raw`(?<percent>x)`, 'x', undefined],
    ['(unclosed', '5', undefined],
  ])('%s on %j', (pattern, record, progress) => {
    expect(createRegexParser(pattern)(record, 'stdout')).toEqual(progress);
  });
});

test('a percent is whole, floored and in range whatever is counted', () => {
  const number = fc.oneof(fc.nat(), fc.double(), fc.integer());
  fc.assert(
    fc.property(number, number, (done, total) => {
      const percent = percentOf(done, total);
      if (percent === undefined) return;
      expect(Number.isInteger(percent) && percent >= 0 && percent <= 100).toBe(true);
      if (percent < 100)
        expect(percent).toBeLessThanOrEqual(Math.max(0, (done / total) * 100) + 1e-6);
    }),
  );
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [99_949, '99.9 kB'],
  [99_950, '100 kB'],
  [999_960, '1.0 MB'],
  [12_345_678_901, '12.3 GB'],
])('%d bytes in words', (bytes, message) => {
  expect(bytesText(bytes)).toBe(message);
});
