/** The command line: one program, its commands, and what it says when it is called wrongly. */
import type { Command } from 'commander';
import { newCommand, withUsageExit } from './command.ts';
import { loadCommands, loadEveryCommand } from './commands.ts';
import { processTerminal } from './terminal/terminal.ts';
import type { Terminal } from './terminal/terminal.ts';
import { VERSION } from './version.ts';

/** Does what the words say; the exit code is the terminal's. */
export async function runProgram(
  argv: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<void> {
  const whole = (): Promise<Command> => wholeProgram(terminal);
  const program = createProgram(await loadCommands(argv, terminal, whole), terminal);
  await program.parseAsync(argv, { from: 'user' });
}

/** The program with every command as it is: for completions, the manual page and tests. */
export async function wholeProgram(terminal: Terminal): Promise<Command> {
  const whole = (): Promise<Command> => wholeProgram(terminal);
  return createProgram(await loadEveryCommand(terminal, whole), terminal);
}

function createProgram(commands: readonly Command[], terminal: Terminal): Command {
  const program = newCommand(
    'migration-agent',
    {
      description:
        'keeps AWS Migration Hub and AWS Data Pipeline told how the migration jobs of this host stand',
      example: 'migration-agent daemon --config config.yaml',
    },
    terminal,
  )
    .version(VERSION)
    .enablePositionalOptions();
  for (const command of commands) {
    for (const each of [command, ...command.commands]) withUsageExit(each, terminal);
    program.addCommand(command);
  }
  return program;
}
