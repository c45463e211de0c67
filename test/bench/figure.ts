/** One line of the table: what was measured, against what, and what the project wants of it. */
export interface Figure {
  /** What it means, in words. */
  readonly name: string;
  /** With its unit. */
  readonly measured: string;
  /** What the same run measured beside it, with its unit and name. */
  readonly baseline?: string;
  readonly ratio?: number;
  readonly target?: string;
  readonly isMet?: boolean;
}

export interface Benchmark {
  readonly name: string;
  /** How it is measured, for the README: a paragraph of Markdown. */
  readonly method: string;
  run(): Promise<readonly Figure[]>;
}

/** Three significant digits, the unit behind them. */
export function amount(value: number, unit: string): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`;
}

export function tableOf(
  results: readonly { benchmark: Benchmark; figures: readonly Figure[] }[],
): string {
  const rows = results.flatMap(({ benchmark, figures }) =>
    figures.map((figure) => [
      benchmark.name,
      figure.name,
      figure.measured,
      figure.baseline ?? '',
      figure.ratio === undefined ? '' : `${amount(figure.ratio, '').trim()}×`,
      figure.target === undefined
        ? ''
        : `${figure.target}: ${figure.isMet === true ? 'met' : 'missed'}`,
    ]),
  );
  const head = ['benchmark', 'figure', 'measured', 'baseline', 'ratio', 'target'];
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
