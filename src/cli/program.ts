/** The command line: one program, its commands, and what it says when it is called wrongly. */
import type { Command } from 'commander';
import { clientCommands } from './client-commands.ts';
import { newCommand, withUsageExit } from './command.ts';
import { completionCommand } from './completion-command.ts';
import { configCommand } from './config.ts';
import { daemonCommand } from './daemon.ts';
import { demoCommand } from './demo.ts';
import { simulateCommand } from './simulate.ts';
import { processTerminal } from './terminal.ts';
import { VERSION } from './version.ts';

export function createProgram(): Command {
  const terminal = processTerminal();
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
  for (const command of [
    daemonCommand(terminal),
    ...clientCommands(terminal),
    configCommand(),
    simulateCommand(),
    demoCommand(terminal),
    completionCommand(() => program, terminal),
  ]) {
    program.addCommand(withUsageExit(command, terminal));
  }
  return program;
}
