/** Completion for fish. Each line that the agent prints is one candidate, which fish inserts quoted and never evaluates. */
import type { CommandLine, LineOption, Place } from './command-line.ts';
import { fishQuoted } from './fish-quote.ts';

const JOBS = '(migration-agent status --names 2>/dev/null)';

export function fishScript(commands: readonly CommandLine[]): string {
  const top = commands.filter(({ command }) => !command.includes(' '));
  const parents = new Set(
    commands.flatMap(({ command }) => (command.includes(' ') ? [command.split(' ')[0] ?? ''] : [])),
  );
  return `# fish completion for migration-agent

# Whether the words before the cursor begin with the program and then $argv.
function __migration_agent_is
  set -l words (commandline -opc)
  set -e words[1]
  test (count $words) -ge (count $argv); or return 1
  for i in (seq (count $argv))
    test "$words[$i]" = "$argv[$i]"; or return 1
  end
end

# Whether nothing but the program stands before the cursor.
function __migration_agent_is_first
  test (count (commandline -opc)) -eq 1
end

# Whether exactly $argv stands before the cursor, options left out.
function __migration_agent_is_only
  __migration_agent_is $argv; or return 1
  set -l words (commandline -opc)
  test (count (string match -v -- '-*' $words)) -eq (math 1 + (count $argv))
end

${top
  .map(
    ({ command, summary }) =>
      `complete -c migration-agent -n __migration_agent_is_first -f -a ${command} -d ${fishQuoted(summary)}\n`,
  )
  .join('')}${commands.map((line) => linesOf(line, parents)).join('')}`;
}

function linesOf(line: CommandLine, parents: ReadonlySet<string>): string {
  const { command, summary, options, places } = line;
  const when = fishQuoted(`__migration_agent_is ${command}`);
  const [parent, child] = command.split(' ');
  const lines = [
    ...(child === undefined
      ? []
      : [
          `-n ${fishQuoted(`__migration_agent_is_only ${parent ?? ''}`)} -f -a ${child} -d ${fishQuoted(summary)}`,
        ]),
    ...(parents.has(command) ? [] : placeLines(when, places)),
    ...options.map((option) => optionLine(when, option)),
  ];
  return lines.map((each) => `complete -c migration-agent ${each}\n`).join('');
}

function placeLines(when: string, places: readonly Place[]): string[] {
  return places.flatMap(({ choices, jobs }) => {
    const words = [...choices, ...(jobs ? [JOBS] : [])];
    return words.length === 0 ? [] : [`-n ${when} -f -a ${fishQuoted(words.join(' '))}`];
  });
}

function optionLine(when: string, { long, summary, value }: LineOption): string {
  const values =
    value === undefined
      ? ''
      : value === 'path'
        ? ' -r -F'
        : value === 'text'
          ? ' -x'
          : ` -x -a ${fishQuoted(value.join(' '))}`;
  return `-n ${when} -l ${long.slice(2)} -d ${fishQuoted(summary)}${values}`;
}
