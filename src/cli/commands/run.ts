/** `run [--name NAME] -- COMMAND…`: hands an ad hoc job to the agent, and with `--wait` stays until it has ended. */
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';

import { InvalidArgumentError, type Command } from 'commander';

import { PLAIN_PARSERS } from '../../core/model/job.ts';
import type { AdHocJob } from '../../control/routes/requests.ts';
import { clientCommand, clientOf, printJson } from '../client/client-command.ts';
import type { SocketOption } from '../client/client-command.ts';
import { action } from '../command.ts';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import { processTerminal, print, printLine } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { hasEnded, runNumber, waitForJob } from '../client/wait-for-run.ts';
import { defined } from '../../core/lib/defined.ts';

interface RunOptions extends SocketOption {
  readonly name?: string;
  readonly progress?: NonNullable<AdHocJob['progress']>;
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly user?: string;
  readonly task?: string;
  readonly migrationHub?: Exclude<AdHocJob['migrationHub'], false | undefined>;
  /** commander's name for `--no-hub`. */
  readonly hub: boolean;
  readonly wait?: true;
  readonly json?: true;
}

/** A made-up name stays readable. */
const PROGRAM_CHARACTERS_MAX = 40;

export function runCommand(terminal: Terminal = processTerminal()): Command {
  return clientCommand(
    'run',
    {
      description: 'start an ad hoc job; it runs on when this command has returned',
      example:
        'migration-agent run --name copy --progress rsync -- rsync -a --info=progress2 /srv/a/ /srv/b/',
    },
    terminal,
  )
    .option('--name <name>', 'name of the job; default: made up from the program')
    .option(
      '--progress <parser>',
      'rsync, pv, percent, json, pg_restore, none, regex:PATTERN, or a JSON object as in the configuration',
      readProgress,
    )
    .option('--cwd <directory>', 'working directory; default: the present one')
    .option('--env <name=value>', 'a variable of its environment; may be repeated', addVariable)
    .option('--user <user>', 'run as this user (the agent must be root)')
    .option('--task <name>', 'name of the task in Migration Hub; default: as configured')
    .option(
      '--migration-hub <json>',
      'more for Migration Hub: a JSON object as in the configuration, such as {"artifacts":["arn:…"]}',
      readHub,
    )
    .option('--no-hub', 'do not report to Migration Hub')
    .option('--wait', 'wait until it has ended, and exit with its result')
    .option('--json', 'print what was started as JSON')
    .argument('<command...>', 'the program and its arguments, after --')
    .action(
      action(terminal, async (command: string[], options: RunOptions) => {
        const client = clientOf(options, terminal);
        const name = options.name ?? madeUpName(command[0] ?? '');
        const reply = await client.post<{ run?: string; message: string }>(
          '/v1/jobs',
          adHocJob(name, command, options),
        );
        if (options.json) printJson(terminal, reply);
        else if (reply.run !== undefined) printLine(terminal, reply.run);
        print(terminal, reply.message);
        if (!options.wait) return EXIT.ok;
        const run = runNumber(reply.run);
        const job = await waitForJob({ client, terminal, job: name, run, until: hasEnded });
        return exitCodeOf(job);
      }),
    );
}

function adHocJob(name: string, command: string[], options: RunOptions): AdHocJob {
  const asked = { ...options.migrationHub, ...defined({ task: options.task }) };
  const isAsked = Object.keys(asked).length > 0;
  const migrationHub = options.hub ? (isAsked ? asked : undefined) : (false as const);
  return defined({
    name,
    command,
    // A command line means the directory that it was typed in.
    workingDirectory: options.cwd ?? process.cwd(),
    progress: options.progress,
    environment: options.env,
    user: options.user,
    migrationHub,
  });
}

const PARSERS = [...PLAIN_PARSERS, 'pg_restore', 'dd', 'tar'] as const;

/** `rsync-3f9a1c`: the program, and something that no other job has. */
function madeUpName(program: string): string {
  const legal = basename(program)
    .replaceAll(/[^\w.-]/g, '')
    .replace(/^[^A-Za-z0-9]+/, '');
  return `${legal.slice(0, PROGRAM_CHARACTERS_MAX) || 'job'}-${randomBytes(3).toString('hex')}`;
}

function readProgress(text: string): NonNullable<AdHocJob['progress']> {
  const parser = PARSERS.find((name) => name === text);
  if (parser !== undefined) return { parser };
  if (text.startsWith('regex:')) return { parser: 'regex', pattern: text.slice('regex:'.length) };
  if (!text.startsWith('{')) {
    throw new InvalidArgumentError(
      `expected ${PARSERS.join(', ')}, regex:PATTERN or a JSON object.`,
    );
  }
  return readJson(text) as NonNullable<AdHocJob['progress']>;
}

function readHub(text: string): RunOptions['migrationHub'] {
  if (!text.trimStart().startsWith('{')) throw new InvalidArgumentError('expected a JSON object.');
  return readJson(text) as RunOptions['migrationHub'];
}

/** The agent checks what is in it. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('this is no JSON object.');
  }
}

function addVariable(text: string, earlier: Record<string, string> = {}): Record<string, string> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('expected NAME=VALUE.');
  return { ...earlier, [text.slice(0, equals)]: text.slice(equals + 1) };
}
