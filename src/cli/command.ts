/**
 * How every command of the program is made: its usage errors end with 2, its failures are one line on stderr
 * and an exit code of the table, its examples follow its help.
 */
import { Command, type CommanderError } from 'commander';

import { EXIT } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { print } from './terminal/terminal.ts';
import type { Terminal } from './terminal/terminal.ts';

/** A failure that ends the command with a message and an exit code. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CommandFailure';
    this.exitCode = exitCode;
  }
}

interface Texts {
  readonly description: string;
  readonly example: string;
}

export function newCommand(name: string, texts: Texts, terminal: Terminal): Command {
  const command = new Command(name)
    .description(texts.description)
    .addHelpText('after', `\nExample:\n  ${texts.example}`);
  return withUsageExit(command, terminal);
}

/** For the program itself as well: commander's own code for wrong usage is 1. */
export function withUsageExit(command: Command, terminal: Terminal): Command {
  return command
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    })
    .showHelpAfterError('(see --help)')
    .exitOverride((error: CommanderError) => {
      terminal.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
      throw error;
    });
}

/** Wraps what a command does: its result is the exit code, its failures are printed. */
export function action<Arguments extends readonly unknown[]>(
  terminal: Terminal,
  perform: (...values: Arguments) => Promise<ExitCode>,
): (...values: Arguments) => Promise<void> {
  return async (...values) => {
    try {
      terminal.setExitCode(await perform(...values));
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      print(terminal, `migration-agent: ${error.message}`);
      terminal.setExitCode(error.exitCode);
    }
  };
}
