/**
 * rsync --info=progress2 (progress.c). Records end in \r and look like
 *
 *     1,238,099,200  62%   12.34MB/s    0:01:02
 *     1,238,099,200  62%   12.34MB/s    0:01:40 (xfr#14, to-chk=6/20)
 *
 * `ir-chk` instead of `to-chk` says that files are still being discovered: the total grows and the percent
 * falls, so it is not told. `to-chk` counts files, also those that were there already (a resumed copy ends
 * far below 100 % by bytes). The time is what is left, but with a parenthesis what has passed.
 */
import { bytesText, percentOf, wholePercent } from '../lib/progress.ts';
import type { Progress, ReadRecord } from '../lib/progress.ts';

/** Grouping of any locale: comma, point, apostrophes, blanks (plain, no-break, thin). -h: `1.18G`. */
const RECORD =
  /^\s*(\d[\d.,'’\u00a0\u2009\u202f ]*?[KMGTP]?)\s+(\d{1,3})%\s+(\d+)[.,](\d+)([kMGT]?)B\/s\s+([\d?]+:[\d?]{2}:[\d?]{2})(?:\s+\(xfe?r#\d+, (to|ir)-chk=(\d+)\/(\d+)\))?\s*$/;

const UNITS = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 } as const;

export function createRsyncParser(): ReadRecord {
  let isGrowing = false;
  return (record) => {
    const match = RECORD.exec(record);
    if (match === null) return undefined;
    const [, bytes = '', byBytes, whole, fraction, unit = '', time = '', kind, left, total] = match;
    const columns = [bytesOf(bytes), `${Number(`${whole}.${fraction}`).toFixed(1)} ${unit}B/s`];
    if (kind === undefined) {
      if (!time.includes('?') && Number(whole) + Number(fraction) > 0) columns.push(`${time} left`);
      const percent = isGrowing ? undefined : wholePercent(Number(byBytes));
      return withPercent(percent, columns);
    }
    isGrowing = kind === 'ir';
    const done = Number(total) - Number(left);
    if (isGrowing) return withPercent(undefined, [...columns, `${done} files, still counting`]);
    return withPercent(percentOf(done, Number(total)), [...columns, `${done} of ${total} files`]);
  };
}

function withPercent(percent: number | undefined, columns: readonly string[]): Progress {
  return { ...(percent === undefined ? {} : { percent }), detail: columns.join(', ') };
}

function bytesOf(text: string): string {
  const unit = /[KMGTP]$/.exec(text)?.[0] as keyof typeof UNITS | undefined;
  // With a unit the separator is a decimal one, without it separates groups of three digits.
  const number = unit === undefined ? text.replace(/\D/g, '') : text.slice(0, -1).replace(',', '.');
  return bytesText(Number(number) * UNITS[unit ?? '']);
}
