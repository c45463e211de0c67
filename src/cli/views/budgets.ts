/** The budgets that were used, and which of them are paused and why. */
import { defined } from '../../core/lib/defined.ts';
import type { BudgetStatus } from '../../core/model/status.ts';
import { plain, truncate } from '../terminal/printable.ts';
import { spanUntil } from '../terminal/durations.ts';
import { renderTable } from '../terminal/table.ts';
import type { Cell, Column } from '../terminal/table.ts';
import type { Paint, Style } from '../terminal/terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'OPERATION', shrinkTo: 18 },
  { title: 'BUDGET left' },
  { title: 'ACCEPTED', align: 'right' },
  { title: 'THROTTLED', align: 'right' },
  { title: 'FAILED', align: 'right' },
  { title: 'PAUSED' },
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
    left(budget),
    count(budget.accepted),
    count(budget.throttled, 'yellow'),
    count(budget.failed, 'red'),
    {
      text: budget.pausedUntil === undefined ? '' : spanUntil(budget.pausedUntil, now),
      style: 'yellow' as const,
    },
  ]);
  const [titles = '', ...lines] = renderTable(COLUMNS, rows, width, paint);
  // Why, on a line of its own: an error of AWS fits into no column.
  return [
    titles,
    ...lines.flatMap((line, index) => {
      const because = used[index]?.pausedBecause;
      if (because === undefined) return [line];
      return [line, paint('yellow', truncate(`  ${plain(because)}`, width))];
    }),
  ];
}

/** `9 of 10, 1/s`: calls that could be made at once, of how many at most, and how fast they come back. */
function left({ available, burst, perSecond }: BudgetStatus): Cell {
  // A host's part of a rate may be an endless fraction.
  const rate = `${Number(perSecond.toPrecision(2))}/s`;
  if (available === undefined) return { text: `${burst}, ${rate}` };
  const text = `${available} of ${burst}, ${rate}`;
  return defined({ text, style: available === 0 ? ('yellow' as const) : undefined });
}

function count(value: number, style?: Style): Cell {
  if (value === 0) return { text: '' };
  return defined({ text: String(value), style });
}
