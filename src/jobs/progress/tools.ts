/**
 * Parsers of tools whose output has one known form. Each names the flags that make the tool print it. A record that was cut
 * or joined with another one is not read: each form has ends that show it, or two numbers that must fit each other.
 */
import type { Reading, ReadRecord } from '../lib/progress.ts';
import { bytesText } from '../lib/progress.ts';
import { parseAmount, ShareReader } from './amounts.ts';
import { parseObject } from './lines.ts';

/** `pg_basebackup -P`: `12345/67890 kB (18%), 0/1 tablespace`. The total is an estimate that PostgreSQL corrects. */
export const readPgBasebackup: ReadRecord = (record) => {
  const matches = [...record.matchAll(/(\d+)\/(\d+) kB \((\d+)%\), (\d+\/\d+ tablespaces?)/g)];
  const [, done, total, printed, tablespaces = ''] = matches.at(-1) ?? [];
  if (done === undefined || Number(total) === 0) return undefined;
  const percent = Math.min(100, (Number(done) / Number(total)) * 100);
  if (!isPrinted(percent, printed)) return undefined;
  const size = `${bytesText(Number(done) * 1024)} of ${bytesText(Number(total) * 1024)}`;
  return { percent, detail: `${size}, ${tablespaces}`, isDoubtful: true };
};

/** `qemu-img convert -p`: `(12.34/100%)`. */
export const readQemuImg: ReadRecord = (record) => {
  const last = [...record.matchAll(/\((\d{1,3}\.\d{2})\/100%\)/g)].at(-1);
  return last === undefined || Number(last[1]) > 100 ? undefined : { percent: Number(last[1]) };
};

/** `rclone --stats`: `4.059 MiB / 38.147 MiB, 11%` in a line, or in the block of -P; or in JSON (`--use-json-log`). */
export function createRcloneParser(): ReadRecord {
  const shares = new ShareReader();
  const sizes =
    /([\d.]+ ?[kKMGTPE]?i?)(?:B|Bytes?)? \/ ([\d.]+ ?[kKMGTPE]?i?)(B|Bytes?)?, (?:(\d{1,3})%|-)/g;
  return (record) => {
    const stats = parseObject(record)?.['stats'];
    if (isObject(stats)) return bytesReading(stats['bytes'], stats['totalBytes']);
    // `Transferred: 3 / 6, 50%` counts files, and lines with a star are about one of them.
    const match = [...record.matchAll(sizes)].findLast(
      ([, , total = '', name]) => name !== undefined || /[kKMGTPE]/.test(total),
    );
    if (match === undefined) return undefined;
    const [, done = '', total = '', , printed] = match;
    const share = shares.read(parseAmount(`${done}B`), parseAmount(`${total}B`));
    return share === undefined || !isPrinted(share.percent, printed)
      ? undefined
      : { ...share, detail: match[0].replace(/, .*$/, ''), isDoubtful: true };
  };
}

/** `restic --json`: bytes done and of all; as text: `[0:05] 12.34%  12 files 1.2 GiB, total …`. */
export const readRestic: ReadRecord = (record) => {
  const status = parseObject(record);
  if (status?.['message_type'] === 'status') {
    const done = status['bytes_done'] ?? status['bytes_restored'] ?? 0;
    return bytesReading(done, status['total_bytes']);
  }
  const [, percent, detail = ''] = /^\[[\d:]+\]\s+(\d{1,3}\.\d+)%\s+(.*)$/.exec(record) ?? [];
  if (percent === undefined || Number(percent) > 100) return undefined;
  return { percent: Number(percent), detail };
};

/**
 * `aws s3 cp|mv|sync`: `Completed 256.0 KiB/5.1 GiB (481.2 KiB/s) with 12 file(s) remaining`. The total is marked with
 * `~`, or the record with `calculating`, while files are still being listed.
 */
export function createAwsS3Parser(): ReadRecord {
  const shares = new ShareReader();
  return (record) => {
    const text = record.slice(record.lastIndexOf('Completed '));
    const match = /^Completed (.+?)\/(~?)(\d\S* \S+) (?:\([^)]*\) )?with (~?)\d+ /.exec(text);
    if (match === null) return undefined;
    const [, done = '', isEstimate, total = '', isListing] = match;
    const detail = `${done} of ${total}`;
    const isGrowing = isEstimate !== '' || isListing !== '' || record.includes('calculating');
    const share = isGrowing ? undefined : shares.read(parseAmount(done), parseAmount(total));
    return { ...share, detail };
  };
}

/** dd prints two digits. */
const ROUNDED_MAX = 0.06;

/** `dd status=progress`: `123456 bytes (123 kB, 121 KiB) copied, 1 s, 123 kB/s`, in any language. */
export function createDdParser(total: () => number | undefined): ReadRecord {
  return (record) => {
    const match = /^\s*(\d+)\s\p{L}+\s?\((\S+\s?\p{L}+)[^)]*\).*\d.*\/s\s*$/u.exec(record);
    const bytes = Number(match?.[1]);
    const rounded = parseAmount(match?.[2] ?? '');
    const isWhole = Object.values(rounded?.values ?? {}).some(
      (value) =>
        value !== undefined &&
        Math.abs((value * (rounded?.unit?.bytes ?? 1)) / bytes - 1) <= ROUNDED_MAX,
    );
    return isWhole ? bytesReading(bytes, total(), false) : undefined;
  };
}

/** `tar --checkpoint=N`: `tar: Write checkpoint 100`, counted in blocks of the archive. */
export function createTarParser(blockBytes: number, total: () => number | undefined): ReadRecord {
  return (record) => {
    const match = /^\S*tar: \D*checkpoint\D* (\d+)\b/i.exec(record);
    return match === null ? undefined : bytesReading(Number(match[1]) * blockBytes, total(), false);
  };
}

/** The program prints the percentage, too: otherwise a number was cut. */
function isPrinted(percent: number, printed: string | undefined): boolean {
  return printed === undefined || Math.abs(percent - Number(printed)) <= 1;
}

function bytesReading(done: unknown, total: unknown, mayGrow = true): Reading | undefined {
  if (typeof done !== 'number') return undefined;
  // More than all: the total that was expected is not that of this command.
  const isKnown = typeof total === 'number' && total > 0 && (mayGrow || done <= total * 1.01);
  if (!isKnown) return { detail: bytesText(done) };
  const percent = Math.min(100, (done / total) * 100);
  const detail = `${bytesText(Math.min(done, total))} of ${bytesText(total)}`;
  return mayGrow ? { percent, total, detail } : { percent, detail };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
