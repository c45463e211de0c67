/** Numbers as programs print them: read in the one way that they can mean, or not at all. */
import { expect, test } from 'vitest';
import {
  parseAmount,
  parsePercentage,
  ShareReader,
  withAsciiDigits,
} from '../../../src/jobs/progress/amounts.ts';

/** Percent of the share, with two digits. */
function share(done: string, total: string, following = ['', '']): number | undefined {
  const [ofDone, ofTotal] = following;
  const read = new ShareReader().read(parseAmount(done, ofDone), parseAmount(total, ofTotal));
  return read === undefined ? undefined : Math.round(read.percent * 100) / 100;
}

test.each<[string, string, number | undefined]>([
  ['1', '4', 25],
  ['1.5', '3', 50],
  ['1,5', '3', 50],
  ['~ 1', '4', 25],
  ['1 234', '12 340', 10],
  ["1'234", "12'340", 10],
  ['1_234', '12_340', 10],
  ['1,234,567', '12,345,670', 10],
  ['1.234.567', '12.345.670', 10],
  // Groups of two, as in India; the last has three digits everywhere.
  ['12,34,567', '1,23,45,670', 10],
  ['1,234,56', '1000000', undefined],
  ['1e3', '1e4', 10],
  ['1.5e3', '15000', 10],
  ['1٫5', '3', 50],
  ['٣', '٤', 75],
  ['３', '４', 75],
  ['-1', '4', undefined],
  ['none', '4', undefined],
  ['1', 'none', undefined],
  ['0', '0', undefined],
  // A little above the total is rounded, more is something else.
  ['101', '100', 100],
  ['102', '100', undefined],
  // Either meaning is the same whole percent.
  ['1.000', '1.000', 100],
  // One way or the other, and nothing shows which.
  ['1', '1.500', undefined],
])('%s of %s', (done, total, percent) => {
  expect(share(done, total)).toBe(percent);
});

test.each<[string, string, number | undefined]>([
  ['1 kB', '1 MB', 0.1],
  ['1K', '1M', 0.1],
  ['1 KiB', '1 MiB', 0.1],
  ['1 MiB', '1048576', undefined],
  ['5 B', '10', 50],
  ['512', '1 KiB', undefined],
  ['900', '1500 MB', 60],
  ['1 kbit', '1 kB', undefined],
  ['1 kbit', '4 kbits', 25],
  ['1 b', '4 bits', 25],
  ['1 kb', '4 kB', undefined],
  ['1 octet', '4 octets', 25],
  ['1 ko', '4 ko', 25],
  ['1 byte', '4 bytes', 25],
  ['1 kB', '1 KiB', 97.66],
  ['1K', '1024 B', 100],
  ['1 GB', '2 TB', 0.05],
  ['1 PB', '1 EB', 0.1],
  // A word that is no unit: what is counted is compared as it is.
  ['12 files', '48 files', 25],
  ['1 Mfiles', '4', 25],
])('with units: %s of %s', (done, total, percent) => {
  expect(share(done, total)).toBe(percent);
});

test('a unit may stand behind the number', () => {
  expect(share('1', '1', ['kB', 'MB'])).toBe(0.1);
  expect(share('1 kB', '1 MB', ['GB', 'GB'])).toBe(0.1);
  // It is looked for close behind.
  expect(share('1', '4', ['', '            MB'])).toBe(25);
});

test('what a number before showed decides what the next one means', () => {
  const shares = new ShareReader();
  const percent = (done: string, total: string): number | undefined =>
    shares.read(parseAmount(done), parseAmount(total))?.percent;
  expect(percent('1', '1.500')).toBeUndefined();
  expect(percent('0,5', '1.500,0')).toBeCloseTo(0.0333, 3);
  expect(percent('15', '1.500')).toBe(1);
  expect(percent('0.5', '1,500.0')).toBeCloseTo(0.0333, 3);
  expect(percent('0.75', '1.500')).toBe(50);
  expect(percent('1', '1.500')).toBeCloseTo(66.67, 1);
});

test('the total comes with the share, in bytes if it has a unit', () => {
  const shares = new ShareReader();
  expect(shares.read(parseAmount('1 kB'), parseAmount('4 kB'))?.total).toBe(4000);
  expect(shares.read(parseAmount('1'), parseAmount('4'))?.total).toBe(4);
});

test.each<[string, number | undefined]>([
  ['12', 12],
  ['12.9 %', 12.9],
  ['12,9%', 12.9],
  ['~ 40', 40],
  ['≈40%', 40],
  ['100', 100],
  ['100.1', undefined],
  ['101', undefined],
  ['1000', undefined],
  ['٤٠٪', 40],
  ['40 % of', undefined],
  ['', undefined],
])('%j alone is %s percent', (text, percent) => {
  expect(parsePercentage(text)).toBe(percent);
});

test('digits and percent signs of other scripts, without the marks of writing direction', () => {
  expect(withAsciiDigits('plain 12%')).toBe('plain 12%');
  expect(withAsciiDigits('\u200f٪١٢')).toBe('%12');
  expect(withAsciiDigits('۴۵ ४५ ๔๕ ৪৫ ４５％')).toBe('45 45 45 45 45%');
  // Digits that no locale of C prints stay.
  expect(withAsciiDigits('߁')).toBe('߁');
});
