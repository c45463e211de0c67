/** What a check of `doctor` finds, how all checks run at once, each within a time limit, and how they are shown. */
import type { Cell, Column } from '../terminal/table.ts';
import { renderTable } from '../terminal/table.ts';
import { plain, wrap } from '../terminal/printable.ts';
import type { View } from '../views/view.ts';
import { painter } from '../terminal/terminal.ts';
import type { Style } from '../terminal/terminal.ts';

/** `skipped`: there is nothing to check, or another check that it needs has failed. */
export type Verdict = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  readonly verdict: Verdict;
  /** What was found, in a sentence. */
  readonly message: string;
  /** What to do about it; there for every `failed`. */
  readonly remedy?: string;
  /** The IAM statement that is missing. */
  readonly iam?: object;
}

export interface Check {
  readonly name: string;
  readonly look: () => Promise<Finding>;
  readonly limitMs?: number;
}

export interface Checked extends Finding {
  readonly check: string;
}

/** Credentials and a call after another, each with a limit of ten seconds of its own. */
const LIMIT_MS = 30_000;

/** All at once; a check that hangs or throws is one that failed. In the order of `checks`. */
export function runChecks(checks: readonly Check[]): Promise<Checked[]> {
  return Promise.all(
    checks.map(async ({ name, look, limitMs = LIMIT_MS }) => {
      try {
        return { check: name, ...(await within(look(), limitMs)) };
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        return { check: name, verdict: 'failed', message, remedy: 'see the reason' } as const;
      }
    }),
  );
}

const COLUMNS: readonly Column[] = [{ title: 'CHECK' }, { title: 'IS' }, { title: 'FOUND' }];
const STYLES: Readonly<Record<Verdict, Style>> = {
  ok: 'green',
  warning: 'yellow',
  failed: 'red',
  skipped: 'dim',
};

export function renderChecks(checks: readonly Checked[], view: View): string {
  const paint = painter(view.color);
  const nameWidth = Math.max(...checks.map(({ check }) => check.length));
  const room = Math.max(30, view.width - nameWidth - 'skipped'.length - 4);
  const rows = checks.flatMap(({ check, iam, remedy, verdict, message }): Cell[][] => {
    const lines = [
      ...wrap(plain(message), room),
      ...(remedy === undefined ? [] : wrap(`→ ${plain(remedy)}`, room)),
      ...(iam === undefined ? [] : wrap(`IAM: ${JSON.stringify(iam)}`, room)),
    ];
    return lines.map((line, index) => [
      { text: index === 0 ? check : '' },
      index === 0 ? { text: verdict, style: STYLES[verdict] } : { text: '' },
      { text: line },
    ]);
  });
  const count = (verdict: Verdict): number =>
    checks.filter((one) => one.verdict === verdict).length;
  const failed = count('failed');
  const sum =
    failed > 0
      ? paint('red', `${failed} of ${checks.length} checks failed`)
      : paint('green', 'all checks passed');
  const warnings = count('warning');
  return [
    ...renderTable(COLUMNS, rows, Infinity, paint),
    '',
    warnings === 0 ? sum : `${sum}, ${warnings} with a warning`,
  ].join('\n');
}

async function within<Value>(promise: Promise<Value>, limitMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no result within ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
