/** A function of bash and zsh: which options take the next word as their value. */
import type { CommandLine } from './command-line.ts';
import { posixQuoted } from '../../../src/cli/terminal/shell-quote.ts';

export function hasValueFunction(commands: readonly CommandLine[]): string {
  const patterns = commands.flatMap(({ command, options }) =>
    options.flatMap(({ long, value }) =>
      value === undefined ? [] : [posixQuoted(`${command} ${long}`)],
    ),
  );
  return `# Whether the option $2 of the command $1 has a value.
_migration_agent_has_value() {
  case "$1 $2" in
    ${patterns.join(' | \\\n    ')}) return 0 ;;
  esac
  return 1
}`;
}
