/** What Migration Hub recorded of a task: its task, percent over time, and the updates one below the other. */
import type { HistoryDocument } from '../../control/routes/documents.ts';
import { defined } from '../../core/lib/defined.ts';
import { plain } from '../terminal/printable.ts';
import { renderPlot } from '../terminal/plot.ts';
import { moment } from '../terminal/durations.ts';
import type { View } from './view.ts';
import { renderTable } from '../terminal/table.ts';
import type { Cell, Column } from '../terminal/table.ts';
import { painter } from '../terminal/terminal.ts';
import type { Style } from '../terminal/terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'TIME' },
  { title: 'STATUS' },
  { title: 'PERCENT', align: 'right' },
  { title: 'DETAIL', shrinkTo: 10 },
];

/** A wider plot shows no more. */
const PLOT_COLUMNS_MAX = 100;

/** `limit`: at most so many of the newest updates; the plot shows all. */
export function renderHistory(history: HistoryDocument, limit: number, view: View): string {
  const { region, stream, task, updates } = history;
  const paint = painter(view.color);
  const title = `${paint('bold', plain(task))}  stream ${plain(stream)}, ${plain(region)}, ${updates.length} updates`;
  if (updates.length === 0) return title;
  const points = updates.flatMap(({ at, percent }) =>
    at === undefined || percent === undefined ? [] : [{ atMs: Date.parse(at), percent }],
  );
  const plot = renderPlot(points, Math.min(view.width, PLOT_COLUMNS_MAX));
  const newest = updates.slice(Math.max(0, updates.length - limit));
  const rows = newest.map(({ at, detail = '', percent, status }): Cell[] => [
    { text: at === undefined ? '' : moment(at, view.now) },
    defined({ text: plain(status), style: STYLES[status] }),
    { text: percent === undefined ? '' : `${percent}%` },
    { text: plain(detail) },
  ]);
  const left = updates.length - newest.length;
  return [
    title,
    ...(plot.length === 0 ? [] : ['', ...plot]),
    '',
    ...renderTable(COLUMNS, rows, view.width, paint),
    ...(left === 0 ? [] : [paint('dim', `and ${left} older ones: --limit ${updates.length}`)]),
  ].join('\n');
}

const STYLES: Readonly<Record<string, Style>> = { COMPLETED: 'green', FAILED: 'red' };
