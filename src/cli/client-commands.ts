/** All commands that are clients of a running agent, for the program to take in. */
import type { Command } from 'commander';

import { drainCommand, reloadCommand, resumeCommand } from './agent-commands.ts';
import { eventsCommand } from './events-command.ts';
import { cancelCommand, startCommand, waitCommand } from './job-commands.ts';
import { logsCommand } from './logs-command.ts';
import { runCommand } from './run-command.ts';
import { statusCommand } from './status-command.ts';
import { processTerminal, type Terminal } from './terminal.ts';

export function clientCommands(terminal: Terminal = processTerminal()): readonly Command[] {
  return [
    runCommand(terminal),
    startCommand(terminal),
    statusCommand(terminal),
    eventsCommand(terminal),
    logsCommand(terminal),
    waitCommand(terminal),
    cancelCommand(terminal),
    drainCommand(terminal),
    resumeCommand(terminal),
    reloadCommand(terminal),
  ];
}
