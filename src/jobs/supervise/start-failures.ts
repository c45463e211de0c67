/**
 * Explains exit codes 126 and 127 (POSIX: the command could not become a program) in plain words. A program may end with
 * these codes as well: only errors that the shell or setpriv printed are translated.
 */
import type { Run } from '../../core/model/job.ts';
import { SCRIPT_NAME } from '../process/enter-job.ts';

/** dash: `migration-agent: 24: exec: x: not found`; bash: `migration-agent: line 24: exec: x: not found`. */
const SHELL_ERROR = new RegExp(`^${SCRIPT_NAME}: (?:line )?\\d+: (?:exec: )?(.*)$`);

/** setpriv(1) of util-linux. */
const SETPRIV_ERROR = /^setpriv: (.*)$/;

/** The end of stderr, whose last line is explained if it is an error of the shell or setpriv. */
export function explainStartFailure(
  { definition }: Run,
  exitCode: number,
  errorTail: string | undefined,
): string | undefined {
  if (exitCode !== 126 && exitCode !== 127) return errorTail;
  const lines = (errorTail ?? '').split('\n');
  const last = lines.at(-1) ?? '';
  const refused = SETPRIV_ERROR.exec(last)?.[1];
  const [program = ''] = definition.command;
  const error = SHELL_ERROR.exec(last)?.[1] ?? '';
  const message = ((): string | undefined => {
    if (refused !== undefined) {
      return `the agent could not become user ${definition.user ?? ''}: ${refused}`;
    }
    if (error === '') return undefined;
    if (exitCode === 126) return `${program} cannot be executed: ${error.split(': ').at(-1) ?? ''}`;
    return program.includes('/')
      ? `there is no program ${program}, or the interpreter that its first line names is not there`
      : `there is no program ${program} in the PATH of the job: write its whole path, or set environment.PATH`;
  })();
  return message === undefined ? errorTail : [...lines.slice(0, -1), message].join('\n');
}
