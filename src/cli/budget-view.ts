/** The budgets that were used, and which of them are paused and why. */
import type { BudgetStatus } from '../core/status.ts';
import { plain } from './plain-text.ts';
import { spanUntil } from './span.ts';
import { renderTable, type Cell, type Column } from './table.ts';
import type { Paint, Style } from './terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'OPERATION', shrinkTo: 18 },
  { title: 'BUDGET' },
  { title: 'ACCEPTED', align: 'right' },
  { title: 'THROTTLED', align: 'right' },
  { title: 'FAILED', align: 'right' },
  { title: 'PAUSED', shrinkTo: 8 },
];

export function renderBudgets(
  budgets: readonly BudgetStatus[],
  width: number,
  now: Date,
  paint: Paint,
): string[] {
  const used = budgets.filter(
    ({ accepted, throttled, failed, pausedUntil }) =>
      accepted + throttled + failed > 0 || pausedUntil !== undefined,
  );
  if (used.length === 0) return [];
  const rows = used.map((budget) => [
    { text: budget.operation },
    { text: `${budget.perSecond}/s, ${budget.burst}` },
    count(budget.accepted),
    count(budget.throttled, 'yellow'),
    count(budget.failed, 'red'),
    { text: pauseText(budget, now), style: 'yellow' as const },
  ]);
  return renderTable(COLUMNS, rows, width, paint);
}

function count(value: number, style?: Style): Cell {
  if (value === 0) return { text: '' };
  return { text: String(value), ...(style === undefined ? {} : { style }) };
}

function pauseText({ pausedUntil, pausedBecause }: BudgetStatus, now: Date): string {
  if (pausedUntil === undefined) return '';
  return `${spanUntil(pausedUntil, now)}${pausedBecause === undefined ? '' : `: ${plain(pausedBecause)}`}`;
}
