/** `migration-agent demo`. The simulator and the rest are loaded when it runs. */
import type { Command } from 'commander';
import { action, newCommand } from '../command.ts';
import { processTerminal } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

export function demoCommand(terminal: Terminal = processTerminal()): Command {
  return newCommand(
    'demo',
    {
      description: 'show the agent at work on real files against simulated services (a minute)',
      example: 'migration-agent demo',
    },
    terminal,
  ).action(
    action(terminal, async () => {
      const { runDemo } = await import('./demo.ts');
      return runDemo(terminal);
    }),
  );
}
