/**
 * A small plot of percent over time, in eighths of a row. Where several values fall into a column the last one
 * counts; where none does the one before still holds, as a status does until the next one.
 */

const EIGHTHS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const ROWS = 5;
const LABEL_COLUMNS = 5;

export interface Point {
  readonly atMs: number;
  /** 0–100. */
  readonly percent: number;
}

/** Lines from 100 % down to 0, with a scale on the left; none if there is no time between the points. */
export function renderPlot(points: readonly Point[], width: number): string[] {
  const first = points[0]?.atMs ?? 0;
  const last = points.at(-1)?.atMs ?? 0;
  const columns = width - LABEL_COLUMNS - 1;
  if (last <= first || columns < 1) return [];
  const heights = new Array<number>(columns).fill(0);
  let from = 0;
  let height = 0;
  for (const { atMs, percent } of points) {
    const column = Math.round(((atMs - first) / (last - first)) * (columns - 1));
    heights.fill(height, from, column);
    height = Math.round((Math.min(100, Math.max(0, percent)) / 100) * ROWS * 8);
    heights.fill(height, column);
    from = column;
  }
  return Array.from({ length: ROWS }, (_none, index) => {
    const floor = (ROWS - 1 - index) * 8;
    const label = index === 0 ? '100%' : index === ROWS - 1 ? '0%' : '';
    const row = heights.map((each) => EIGHTHS[Math.min(8, Math.max(0, each - floor))]).join('');
    return `${label.padStart(LABEL_COLUMNS)} ${row}`.trimEnd();
  });
}
