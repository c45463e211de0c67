/** `completion bash|zsh|fish`: a script for the shell, made from the commands as they are. */
import { Argument, type Command } from 'commander';

import { newCommand } from '../command.ts';
import { bashScript } from './bash.ts';
import { describeCommands } from './command-line.ts';
import { fishScript } from './fish.ts';
import { zshScript } from './zsh.ts';
import { processTerminal } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

const SCRIPTS = { bash: bashScript, fish: fishScript, zsh: zshScript };

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
      terminal.stdout.write(SCRIPTS[shell](describeCommands(await program())));
    });
}
