/**
 * `doctor`: checks everything that the agent needs, all at once, and shows one table; prints the IAM policy of a
 * configuration. It writes nothing to AWS (it makes a dry run of each write) and nothing to this host, except one file
 * in the state directory, which it removes.
 */
import { hostname } from 'node:os';
import { InvalidArgumentError, type Command } from 'commander';

import { createProbe } from '../../aws/probe.ts';
import type { Configuration } from '../../config/build/configuration.ts';
import { readConfiguration } from '../../config/load.ts';
import { formatProblem, formatWarning } from '../../config/lib/problem.ts';
import type { Status } from '../../core/model/status.ts';
import { clientOf, printJson, viewOf } from '../client/client-command.ts';
import { action, newCommand } from '../command.ts';
import { configFile } from '../config/file.ts';
import { awsChecks } from './aws-checks.ts';
import { guarded } from './guard.ts';
import { hostChecks } from './host-checks.ts';
import { jobChecks } from './job-checks.ts';
import { renderChecks, runChecks, within } from './report.ts';
import type { Checked } from './report.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { iamPolicy } from './iam-policy.ts';
import { processTerminal, print, write } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { VERSION } from '../version.ts';

/** It answers from memory. */
const DAEMON_MS = 5_000;

interface Options {
  readonly config?: string;
  readonly socket?: string;
  readonly json?: true;
  readonly iamPolicy?: true;
  readonly account?: string;
  readonly region?: string;
}

export function doctorCommand(terminal: Terminal = processTerminal()): Command {
  return newCommand(
    'doctor',
    {
      description:
        'check everything that the agent needs: credentials, permissions, endpoints, clock, disk; exit code 1 if a check fails',
      example: `sudo -u migration-agent migration-agent doctor --config /etc/migration-agent/config.yaml
  migration-agent doctor --iam-policy --account 123456789012 --region eu-central-1 > policy.json`,
    },
    terminal,
  )
    .option('--config <file>', 'the configuration file')
    .option('--socket <path>', "the daemon's socket; default: that of the configuration")
    .option('--json', 'print what was found as JSON')
    .option(
      '--iam-policy',
      'print the least policy that this configuration needs, and check nothing',
    )
    .option('--account <id>', 'for --iam-policy: the account; default: any', readAccount)
    .option(
      '--region <region>',
      'for --iam-policy: the home region; default: migrationHub.region, else any',
    )
    .action(
      action(terminal, (options: Options) => guarded(terminal, (own) => doctor(options, own))),
    );
}

async function doctor(options: Options, terminal: Terminal): Promise<ExitCode> {
  const { environment } = terminal;
  const file = configFile(options.config, environment);
  const loaded = await readConfiguration(file, environment, hostname());
  if (!loaded.ok) {
    const problems = loaded.problems.map((problem) => formatProblem(file, problem));
    const remedy = 'fix the file: config/README.md lists every key';
    const message = problems.join('\n');
    if (options.json) {
      printReport([{ check: 'configuration', verdict: 'failed', message, remedy }], terminal);
    } else {
      print(terminal, message);
    }
    return EXIT.badConfiguration;
  }
  const { configuration } = loaded;
  if (options.iamPolicy) {
    const region = options.region ?? configuration.settings.migrationHub?.region ?? '*';
    const policy = iamPolicy(configuration, { account: options.account ?? '*', region });
    terminal.stdout.write(`${JSON.stringify(policy, null, 2)}\n`);
    return EXIT.ok;
  }
  const warnings = loaded.warnings.map((warning) => formatWarning(file, warning));
  const checks = await check(configuration, options, terminal);
  const whole: Checked[] = [
    {
      check: 'configuration',
      ...(warnings.length === 0
        ? { verdict: 'ok', message: file }
        : { verdict: 'warning', message: warnings.join('; ') }),
    },
    ...checks,
  ];
  if (options.json) printReport(whole, terminal);
  else {
    const view = viewOf(terminal, new Date().toISOString());
    await write(terminal.stdout, `${renderChecks(whole, view)}\n`);
  }
  return whole.some(({ verdict }) => verdict === 'failed') ? EXIT.jobFailed : EXIT.ok;
}

async function check(
  configuration: Configuration,
  options: Options,
  terminal: Terminal,
): Promise<Checked[]> {
  const { environment } = terminal;
  const daemon = await askDaemon(options.socket ?? configuration.agent.socket, terminal);
  const { dataPipeline, hostname: host } = configuration.settings;
  const probe = createProbe({ ...configuration.aws, version: VERSION, environment });
  try {
    return await runChecks([
      ...awsChecks({
        configuration,
        probe,
        environment,
        nowMs: () => Date.now(),
        taskRunnerId: dataPipeline?.taskRunnerId ?? daemon?.agent.taskRunnerId ?? `${host}-doctor`,
      }),
      ...hostChecks(configuration, daemon),
      ...jobChecks(configuration, daemon?.agent.pid, environment, Date.now()),
    ]);
  } finally {
    probe.close();
  }
}

async function askDaemon(socket: string, terminal: Terminal): Promise<Status | undefined> {
  const asked = clientOf({ socket }, terminal).get<Status>('/v1/status');
  try {
    return await within(asked, DAEMON_MS);
  } catch {
    // No daemon runs, it hangs, or this user may not ask it: everything else can be checked without it.
    return undefined;
  }
}

function printReport(checks: readonly Checked[], terminal: Terminal): void {
  const isOk = checks.every(({ verdict }) => verdict !== 'failed');
  printJson(terminal, { schema: 1, ok: isOk, checks });
}

function readAccount(text: string): string {
  if (!/^\d{12}$/u.test(text)) throw new InvalidArgumentError('expected twelve digits.');
  return text;
}
