/** A problem in a configuration file, and its place. */

export type Path = readonly (string | number)[];

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Place {
  /** Dotted, such as `jobs.nightly-files.stop.grace`; `(file)` or `(yaml)` if it belongs to no key. */
  readonly key: string;
  readonly message: string;
}

/** `FILE:LINE:COLUMN KEY: what is wrong`, on one line. */
export function formatProblem(file: string, problem: Problem): string {
  const message = problem.message.replace(/\s*[\r\n]+\s*/g, ' ');
  return `${file}:${problem.line}:${problem.column} ${problem.key}: ${message}`;
}

/** A warning has the same form, marked as a warning. */
export function formatWarning(file: string, warning: Problem): string {
  return formatProblem(file, { ...warning, message: `warning: ${warning.message}` });
}

/** Sorted by place, without duplicates. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const sorted = problems.toSorted(
    (a, b) =>
      a.line - b.line ||
      a.column - b.column ||
      a.key.localeCompare(b.key) ||
      a.message.localeCompare(b.message),
  );
  return sorted.filter((problem, index) => {
    const before = sorted[index - 1];
    return before?.key !== problem.key || before.message !== problem.message;
  });
}

export function keyOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '(file)' : path.map(String).join('.');
}
