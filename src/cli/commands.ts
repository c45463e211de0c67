/**
 * All commands of the program, each loaded when it is wanted: `status` has to answer at once and needs neither the
 * AWS SDK nor the simulator.
 */
import type { Command } from 'commander';

import type { Terminal } from './terminal.ts';

type Load = (terminal: Terminal, program: () => Promise<Command>) => Promise<Command>;

/** In the order of `--help`. */
const COMMANDS: Readonly<Record<string, Load>> = {
  daemon: async (terminal) => (await import('./daemon.ts')).daemonCommand(terminal),
  run: async (terminal) => (await import('./run-command.ts')).runCommand(terminal),
  start: async (terminal) => (await import('./job-commands.ts')).startCommand(terminal),
  track: async (terminal) => (await import('./track-command.ts')).trackCommand(terminal),
  report: async (terminal) => (await import('./report-command.ts')).reportCommand(terminal),
  status: async (terminal) => (await import('./status-command.ts')).statusCommand(terminal),
  events: async (terminal) => (await import('./events-command.ts')).eventsCommand(terminal),
  history: async (terminal) => (await import('./history-command.ts')).historyCommand(terminal),
  logs: async (terminal) => (await import('./logs-command.ts')).logsCommand(terminal),
  wait: async (terminal) => (await import('./job-commands.ts')).waitCommand(terminal),
  cancel: async (terminal) => (await import('./job-commands.ts')).cancelCommand(terminal),
  outbox: async (terminal) => (await import('./outbox-command.ts')).outboxCommand(terminal),
  drain: async (terminal) => (await import('./agent-commands.ts')).drainCommand(terminal),
  resume: async (terminal) => (await import('./agent-commands.ts')).resumeCommand(terminal),
  reload: async (terminal) => (await import('./agent-commands.ts')).reloadCommand(terminal),
  config: async () => (await import('./config.ts')).configCommand(),
  doctor: async (terminal) => (await import('./doctor-command.ts')).doctorCommand(terminal),
  notify: async (terminal) => (await import('./notify-command.ts')).notifyCommand(terminal),
  simulate: async () => (await import('./simulate.ts')).simulateCommand(),
  demo: async (terminal) => (await import('./demo.ts')).demoCommand(terminal),
  completion: async (terminal, program) =>
    (await import('./completion-command.ts')).completionCommand(program, terminal),
};

/** The command that the words ask for; where they ask for none (help, a slip), all of them. */
export function loadCommands(
  words: readonly string[],
  terminal: Terminal,
  program: () => Promise<Command>,
): Promise<readonly Command[]> {
  const [name = ''] = words;
  const loads = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]] : Object.values(COMMANDS);
  return Promise.all(
    loads.flatMap((load) => (load === undefined ? [] : [load(terminal, program)])),
  );
}
