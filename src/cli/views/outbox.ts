/** The outbox as an operator reads it: a row for each pending report, and why it is not delivered yet. */
import type { OutboxEntry } from '../../core/model/outbox.ts';
import { plain } from '../terminal/printable.ts';
import { spanSince, spanUntil } from '../terminal/durations.ts';
import type { View } from './view.ts';
import { renderTable } from '../terminal/table.ts';
import type { Cell, Column } from '../terminal/table.ts';
import { painter } from '../terminal/terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'JOB', shrinkTo: 10 },
  { title: 'RUN', align: 'right' },
  { title: 'TO' },
  { title: 'REPORT', shrinkTo: 16 },
  { title: 'AGE', align: 'right' },
  { title: 'TRIES', align: 'right' },
  { title: 'NEXT' },
  { title: 'LAST ERROR', shrinkTo: 16 },
];

const DESTINATION: Readonly<Record<OutboxEntry['destination'], string>> = {
  migrationHub: 'hub',
  dataPipeline: 'pipeline',
};

/** No lines if nothing is pending. */
export function renderOutbox(entries: readonly OutboxEntry[], view: View): string[] {
  if (entries.length === 0) return [];
  const rows = entries.map((entry) => cells(entry, view));
  return renderTable(COLUMNS, rows, view.width, painter(view.color));
}

function cells(entry: OutboxEntry, { now }: View): Cell[] {
  const { attempts, lastError, nextTryAt, run, since } = entry;
  return [
    { text: plain(entry.job) },
    { text: run === undefined ? '' : String(run) },
    { text: DESTINATION[entry.destination] },
    { text: reportText(entry) },
    { text: since === undefined ? '' : spanSince(since, now) },
    { text: attempts === 0 ? '' : String(attempts) },
    next(entry, nextTryAt === undefined ? undefined : spanUntil(nextTryAt, now)),
    { text: lastError === undefined ? '' : plain(lastError) },
  ];
}

/** A status needs no operation beside it; every other call does. */
function reportText({ operation, message }: OutboxEntry): string {
  const isState = operation === 'NotifyMigrationTaskState' || operation === 'SetTaskStatus';
  return plain(isState ? message : `${operation} ${message}`);
}

function next({ quarantined }: OutboxEntry, inTime: string | undefined): Cell {
  if (quarantined) return { text: 'refused', style: 'red' };
  return inTime === undefined ? { text: 'now' } : { text: `in ${inTime}`, style: 'yellow' };
}
