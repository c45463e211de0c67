/** `completion bash|zsh|fish`: a script for the shell, made from the commands as they are. */
import { Argument, type Command } from 'commander';

import { newCommand } from '../command.ts';
import { completionScript } from './scripts.ts';
import type { CompletionWords } from './scripts.ts';
import { processTerminal } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** `program`: the whole of it, asked for when the command runs. */
export function completionCommand(
  program: () => Promise<Command>,
  terminal: Terminal = processTerminal(),
): Command {
  return newCommand(
    'completion',
    {
      description: 'print a completion script for a shell; it completes the names of jobs as well',
      example: 'source <(migration-agent completion bash)',
    },
    terminal,
  )
    .addArgument(new Argument('<shell>', 'your shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      terminal.stdout.write(completionScript(shell, describe(await program())));
    });
}

function describe(program: Command): readonly CompletionWords[] {
  const help = program.createHelp();
  return help.visibleCommands(program).map((command) => {
    const [argument] = command.registeredArguments;
    return {
      name: command.name(),
      summary: help.subcommandDescription(command),
      options: help.visibleOptions(command).flatMap(({ long, argChoices: choices = [] }) => {
        return typeof long === 'string' ? [{ long, choices }] : [];
      }),
      // What may follow the command's name.
      words: [...command.commands.map((each) => each.name()), ...(argument?.argChoices ?? [])],
      takesJob: argument?.name() === 'name',
    };
  });
}
