/**
 * The parsers that need one line and nothing else: pv, percent, json and regex.
 */
import { percentOf, RECORD_CHARACTERS_MAX, wholePercent } from '../lib/progress.ts';
import type { Progress, ReadRecord } from '../lib/progress.ts';

/** `pv -n`: an integer a line on stderr; with -t the seconds stand before it. Above 100 pv counts bytes. */
export function readPv(record: string, stream: string): Progress | undefined {
  const match = stream === 'stderr' ? /^\s*(?:\d+\.\d+\s+)?(\d{1,3})\s*$/.exec(record) : null;
  return match === null ? undefined : inRange(Number(match[1]));
}

/** The last NN% in a line. */
export function readPercent(record: string): Progress | undefined {
  const numbers = record
    .slice(-RECORD_CHARACTERS_MAX)
    .matchAll(/(?<![\d.,-])(\d{1,3})(?:[.,]\d{1,20})?\s{0,2}%/g);
  return [...numbers].map((match) => inRange(Number(match[1]))).findLast(Boolean);
}

/** One object a line with `percent`, `detail` or both; anything else is ordinary output. */
export function readJson(record: string): Progress | undefined {
  const text = record.trim();
  if (!text.startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { percent, detail } = value as { percent?: unknown; detail?: unknown };
  return made(
    typeof percent === 'number' ? wholePercent(percent) : undefined,
    typeof detail === 'string' ? detail : undefined,
  );
}

/** Named groups: `percent`, or `done` and `total`; and `detail`. A bad pattern reads nothing: the loader tells it. */
export function createRegexParser(pattern: string): ReadRecord {
  let regex: RegExp;
  try {
    regex = new RegExp(pattern);
  } catch {
    return () => undefined;
  }
  return (record) => {
    const groups = regex.exec(record.slice(0, RECORD_CHARACTERS_MAX))?.groups;
    if (groups === undefined) return undefined;
    const { percent, done, total, detail } = groups as Record<string, string | undefined>;
    return made(
      percent === undefined
        ? percentOf(count(done), count(total))
        : wholePercent(Number.parseFloat(percent.replace(',', '.'))),
      detail,
    );
  };
}

function inRange(percent: number): Progress | undefined {
  return percent <= 100 ? { percent } : undefined;
}

function made(percent: number | undefined, detail: string | undefined): Progress | undefined {
  if (percent === undefined && detail === undefined) return undefined;
  return {
    ...(percent === undefined ? {} : { percent }),
    ...(detail === undefined ? {} : { detail }),
  };
}

/** A number with or without grouping; NaN where there is none. */
function count(text: string | undefined): number {
  return Number.parseFloat(text?.replace(/[,_'’\s]/g, '') ?? '');
}
