/**
 * rsync --info=progress2 (progress.c). Records end in \r and look like
 *
 *     1,238,099,200  62%   12.34MB/s    0:01:02
 *     1,238,099,200  62%   12.34MB/s    0:01:40 (xfr#14, to-chk=6/20)
 *
 * The percentage is that of the bytes of the files that rsync knows of; `to-chk` counts entries, also those that were
 * there already. The smaller of the two is reported. While rsync still discovers files (`ir-chk`, incremental
 * recursion) both totals grow, so that no percent is reported. Before the first file is done, only the options of
 * rsync show whether more files may come. The time is what is left, or with a parenthesis what has passed.
 *
 * With -P or --progress the records look the same, but each is about one file: no percent is reported.
 */
import { defined } from '../../core/lib/defined.ts';
import { bytesText, percentOf } from '../lib/progress.ts';
import type { Reading, ReadRecord } from '../lib/progress.ts';

/** Grouping of any locale: comma, point, apostrophes, blanks (plain, no-break, thin). -h: `1.18G`. */
const RECORD =
  /^\s*(\d[\d.,'’\u00a0\u2009\u202f ]*?[KMGTP]?)\s+(\d{1,3})%\s+(\d+)[.,](\d+)([kMGT]?)B\/s\s+([\d?]+:[\d?]{2}:[\d?]{2})(?:\s+\(xfe?r#\d+, (to|ir)-chk=(\d+)\/(\d+)\))?\s*$/;

const UNITS = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 } as const;

export interface RsyncOptions {
  /** rsync knows all files before it copies the first one (--no-inc-recursive). */
  readonly knowsAllFiles?: boolean;
}

export function createRsyncParser({ knowsAllFiles = false }: RsyncOptions = {}): ReadRecord {
  let isWhole = knowsAllFiles;
  let isPerFile = false;
  let bytesBefore = 0;
  let isFileDone = false;
  let filesPercent: number | undefined;
  const read: ReadRecord = (record) => {
    const found = parse(record);
    if (found === undefined) return undefined;
    const { bytes, bytesPercent, files } = found;
    // The bytes of all files never become less: these are the bytes of the next file.
    isPerFile ||= isFileDone && bytes < bytesBefore;
    bytesBefore = bytes;
    isFileDone = bytesPercent >= 100;
    if (files !== undefined) {
      isWhole = !files.isGrowing;
      filesPercent = percentOf(files.done, files.total);
    }
    // One file is done, and others are not: either this was the last one with bytes, or the bytes are its own.
    const isDoubtful = bytesPercent >= 100 && files !== undefined && files.done < files.total;
    const isKnown = isWhole && !isPerFile && !isDoubtful && bytesPercent <= 100;
    return defined({
      percent: isKnown ? Math.min(bytesPercent, filesPercent ?? 100) : undefined,
      detail: detailOf(found),
    });
  };
  return Object.assign(read, { ended: (): Reading => ({ percent: 100 }) });
}

interface RsyncRecord {
  readonly bytes: number;
  readonly bytesPercent: number;
  readonly rate: string;
  /** Undefined: not known yet. */
  readonly timeLeft: string | undefined;
  readonly files:
    { readonly done: number; readonly total: number; readonly isGrowing: boolean } | undefined;
}

function parse(record: string): RsyncRecord | undefined {
  const match = RECORD.exec(record);
  if (match === null) return undefined;
  const [, size = '', percent, whole, fraction, unit = '', time = '', kind, left, total] = match;
  const hasRate = Number(whole) + Number(fraction) > 0;
  return {
    bytes: bytesOf(size),
    bytesPercent: Number(percent),
    rate: `${Number(`${whole}.${fraction}`).toFixed(1)} ${unit}B/s`,
    timeLeft: hasRate && !time.includes('?') ? time : undefined,
    files:
      kind === undefined
        ? undefined
        : { done: Number(total) - Number(left), total: Number(total), isGrowing: kind === 'ir' },
  };
}

function detailOf({ bytes, rate, timeLeft, files }: RsyncRecord): string {
  const columns = [bytesText(bytes), rate];
  if (files === undefined) {
    if (timeLeft !== undefined) columns.push(`${timeLeft} left`);
  } else {
    columns.push(
      files.isGrowing
        ? `${files.done} files, still counting`
        : `${files.done} of ${files.total} files`,
    );
  }
  return columns.join(', ');
}

function bytesOf(text: string): number {
  const unit = /[KMGTP]$/.exec(text)?.[0] as keyof typeof UNITS | undefined;
  // With a unit the separator is a decimal one, without it separates groups of three digits.
  const number = unit === undefined ? text.replace(/\D/g, '') : text.slice(0, -1).replace(',', '.');
  return Number(number) * UNITS[unit ?? ''];
}
