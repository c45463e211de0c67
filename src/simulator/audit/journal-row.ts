/** A call of the journal as one row of short texts. */
import { isoTime } from '../lib/clock.ts';
import type { JournalEntry } from './journal.ts';

interface JournalRow {
  readonly number: number;
  /** Simulated time, to the millisecond. */
  readonly at: string;
  readonly by: string;
  readonly operation: string;
  /** `MigrationTaskName=files Task.Status=IN_PROGRESS`, at most REQUEST_MAX characters. */
  readonly request: string;
  /** `ok`, or the name and message of an error, or how the connection ended. */
  readonly answer: string;
  /** Simulated time from arrival to answer. */
  readonly tookMs: number | undefined;
  readonly isGood: boolean;
}

const REQUEST_MAX = 160;
const DEPTH_MAX = 20;

export function journalRow(entry: JournalEntry): JournalRow {
  const { number, at, by, operation, region, request, outcome, status, message, fault } = entry;
  const code = status === undefined || status === 200 ? [] : [`HTTP ${status}`];
  const errorText = message === undefined ? [] : [`: ${message}`];
  const rule = fault === undefined ? [] : [` [fault ${fault}]`];
  return {
    number,
    at: isoTime(at),
    by: [by ?? 'inside', ...(region === undefined ? [] : [region])].join(', '),
    operation,
    request: requestText(request),
    answer: [[outcome, ...code].join(', '), ...errorText, ...rule].join(''),
    tookMs: entry.answeredAt === undefined ? undefined : Math.round(entry.answeredAt - at),
    isGood: outcome === 'ok' || outcome === 'pending',
  };
}

export interface JournalFilter {
  /** Only calls after the one with this number. */
  readonly after?: number;
  readonly operation?: string;
  readonly onlyErrors?: boolean;
  /** Only so many, the newest. */
  readonly last?: number;
}

export function filterJournal(
  entries: readonly JournalEntry[],
  { after = 0, operation, onlyErrors = false, last = Infinity }: JournalFilter,
): readonly JournalEntry[] {
  const found = entries.filter(
    (entry) =>
      entry.number > after &&
      (operation === undefined || entry.operation === operation) &&
      (!onlyErrors || (entry.outcome !== 'ok' && entry.outcome !== 'pending')),
  );
  return last >= found.length ? found : found.slice(found.length - last);
}

function requestText(request: unknown): string {
  const parts: string[] = [];
  const walk = (value: unknown, path: string, depth: number): void => {
    // No valid request is as deep, and an invalid one may have any depth.
    if (depth > DEPTH_MAX) return;
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) walk(item, `${path}.${index + 1}`, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        walk(item, path === '' ? key : `${path}.${key}`, depth + 1);
      }
    } else parts.push(path === '' ? String(value) : `${path}=${String(value)}`);
  };
  walk(request, '', 0);
  const text = parts.join(' ').replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  return text.length > REQUEST_MAX ? `${text.slice(0, REQUEST_MAX)}…` : text;
}
