/** What is wrong with a configuration file, on stderr. */
import { withoutControls } from '../../core/lib/control-characters.ts';
import { formatProblem } from '../../config/lib/problem.ts';
import type { Problem } from '../../config/lib/problem.ts';

/** Every problem on stderr, as `FILE:LINE:COLUMN KEY: what is wrong`. */
export function printProblems(file: string, problems: readonly Problem[]): void {
  for (const problem of problems) {
    process.stderr.write(`${withoutControls(formatProblem(file, problem))}\n`);
  }
}
