/**
 * All commands of the program, each loaded when it is used: `status` has to answer at once and needs neither the
 * AWS SDK nor the simulator.
 */
import { Command } from 'commander';

import type { Terminal } from './terminal/terminal.ts';

interface Entry {
  /** For the list of commands; a command's own description may be longer. */
  readonly summary: string;
  readonly load: (terminal: Terminal) => Promise<Command>;
}

/** In the order of `--help`. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  dev: {
    summary: 'try an agent with simulated AWS services; nothing is left afterwards',
    load: async (terminal) => (await import('./dev/command.ts')).devCommand(terminal),
  },
  daemon: {
    summary: 'run the agent in the foreground, as systemd does',
    load: async (terminal) => (await import('./daemon/command.ts')).daemonCommand(terminal),
  },
  run: {
    summary: 'start an ad hoc job',
    load: async (terminal) => (await import('./commands/run.ts')).runCommand(terminal),
  },
  start: {
    summary: 'start a configured job',
    load: async (terminal) => (await import('./commands/jobs.ts')).startCommand(terminal),
  },
  track: {
    summary: 'report the status of work that somebody else runs',
    load: async (terminal) => (await import('./commands/track.ts')).trackCommand(terminal),
  },
  report: {
    summary: 'report progress, a detail or the end of a job',
    load: async (terminal) => (await import('./commands/report.ts')).reportCommand(terminal),
  },
  status: {
    summary: 'show the jobs of this host and their delivery to AWS',
    load: async (terminal) => (await import('./commands/status.ts')).statusCommand(terminal),
  },
  events: {
    summary: 'show the timeline of a job',
    load: async (terminal) => (await import('./commands/events.ts')).eventsCommand(terminal),
  },
  history: {
    summary: 'show what Migration Hub recorded of a job',
    load: async (terminal) => (await import('./commands/history.ts')).historyCommand(terminal),
  },
  logs: {
    summary: 'show what a job wrote',
    load: async (terminal) => (await import('./commands/logs.ts')).logsCommand(terminal),
  },
  wait: {
    summary: 'wait for a job, and exit with its result',
    load: async (terminal) => (await import('./commands/jobs.ts')).waitCommand(terminal),
  },
  cancel: {
    summary: 'stop a job: its whole process tree, and wait until it is gone',
    load: async (terminal) => (await import('./commands/jobs.ts')).cancelCommand(terminal),
  },
  outbox: {
    summary: 'show reports that are pending at AWS; retry or drop them',
    load: async (terminal) => (await import('./commands/outbox.ts')).outboxCommand(terminal),
  },
  drain: {
    summary: 'take no more pipeline tasks; running jobs go on',
    load: async (terminal) => (await import('./commands/agent.ts')).drainCommand(terminal),
  },
  resume: {
    summary: 'take pipeline tasks again after a drain',
    load: async (terminal) => (await import('./commands/agent.ts')).resumeCommand(terminal),
  },
  claim: {
    summary: 'declare that the state directory was moved to this host',
    load: async (terminal) => (await import('./commands/agent.ts')).claimCommand(terminal),
  },
  reload: {
    summary: 'read the configuration again; an invalid one is refused',
    load: async (terminal) => (await import('./commands/agent.ts')).reloadCommand(terminal),
  },
  config: {
    summary: 'check and show the configuration file',
    load: async (terminal) => (await import('./config/command.ts')).configCommand(terminal),
  },
  doctor: {
    summary: 'check what this host needs: network, credentials, permissions, clock, disk',
    load: async (terminal) => (await import('./doctor/command.ts')).doctorCommand(terminal),
  },
  notify: {
    summary: 'send one report to Migration Hub, without a daemon',
    load: async (terminal) => (await import('./notify/command.ts')).notifyCommand(terminal),
  },
  simulate: {
    summary: 'serve simulated AWS services on 127.0.0.1',
    load: async () => (await import('./simulate/command.ts')).simulateCommand(),
  },
  demo: {
    summary: 'show the agent at work on real files (a minute)',
    load: async (terminal) => (await import('./demo/command.ts')).demoCommand(terminal),
  },
  completion: {
    summary: 'print a completion script for a shell',
    load: async (terminal) => (await import('./completion/command.ts')).completionCommand(terminal),
  },
};

/** All commands: the one that is asked for in full, the others with name and summary, which is all that help shows. */
export function loadCommands(
  argv: readonly string[],
  terminal: Terminal,
): Promise<readonly Command[]> {
  const [first, second] = argv;
  const wanted = first === 'help' ? second : first;
  return Promise.all(
    Object.entries(COMMANDS).map(async ([name, { summary, load }]) => {
      const command = name === wanted ? await load(terminal) : new Command(name);
      return command.summary(summary);
    }),
  );
}

export function loadEveryCommand(terminal: Terminal): Promise<readonly Command[]> {
  return Promise.all(
    Object.values(COMMANDS).map(async ({ summary, load }) =>
      (await load(terminal)).summary(summary),
    ),
  );
}
