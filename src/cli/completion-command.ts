/** `completion bash|zsh|fish`: a script for the shell, made from the commands as they are. */
import { Argument, type Command } from 'commander';

import { newCommand } from './command.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** `program`: the whole of it, asked for when the command runs. */
export function completionCommand(
  program: () => Promise<Command>,
  terminal: Terminal = processTerminal(),
): Command {
  return newCommand(
    'completion',
    {
      description: 'print a completion script for a shell',
      example: 'source <(migration-agent completion bash)',
    },
    terminal,
  )
    .addArgument(new Argument('<shell>', 'your shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const words = describe(await program());
      terminal.stdout.write(shell === 'fish' ? fish(words) : bash(words, shell));
    });
}

interface Words {
  readonly name: string;
  readonly description: string;
  readonly options: readonly string[];
}

function describe(program: Command): readonly Words[] {
  const visible = program.createHelp().visibleCommands(program);
  return visible.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: command
      .createHelp()
      .visibleOptions(command)
      .flatMap(({ long }) => (typeof long === 'string' ? [long] : [])),
  }));
}

/** zsh runs bash's completions through bashcompinit. */
function bash(commands: readonly Words[], shell: 'bash' | 'zsh'): string {
  const cases = commands.map(({ name, options }) => `    ${name}) words="${options.join(' ')}" ;;`);
  return `${shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}_migration_agent() {
  local words
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words="" ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${commands.map(({ name }) => name).join(' ')}"
  fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _migration_agent migration-agent
`;
}

function fish(commands: readonly Words[]): string {
  return commands
    .flatMap(({ name, description, options }) => [
      `complete -c migration-agent -n __fish_use_subcommand -f -a ${name} -d '${description.replaceAll(/['\\]/g, String.raw`\$&`)}'`,
      ...options.map(
        (option) =>
          `complete -c migration-agent -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`,
      ),
    ])
    .map((line) => `${line}\n`)
    .join('');
}
