/** `migration-agent dev`. The simulator and the agent are loaded when it runs. */
import type { Command } from 'commander';
import { action, newCommand } from '../command.ts';
import { processTerminal } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

export function devCommand(terminal: Terminal = processTerminal()): Command {
  return newCommand(
    'dev',
    {
      description:
        'run an agent against simulated AWS services, to try it: a status page, a temporary state, nothing left after Ctrl-C',
      example: 'migration-agent dev',
    },
    terminal,
  )
    .option('-q, --quiet', "print the addresses and commands, but not the agent's log")
    .action(
      action(terminal, async (options: { quiet?: true }) => {
        const { runDev } = await import('./dev.ts');
        return runDev(options.quiet === true, terminal);
      }),
    );
}
