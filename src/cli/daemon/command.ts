/** `migration-agent daemon`. The agent is loaded when the command runs: `--help` does not need it. */
import type { Command } from 'commander';
import { action, newCommand } from '../command.ts';
import { configFile } from '../config/file.ts';
import { processTerminal } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

export function daemonCommand(terminal: Terminal = processTerminal()): Command {
  return newCommand(
    'daemon',
    {
      description: 'run the agent in the foreground, as systemd does',
      example: 'migration-agent daemon --config /etc/migration-agent/config.yaml',
    },
    terminal,
  )
    .option('--config <file>', 'the configuration file')
    .action(
      action(terminal, async (options: { config?: string }) => {
        const { runDaemon } = await import('./daemon.ts');
        return runDaemon(configFile(options.config, terminal.environment), terminal.environment);
      }),
    );
}
