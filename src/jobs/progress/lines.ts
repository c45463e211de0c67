/** The parsers that need one record and nothing else: pv, percent, json and regex. */
import { defined } from '../../core/lib/defined.ts';
import { RECORD_CHARACTERS_MAX } from '../lib/progress.ts';
import type { Reading, ReadRecord } from '../lib/progress.ts';
import { parseAmount, parsePercentage, ShareReader, withAsciiDigits } from './amounts.ts';

/** So many numbers of the other kind show what pv prints. */
const COUNTS_IN_A_ROW = 3;

/**
 * `pv -n`: a number a line on stderr; with -t the seconds stand before it. `pv -f`: a bar with a percentage. A number
 * above 100 is no percentage: pv counts bytes or lines if it does not know the size.
 */
export function createPvParser(): ReadRecord {
  let isCounting: boolean | undefined;
  /** So many numbers in a row that say otherwise: two lines may have been joined. */
  let against = 0;
  return (record, stream, isUnfinished) => {
    if (stream !== 'stderr') return undefined;
    if (/\]\s+\d{1,3}%/.test(record)) return readPercent(record, stream, isUnfinished);
    const match = /^\s*(?:\d+\.\d+\s+)?(\d{1,15})(\.\d+)?\s*$/.exec(record);
    if (match === null || isUnfinished === true) return undefined;
    const percent = Number(`${match[1] ?? ''}${match[2] ?? ''}`);
    isCounting ??= percent > 100;
    against = percent > 100 === isCounting ? 0 : against + 1;
    if (against >= COUNTS_IN_A_ROW) isCounting = !isCounting;
    return isCounting || percent > 100 ? undefined : { percent };
  };
}

/**
 * A number and its percent sign or word. `12.34/100%` is 12.34; in `3/40%` and in a number of a URL (`a%20b`) is none; the
 * points of `10%...20%` are no decimal point.
 */
const PERCENTAGE =
  /(?<![\d,٫٬+…-]|(?<!\.)\.|\d\s{0,2}\/\s{0,2})(\d{1,3})(?:[.,٫](\d{1,20}))?(?:\s{0,2}(?:\/|of|von|de|sur|out of)\s{0,2}100(?:[.,]0{1,4})?)?(?:[ \u00a0\u202f]{0,2}%(?![\dA-Fa-f]{2}|\d)|[ \u00a0\u202f](?:percent|per cent|pct|Prozent)\b)/giu;

/** `12% of 100%`, `12%/100%`: the second is the total. */
const TOTAL = /%\s{0,2}(?:\/|of|von|de|sur|out of)\s{0,2}$/iu;

/** `%42`, as in Turkish and Basque. */
const PREFIXED = /(?<![\w%])%\s?(\d{1,3})(?:[.,٫](\d{1,20}))?(?![\w%.,])/gu;

/** The words of a record that is about nothing but progress. */
const PROGRESS_WORDS =
  /^(?:[^\p{L}\d/]|\b(?:all|at|of|done|is|now|complete|completed|copied|finished|overall|processed|progress|status|total|transferred)\b)*$/iu;

/** The last percentage of a record. */
export const readPercent: ReadRecord = (record, _stream, isUnfinished) => {
  const text = searched(record, isUnfinished);
  const matches = [...text.matchAll(PERCENTAGE)].filter((match) => !isTotal(text, match));
  const found = matches.length > 0 ? matches : [...text.matchAll(PREFIXED)];
  const last = found
    .map((match) => ({ match, percent: Number(`${match[1] ?? ''}.${match[2] ?? '0'}`) }))
    .findLast(({ percent }) => percent <= 100);
  if (last === undefined) return undefined;
  return { percent: last.percent, isDoubtful: hasOtherContent(text, last.match) };
};

function isTotal(text: string, { index, 1: whole }: RegExpExecArray): boolean {
  return whole === '100' && TOTAL.test(text.slice(Math.max(0, index - 12), index));
}

/** The record says more than its progress, so that the number may belong to that. */
function hasOtherContent(text: string, { index, 0: match }: RegExpExecArray): boolean {
  return !PROGRESS_WORDS.test(text.slice(0, index) + text.slice(index + match.length));
}

/** One object a line with `percent`, or `done` and `total`, and `detail`; anything else is ordinary output. */
export function createJsonParser(): ReadRecord {
  const shares = new ShareReader();
  return (record) => {
    const value = parseObject(record);
    if (value === undefined) return undefined;
    const { percent, done, total, detail } = value;
    return reading(
      percent === undefined || percent === null
        ? shares.read(amountOf(done), amountOf(total))
        : { percent: percentOfJson(percent) },
      typeof detail === 'string' ? detail : undefined,
    );
  };
}

/** An object in a record of its own. Undefined: it is none. */
export function parseObject(record: string): Readonly<Record<string, unknown>> | undefined {
  const text = record.trim();
  if (!text.startsWith('{') || !text.endsWith('}')) return undefined;
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

function percentOfJson(percent: unknown): number | undefined {
  if (typeof percent === 'string') return parsePercentage(percent);
  return typeof percent === 'number' && percent >= 0 && percent <= 100 ? percent : undefined;
}

function amountOf(value: unknown): ReturnType<typeof parseAmount> {
  if (typeof value === 'number') return value >= 0 ? parseAmount(String(value)) : undefined;
  return typeof value === 'string' ? parseAmount(value) : undefined;
}

/**
 * Named groups: `percent`, or `done` and `total`; and `detail`. The unit of a number may stand in the group or right
 * behind it. A bad pattern reads nothing: the loader reports it.
 */
export function createRegexParser(pattern: string): ReadRecord {
  let regex: RegExp;
  try {
    regex = new RegExp(pattern, 'dg');
  } catch {
    return () => undefined;
  }
  const shares = new ShareReader();
  return (record, _stream, isUnfinished) => {
    const text = searched(record, isUnfinished);
    // A record without an end may hold many reports, of which the last one counts.
    const isLong = isUnfinished === true || text.length < record.length;
    const match = isLong ? [...text.matchAll(regex)].at(-1) : firstMatch(regex, text);
    const groups = match?.groups as Readonly<Record<string, string | undefined>> | undefined;
    if (match === undefined || groups === undefined) return undefined;
    const amount = (name: string): ReturnType<typeof parseAmount> =>
      groups[name] === undefined
        ? undefined
        : parseAmount(groups[name], text.slice(match.indices?.groups?.[name]?.[1]));
    const found = reading(
      groups['percent'] === undefined
        ? shares.read(amount('done'), amount('total'))
        : { percent: parsePercentage(groups['percent']) },
      groups['detail'],
    );
    // A pattern without a word of its own matches any percentage or share.
    const isBare = !/\p{L}{2}/u.test(match[0]) && hasOtherContent(text, match);
    return isBare && found?.percent !== undefined ? { ...found, isDoubtful: true } : found;
  };
}

function firstMatch(regex: RegExp, text: string): RegExpExecArray | undefined {
  regex.lastIndex = 0;
  return regex.exec(text) ?? undefined;
}

/** The newest text, without what may be the first half of a number and its unit. */
function searched(record: string, isUnfinished: boolean | undefined): string {
  const text = withAsciiDigits(record.slice(-RECORD_CHARACTERS_MAX));
  return isUnfinished === true ? text.replace(/[\d.,٫٬]{1,40}\s{0,2}\p{L}{0,5}$/u, '') : text;
}

function reading(
  share: { readonly percent: number | undefined; readonly total?: number } | undefined,
  detail: string | undefined,
): Reading | undefined {
  const found = defined({ percent: share?.percent, total: share?.total, detail });
  return found.percent === undefined && detail === undefined ? undefined : found;
}
