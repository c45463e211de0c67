/**
 * What it means when the shell that was to become the command could not (exit codes 126 and 127, by POSIX), in words
 * for people. A program may end with these codes as well: only the shell's own last words are translated.
 */
import type { Run } from '../../core/model/job.ts';
import { PATH_DEFAULT } from '../process/environment.ts';

/** dash: `migration-agent: 24: exec: x: not found`; bash: `migration-agent: line 24: exec: x: not found`. */
const SHELL_WORDS = /^migration-agent: (?:line )?\d+: (?:(exec|cd): )?(.*)$/;

/** The end of stderr with its last line in plain words, where it was the shell's. */
export function explainStartFailure(
  { definition }: Run,
  exitCode: number,
  errorTail: string | undefined,
): string | undefined {
  if (exitCode !== 126 && exitCode !== 127) return errorTail;
  const lines = (errorTail ?? '').split('\n');
  const [, builtin, rest = ''] = SHELL_WORDS.exec(lines.at(-1) ?? '') ?? [];
  if (rest === '') return errorTail;
  const [program = ''] = definition.command;
  const path = definition.environment['PATH'] ?? process.env['PATH'] ?? PATH_DEFAULT;
  const message = ((): string => {
    if (builtin === 'cd') {
      return `the working directory ${definition.workingDirectory ?? '/'} cannot be entered`;
    }
    if (exitCode === 126) return `${program} cannot be executed: ${rest.split(': ').at(-1) ?? ''}`;
    return program.includes('/')
      ? `there is no program ${program}, or the interpreter that its first line names is not there`
      : `there is no program ${program} in the PATH of the job (${path})`;
  })();
  return [...lines.slice(0, -1), message].join('\n');
}
