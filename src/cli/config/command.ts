/**
 * `migration-agent config check|show|schema`: the configuration file without a daemon. What reads it is loaded when a
 * command runs: `--help` needs none of it.
 */
import type { Command } from 'commander';
import { action, newCommand } from '../command.ts';
import { configFile } from './file.ts';
import { processTerminal } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

interface FileOption {
  readonly config?: string;
}

export function configCommand(terminal: Terminal = processTerminal()): Command {
  const fileOf = ({ config }: FileOption): string => configFile(config, terminal.environment);
  const check = fileCommand(
    'check',
    {
      description: 'check the file; exit code 78 when something is wrong',
      example: 'migration-agent config check --config config.yaml',
    },
    terminal,
  ).action(
    action(terminal, async (options: FileOption) => {
      const { checkFile } = await import('./actions.ts');
      return checkFile(fileOf(options), terminal);
    }),
  );
  const show = fileCommand(
    'show',
    {
      description: 'show what is in force and where it comes from; secrets are hidden',
      example: 'migration-agent config show --json',
    },
    terminal,
  )
    .option('--json', 'as JSON')
    .action(
      action(terminal, async (options: FileOption & { json?: true }) => {
        const { showFile } = await import('./actions.ts');
        return showFile(fileOf(options), options.json === true, terminal);
      }),
    );
  const schema = newCommand(
    'schema',
    {
      description: 'print the JSON schema of the file, for editors',
      example: 'migration-agent config schema > schema.json',
    },
    terminal,
  ).action(
    action(terminal, async () => {
      const { printSchema } = await import('./actions.ts');
      return printSchema(terminal);
    }),
  );
  return newCommand(
    'config',
    {
      description: 'check and show the configuration file',
      example: 'migration-agent config check',
    },
    terminal,
  )
    .addCommand(check)
    .addCommand(show)
    .addCommand(schema);
}

function fileCommand(
  name: string,
  texts: { readonly description: string; readonly example: string },
  terminal: Terminal,
): Command {
  return newCommand(name, texts, terminal).option(
    '--config <file>',
    'the configuration file; default: MIGRATION_AGENT_CONFIG, else /etc/migration-agent/config.yaml',
  );
}
