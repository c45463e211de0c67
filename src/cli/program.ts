/** The command line: one program, its commands, and what it says when it is called wrongly. */
import type { Command } from 'commander';
import { newCommand, withUsageExit } from './command.ts';
import { loadCommands } from './commands.ts';
import { processTerminal } from './terminal.ts';
import type { Terminal } from './terminal.ts';
import { VERSION } from './version.ts';

/** Does what the words say; the exit code is the terminal's. */
export async function runProgram(
  words: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<void> {
  const program = await createProgram(words, terminal);
  await program.parseAsync(words, { from: 'user' });
}

/** The program with the command that `words` ask for; with all commands where they ask for none. */
async function createProgram(words: readonly string[], terminal: Terminal): Promise<Command> {
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
  const whole = (): Promise<Command> => createProgram([], terminal);
  for (const command of await loadCommands(words, terminal, whole)) {
    program.addCommand(withUsageExit(command, terminal));
  }
  return program;
}
