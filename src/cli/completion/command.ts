/**
 * `completion bash|zsh|fish`: prints a script for the shell. The scripts are files, made from the commands by
 * test/tidy/completion.test.ts: to make one here would load every command at each start of a shell.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Argument, type Command } from 'commander';

import { newCommand } from '../command.ts';
import { processTerminal } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

export function completionCommand(terminal: Terminal = processTerminal()): Command {
  return newCommand(
    'completion',
    {
      description: 'print a completion script for a shell; it completes the names of jobs as well',
      example: 'source <(migration-agent completion bash)',
    },
    terminal,
  )
    .addArgument(new Argument('<shell>', 'your shell').choices(['bash', 'zsh', 'fish']))
    .action((shell: 'bash' | 'zsh' | 'fish') => {
      // In a package it lies beside the bundle (systemd/package/bundle.ts).
      const script = join(import.meta.dirname, `migration-agent.${shell}`);
      terminal.stdout.write(readFileSync(script, 'utf8'));
    });
}
