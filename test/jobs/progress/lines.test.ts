/** The parsers that read one record: pv, percent, json, regex. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesText, percentOf } from '../../../src/jobs/lib/progress.ts';
import {
  createRegexParser,
  createJsonParser,
  createPvParser,
  readPercent,
} from '../../../src/jobs/progress/lines.ts';

test.each([
  ['42', 42],
  [' 7 ', 7],
  ['0.5003 42', 42],
  ['42.1234', 42.1234],
  ['100', 100],
  ['101', undefined],
  ['42%', undefined],
  ['3000000', undefined],
  ['', undefined],
  ['12.0MiB 0:00:02 [5.5MiB/s] [==>      ] 20% ETA 0:00:08', 20],
])('pv: %j', (record, percent) => {
  expect(createPvParser()(record, 'stderr')?.percent).toBe(percent);
});

test('pv: numbers on stdout are data', () => {
  expect(createPvParser()('42', 'stdout')).toBeUndefined();
});

test('pv: a number above 100 shows that pv counts bytes', () => {
  const read = createPvParser();
  expect(['3000', '42', '50'].map((record) => read(record, 'stderr'))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test.each([
  ['10% of this, 42.9% of all', 42.9],
  ['progress: 99,99 % done', 99.99],
  ['[=====>    ] 50%', 50],
  ['1.234%', 1.234],
  ['1250%', undefined],
  ['delta -5%', undefined],
  ['+5% faster', undefined],
  ['no number', undefined],
  [`${'x '.repeat(50_000)} 12%`, 12],
  ['    (12.34/100%)', 12.34],
  ['12/100%', 12],
  ['12 of 100 %', 12],
  ['chunk 3/40%', undefined],
  ['12% of 100%', 12],
  ['12%/100%', 12],
  ['100% of 100%', 100],
  ['3% of this, 100%', 100],
  ['0%...10%...', 10],
  ['0%.10%', 0],
  ['.5%', undefined],
  ['10 percent processed.', 10],
  ['12,5 Prozent', 12.5],
  ['7 percentile', undefined],
  ['10%20%30%', 30],
  ['50%done', 50],
  ['get /a%20b', undefined],
  ['get /100%25', undefined],
  ['%42 tamamlandı', 42],
  ['date +%20s', undefined],
  ['تم ٤٢٫٥٪', 42.5],
  ['\u200f۷۳\u200f٪ تمام', 73],
  ['４２％', 42],
  ['<1%', 1],
])('percent: the last one in %.40j', (record, percent) => {
  expect(readPercent(record, 'stdout')?.percent).toBe(percent);
});

test.each([
  ['42%', false],
  ['[===>   ] 42% done', false],
  ['Progress: 42 %', false],
  ['/dev/sda1  98G  77G  21G  79% /srv', true],
  ['disk is 79% full', true],
])('percent: %j may be about something else: %j', (record, isDoubtful) => {
  expect(readPercent(record, 'stdout')?.isDoubtful).toBe(isDoubtful);
});

test.each([
  ['copied 32%, 8 MB, 3', 32],
  ['copied 12', undefined],
  ['(12.34/10', undefined],
  ['10% 20% 3', 20],
])('percent: half a number at the end of %j does not count', (record, percent) => {
  expect(readPercent(record, 'stdout', true)?.percent).toBe(percent);
});

test.each([
  ['{"percent":41.9,"detail":"table 3"}', { percent: 41.9, detail: 'table 3' }],
  [' {"detail":"only text"}', { detail: 'only text' }],
  ['{"percent":120}', undefined],
  ['{"percent":-1}', undefined],
  ['{"percent":"50"}', { percent: 50 }],
  ['{"percent":"12,5 %"}', { percent: 12.5 }],
  ['{"percent":"much"}', undefined],
  ['{"percent":null,"detail":3}', undefined],
  ['{"done":3,"total":4}', { percent: 75, total: 4 }],
  ['{"done":"256.0 KiB","total":"1 MiB"}', { percent: 25, total: 1_048_576 }],
  ['{"done":5,"total":4}', undefined],
  ['[50]', undefined],
  ['null', undefined],
  ['{"percent":5', undefined],
  ['text', undefined],
])('json: %j', (record, progress) => {
  expect(createJsonParser()(record, 'stdout')).toEqual(progress);
});

describe('regex', () => {
  const sizes = String.raw`(?<done>[\d.,]+ ?\w*)/~?(?<total>[\d.,]+ ?\w*)`;
  const numbers = String.raw`(?<done>[\d.,]+) \S+/~?(?<total>[\d.,]+)`;
  const words = String.raw`(?<done>[\d.,]+) (?:von|of) (?<total>[\d.,]+)`;
  test.each([
    [String.raw`(?<percent>\d+([.,]\d+)?)`, 'at 12,9', 12.9],
    [String.raw`(?<percent>\S+) done`, '٤٢٫٥٪ done', 42.5],
    [String.raw`(?<percent>\d+)`, 'at 120', undefined],
    [String.raw`(?<done>\d+)/(?<total>\d+)`, '29/100', 29],
    [String.raw`(?<done>[\d,]+) of (?<total>[\d,]+)`, '1,000 of 4,000', 25],
    [sizes, 'Completed 256.0 KiB/5.1 GiB (481.2 KiB/s)', 0.0047],
    [sizes, 'Completed 900.0 MiB/~1.5 GiB (3.2 MiB/s)', 58.594],
    [numbers, 'Completed 256.0 KiB/5.1 GiB (481.2 KiB/s)', 0.0047],
    [words, '900.000 von 1.500.000 Bytes', 60],
    [words, '9,75 von 50,5 GB', 19.307],
    [words, '900 of 1.500', 60],
    [words, '1 of 1.500', undefined],
    [words, '1.5 of 1.500', 100],
    [words, '1.250 of 2.500', 50],
    [words, '0.500 of 1.5', 33.333],
    [words, '512 of 2 GB', undefined],
    [words, '512 kB of 2', undefined],
    [words, '12 of 40 files', 30],
    [String.raw`(?<done>\S+) of (?<total>\S+)`, '١٬٢٠٠ of ٤٬٨٠٠', 25],
    [String.raw`(?<done>\S+) of (?<total>\S+)`, '12,34,567 of 24,69,134', 50],
    [String.raw`(?<done>\S+) of (?<total>\S+)`, "1'500'000 of 3'000'000", 50],
    [String.raw`(?<done>[\d ]+) of (?<total>[\d ]+)`, '1 500 000 of 3 000 000', 50],
    [String.raw`(?<done>\S+) of (?<total>\S+)`, '1.5e+09 of 3e+09', 50],
    [String.raw`(?<done>\S+) of (?<total>\S+)`, '12M of 1G', 1.1719],
    [String.raw`(?<done>\S+) of (?<total>\S+)`, '12MB of 1GB', 1.2],
    [String.raw`(?<done>\S+) of (?<total>\S+)`, '1.0Go of 4,0Go', undefined],
    [String.raw`(?<done>\S+) of (?<total>\S+)`, '8Gb of 2GB', undefined],
    [String.raw`(?<done>\d+)`, '5', undefined],
    [String.raw`\d+`, '5', undefined],
    [String.raw`(?<percent>x)`, 'x', undefined],
    ['(unclosed', '5', undefined],
  ])('%s on %j', (pattern, record, percent) => {
    const found = createRegexParser(pattern)(record, 'stdout')?.percent;
    if (percent === undefined) expect(found).toBeUndefined();
    else expect(found).toBeCloseTo(percent, 3);
  });

  test('the convention of the numbers before decides what a separator means', () => {
    const read = createRegexParser(words);
    expect(read('1 of 1.500', 'stdout')).toBeUndefined();
    expect(read('900 of 1.500', 'stdout')).toMatchObject({ percent: 60 });
    expect(read('1 of 1.500', 'stdout')?.percent).toBeCloseTo(0.0667, 3);
  });

  test('detail', () => {
    const read = createRegexParser(String.raw`(?<done>\d+)/(?<total>\d+) (?<detail>.*)`);
    expect(read('0/0 x', 'stdout')).toEqual({ detail: 'x' });
    expect(createRegexParser('^copying (?<detail>.+)')('copying a', 'stdout')).toEqual({
      detail: 'a',
    });
  });

  test('a record without an end holds many reports: the last whole one counts', () => {
    const read = createRegexParser(String.raw`(?<done>\d+)/(?<total>\d+)`);
    expect(read('10/100 11/100 12/10', 'stdout', true)?.percent).toBe(11);
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
])('%d bytes as text', (bytes, message) => {
  expect(bytesText(bytes)).toBe(message);
});
