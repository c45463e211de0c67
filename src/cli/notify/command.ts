/**
 * `notify`: one report to Migration Hub without a daemon, with the options of `aws mgh notify-migration-task-state`.
 * The text of the report is made valid and its secrets are masked, as in the daemon's own reports.
 */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Command } from 'commander';

import { createServices } from '../../aws/services.ts';
import type { Configuration } from '../../config/build/configuration.ts';
import { readConfiguration } from '../../config/load.ts';
import { formatProblem } from '../../config/lib/problem.ts';
import type { NotifyCall } from '../../core/model/call.ts';
import type { Services } from '../../ports.ts';
import { action, CommandFailure, newCommand } from '../command.ts';
import { configFile } from '../config/file.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { notifyInput, SKELETON } from './input.ts';
import type { NotifyOptions } from './input.ts';
import { sendWithRetries } from './send-with-retries.ts';
import { processTerminal, print } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { VERSION } from '../version.ts';
import { defined } from '../../core/lib/defined.ts';

interface Options extends NotifyOptions {
  readonly config?: string;
  readonly endpointUrl?: string;
  readonly generateCliSkeleton?: string | true;
  readonly profile?: string;
  readonly region?: string;
}

export function notifyCommand(terminal: Terminal = processTerminal()): Command {
  return newCommand(
    'notify',
    {
      description:
        'send one report to Migration Hub, without a daemon, with the options of `aws mgh notify-migration-task-state`',
      example: `migration-agent notify --progress-update-stream acme-migrator --migration-task-name files \\
    --task Status=IN_PROGRESS,ProgressPercent=40 --update-date-time "$(date +%s)" --next-update-seconds 300`,
    },
    terminal,
  )
    .option('--progress-update-stream <value>', 'the stream')
    .option('--migration-task-name <value>', 'the task')
    .option(
      '--task <value>',
      'Status=string,StatusDetail=string,ProgressPercent=integer, or JSON; file://PATH reads a file',
    )
    .option('--update-date-time <value>', 'seconds since 1970, or a time in ISO 8601')
    .option(
      '--next-update-seconds <value>',
      'the promise: the next report comes within so many seconds',
    )
    .option('--dry-run', 'only check whether the report would be allowed: exit code 0, else 1')
    .option('--no-dry-run', 'send it')
    .option('--cli-input-json <value>', 'all of this as JSON; options go before it')
    .option(
      '--generate-cli-skeleton [value]',
      'print such JSON (input), or check and print the answer (output)',
    )
    .option(
      '--region <value>',
      'default: migrationHub.region of the configuration, or the home region if the section has none, else AWS_REGION',
    )
    .option('--endpoint-url <value>', 'another endpoint than that of the configuration')
    .option('--profile <value>', 'a profile of the shared AWS files')
    .option('--config <file>', 'a configuration file; nothing of it is required')
    .action(action(terminal, (options: Options) => notify(options, terminal)));
}

async function notify(options: Options, terminal: Terminal): Promise<ExitCode> {
  const skeleton = options.generateCliSkeleton;
  if (skeleton === true || skeleton === 'input') {
    terminal.stdout.write(`${JSON.stringify(SKELETON, null, 4)}\n`);
    return EXIT.ok;
  }
  if (skeleton !== undefined && skeleton !== 'output') {
    throw new CommandFailure(EXIT.usage, '--generate-cli-skeleton: expected input or output');
  }
  const input = readInput(options);
  if (skeleton === 'output') {
    // The operation answers with nothing.
    terminal.stdout.write('{}\n');
    return EXIT.ok;
  }
  const configuration = await optionalConfiguration(options.config, terminal);
  const services = servicesOf(options, configuration, terminal);
  try {
    const region = await regionOf(options, configuration, services, terminal);
    return await send(services, { ...input, region }, terminal);
  } finally {
    services.close();
  }
}

async function send(services: Services, call: NotifyCall, terminal: Terminal): Promise<ExitCode> {
  const outcome = await sendWithRetries(services, call, terminal);
  const where = `task "${call.task}" of stream "${call.stream}" in ${call.region}`;
  if (outcome.kind === 'accepted') {
    print(
      terminal,
      call.dryRun === true
        ? `DryRunOperation: the report would be allowed; nothing was sent for ${where}`
        : `accepted: ${where} is ${call.status}`,
    );
    return EXIT.ok;
  }
  const remedy =
    outcome.kind === 'denied'
      ? `; allow mgh:NotifyMigrationTaskState on arn:aws:mgh:${call.region}:*:progressUpdateStream/${call.stream}/*`
      : outcome.kind === 'missing'
        ? '; CreateProgressUpdateStream and ImportMigrationTask come first'
        : '';
  throw new CommandFailure(EXIT.jobFailed, `not accepted for ${where}: ${outcome.reason}${remedy}`);
}

function readInput(options: Options): Omit<NotifyCall, 'region'> {
  try {
    return notifyInput(options);
  } catch (error) {
    throw new CommandFailure(EXIT.usage, error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}

/** A file that is named must be valid; the one under /etc is used if it exists. */
async function optionalConfiguration(
  named: string | undefined,
  { environment }: Terminal,
): Promise<Configuration | undefined> {
  const file = configFile(named, environment);
  const isNamed = (named ?? environment['MIGRATION_AGENT_CONFIG'] ?? '') !== '';
  if (!isNamed && !existsSync(file)) return undefined;
  const loaded = await readConfiguration(file, environment, hostname());
  if (loaded.ok) return loaded.configuration;
  const problems = loaded.problems.map((problem) => formatProblem(file, problem));
  throw new CommandFailure(EXIT.badConfiguration, problems.join('\n'));
}

function servicesOf(
  { endpointUrl, profile, region }: Options,
  configuration: Configuration | undefined,
  { environment }: Terminal,
): Services {
  const { aws = { endpoints: {} } } = configuration ?? {};
  const near = region ?? aws.region ?? regionOfEnvironment(environment);
  return createServices({
    ...aws,
    endpoints: {
      ...aws.endpoints,
      ...defined({
        migrationHub: endpointUrl,
        // What stands in for Migration Hub is asked for the home region too.
        migrationHubConfig:
          endpointUrl === undefined ? undefined : (aws.endpoints.migrationHubConfig ?? endpointUrl),
      }),
    },
    ...defined({ profile, region: near }),
    version: VERSION,
    environment,
  });
}

async function regionOf(
  options: Options,
  configuration: Configuration | undefined,
  services: Services,
  terminal: Terminal,
): Promise<string> {
  const hub = configuration?.settings.migrationHub;
  const named =
    options.region ??
    hub?.region ??
    (hub === undefined ? regionOfEnvironment(terminal.environment) : undefined);
  if (named !== undefined) return named;
  const outcome = await sendWithRetries(services, { operation: 'GetHomeRegion' }, terminal);
  if (outcome.kind !== 'accepted') {
    const message = `the home region is not known (--region names it): ${outcome.reason}`;
    throw new CommandFailure(EXIT.jobFailed, message);
  }
  const { homeRegion } = outcome.answer;
  if (homeRegion === undefined) {
    throw new CommandFailure(EXIT.jobFailed, 'this account has no home region; --region names one');
  }
  return homeRegion;
}

function regionOfEnvironment(environment: NodeJS.ProcessEnv): string | undefined {
  return [environment['AWS_REGION'], environment['AWS_DEFAULT_REGION']].find(
    (region) => region !== undefined && region !== '',
  );
}
