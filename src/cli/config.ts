/** `migration-agent config check|show|schema`: the configuration file without a daemon. */
import { hostname } from 'node:os';
import { Command } from 'commander';
import { describeEffective } from '../config/effective.ts';
import type { Configuration } from '../config/configuration.ts';
import { readConfiguration } from '../config/load.ts';
import { formatProblem, formatWarning, type Problem } from '../config/problem.ts';
import { configurationSchema } from '../config/schema.ts';
import { EXIT } from './exit-codes.ts';

/** systemd does not restart the agent on it (RestartPreventExitStatus=). */
export const BAD_CONFIGURATION = EXIT.badConfiguration;

const DEFAULT_FILE = '/etc/migration-agent/config.yaml';

export function configCommand(): Command {
  const command = new Command('config').description('check and show the configuration file');
  withFile(command.command('check'))
    .description('check the file; exit code 78 when something is wrong')
    .action(async (_options: unknown, self: Command) => {
      const file = fileOf(self);
      const configuration = await loadOrComplain(file);
      if (configuration === undefined) return;
      complain(configuration.warnings.map((warning) => formatWarning(file, warning)));
      const { length } = configuration.warnings;
      const warnings = length === 1 ? '1 warning' : `${length} warnings`;
      complain([`${file}: ${length === 0 ? 'no problems' : `no errors, ${warnings}`}`]);
    });
  withFile(command.command('show'))
    .description('show what is in force and where it comes from; secrets are hidden')
    .option('--json', 'as JSON')
    .action(async (_options: unknown, self: Command) => {
      const file = fileOf(self);
      const configuration = await loadOrComplain(file);
      if (configuration === undefined) return;
      const isJson =
        self.opts<{ json?: boolean }>().json === true ||
        self.optsWithGlobals<{ json?: boolean }>().json === true;
      process.stdout.write(isJson ? asJson(file, configuration) : asTable(configuration));
    });
  command
    .command('schema')
    .description('print the JSON schema of the file, for editors')
    .action(() => {
      process.stdout.write(`${JSON.stringify(configurationSchema(), null, 2)}\n`);
    });
  return command;
}

/** Which file to read: `--config`, else MIGRATION_AGENT_CONFIG, else the one under /etc. */
export function configFile(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const named = option ?? environment['MIGRATION_AGENT_CONFIG'];
  return named === undefined || named === '' ? DEFAULT_FILE : named;
}

/** Every problem on stderr, as `FILE:LINE:COLUMN KEY: what is wrong`. */
export function complainAbout(file: string, problems: readonly Problem[]): void {
  complain(problems.map((problem) => formatProblem(file, problem)));
}

function withFile(command: Command): Command {
  return command.option('--config <file>', 'the configuration file');
}

function fileOf(command: Command): string {
  return configFile(command.optsWithGlobals<{ config?: string }>().config, process.env);
}

async function loadOrComplain(file: string): Promise<Configuration | undefined> {
  const loaded = await readConfiguration(file, process.env, hostname());
  if (loaded.ok) return loaded.configuration;
  complainAbout(file, loaded.problems);
  process.exitCode = BAD_CONFIGURATION;
  return undefined;
}

function asJson(file: string, configuration: Configuration): string {
  return `${JSON.stringify({ file, keys: describeEffective(configuration) }, null, 2)}\n`;
}

function asTable(configuration: Configuration): string {
  const rows = describeEffective(configuration);
  const keyWidth = Math.max(...rows.map(({ key }) => key.length));
  return rows
    .map(({ key, value, source }) => `${source.padEnd(11)}  ${key.padEnd(keyWidth)}  ${value}\n`)
    .join('');
}

function complain(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`${line}\n`);
}
