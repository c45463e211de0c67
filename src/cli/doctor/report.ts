/** What a check of `doctor` finds, how all checks run at once, each within a time limit, and how they are shown. */
import { plain, wrap } from '../terminal/printable.ts';
import type { View } from '../views/view.ts';
import type { Finding, Verdict } from '../file-system/finding.ts';
import { painter } from '../terminal/terminal.ts';
import type { Style } from '../terminal/terminal.ts';

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

const STYLES: Readonly<Record<Verdict, Style>> = {
  ok: 'green',
  warning: 'yellow',
  failed: 'red',
  skipped: 'dim',
};

const VERDICT_COLUMNS = 'skipped'.length + 2;
/** What somebody has to look at first. */
const ORDER: readonly Verdict[] = ['failed', 'warning', 'ok', 'skipped'];

/** `failed   credentials: …`, what follows it indented: names of hosts and paths are seldom broken. */
export function renderChecks(checks: readonly Checked[], view: View): string {
  const paint = painter(view.color);
  const room = Math.max(30, view.width - VERDICT_COLUMNS);
  const of = (verdict: Verdict): readonly Checked[] =>
    checks.filter((one) => one.verdict === verdict);
  const lines = ORDER.flatMap((verdict) =>
    together(of(verdict)).flatMap((check) =>
      findingLines(check, room).map((line, index) =>
        index === 0
          ? `${paint(STYLES[verdict], verdict.padEnd(VERDICT_COLUMNS))}${line}`
          : `${' '.repeat(VERDICT_COLUMNS)}${line}`,
      ),
    ),
  );
  const failed = of('failed').length;
  const sum =
    failed > 0
      ? paint('red', `${failed} of ${checks.length} checks failed`)
      : paint('green', 'all checks passed');
  const warnings = of('warning').length;
  return [...lines, '', warnings === 0 ? sum : `${sum}, ${warnings} with a warning`].join('\n');
}

/** Checks that found the same are one: without credentials half of them are skipped. */
function together(checks: readonly Checked[]): Checked[] {
  const byFinding = new Map<string, Checked>();
  for (const check of checks) {
    const key = JSON.stringify([check.message, check.remedy, check.iam]);
    const other = byFinding.get(key);
    const name = other === undefined ? check.check : `${other.check}, ${check.check}`;
    byFinding.set(key, { ...check, check: name });
  }
  return [...byFinding.values()];
}

function findingLines({ check, iam, message, remedy }: Checked, room: number): string[] {
  return [
    ...wrap(plain(`${check}: ${message}`), room),
    ...(remedy === undefined ? [] : wrap(`→ ${plain(remedy)}`, room)),
    ...(iam === undefined ? [] : wrap(`IAM: ${JSON.stringify(iam)}`, room)),
  ];
}

/** The value, or a rejection after `limitMs`; what was begun goes on. */
export async function within<Value>(promise: Promise<Value>, limitMs: number): Promise<Value> {
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
