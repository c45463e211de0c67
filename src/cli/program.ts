/** The command line: one program, its commands, and its errors of usage. */
import type { Command } from 'commander';
import { newCommand, withUsageExit } from './command.ts';
import { loadCommands, loadEveryCommand } from './commands.ts';
import { processTerminal } from './terminal/terminal.ts';
import type { Terminal } from './terminal/terminal.ts';
import { VERSION } from './version.ts';

/** Runs the command; the exit code is set on the terminal. */
export async function runProgram(
  argv: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<void> {
  const program = createProgram(await loadCommands(argv, terminal), terminal);
  await program.parseAsync(argv, { from: 'user' });
}

/** The program with every command as it is: for completion scripts, the manual page and tests. */
export async function wholeProgram(terminal: Terminal): Promise<Command> {
  return createProgram(await loadEveryCommand(terminal), terminal);
}

function createProgram(commands: readonly Command[], terminal: Terminal): Command {
  const program = newCommand(
    'migration-agent',
    {
      description:
        'runs the migration jobs of this host and reports their status to AWS Migration Hub and AWS Data Pipeline',
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
