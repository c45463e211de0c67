/**
 * Columns of text that fit a width. Empty columns are left out; if the rest is too wide, the columns that may
 * shrink do, the widest first.
 */
import { displayWidth, truncate } from './printable.ts';
import type { Paint, Style } from './terminal.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** May be cut down to so many columns. */
  readonly shrinkTo?: number;
}

export interface Cell {
  readonly text: string;
  readonly style?: Style;
}

const GAP = '  ';

/** The lines: the titles first, then one for each row. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
  paint: Paint,
): string[] {
  const used = [...columns.keys()].filter((index) => rows.some((row) => textOf(row, index) !== ''));
  const widths = fit(
    used.map((index) => {
      const column = columns[index] ?? { title: '' };
      const natural = Math.max(
        displayWidth(column.title),
        ...rows.map((row) => displayWidth(textOf(row, index))),
      );
      return { natural, least: Math.min(natural, column.shrinkTo ?? natural) };
    }),
    width,
  );
  const line = (cells: readonly (Cell | undefined)[]): string =>
    used
      .map((index, place) => {
        const { text = '', style } = cells[index] ?? {};
        const room = widths[place] ?? 0;
        const cut = truncate(text, room);
        const padding = ' '.repeat(room - displayWidth(cut));
        const painted = style === undefined || cut === '' ? cut : paint(style, cut);
        return columns[index]?.align === 'right' ? padding + painted : painted + padding;
      })
      .join(GAP)
      .trimEnd();
  const titles = columns.map(({ title }): Cell => ({ text: title, style: 'dim' }));
  return [line(titles), ...rows.map(line)];
}

function textOf(row: readonly Cell[], index: number): string {
  return row[index]?.text ?? '';
}

function fit(wanted: readonly { natural: number; least: number }[], width: number): number[] {
  const widths = wanted.map(({ natural }) => natural);
  const gaps = GAP.length * Math.max(0, widths.length - 1);
  let excess = widths.reduce((sum, each) => sum + each, gaps) - width;
  while (excess > 0) {
    let widest = -1;
    for (const [index, each] of widths.entries()) {
      const shrinks = each > (wanted[index]?.least ?? each);
      if (shrinks && (widest < 0 || each > (widths[widest] ?? 0))) widest = index;
    }
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}
