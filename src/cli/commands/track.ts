/** `track NAME`: work that somebody else runs, seen by its process, its systemd unit or its status file. */
import { resolve } from 'node:path';

import { InvalidArgumentError, type Command } from 'commander';

import type { TrackedJob } from '../../control/routes/tracked-requests.ts';
import { clientCommand, clientOf, printJson } from '../client/client-command.ts';
import type { SocketOption } from '../client/client-command.ts';
import { action, CommandFailure } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { readDuration } from '../option-values.ts';
import { sendLines } from '../client/json-lines.ts';
import { processTerminal, print, printLine } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { defined } from '../../core/lib/defined.ts';

interface TrackOptions extends SocketOption {
  readonly pid?: number;
  readonly unit?: string;
  readonly statusFile?: string;
  readonly stallAfter?: string;
  readonly task?: string;
  /** commander's name for `--no-hub`. */
  readonly hub: boolean;
  readonly from?: string;
  readonly json?: true;
}

export function trackCommand(terminal: Terminal = processTerminal()): Command {
  return clientCommand(
    'track',
    {
      description: 'report the status of work that somebody else runs',
      example: 'migration-agent track copy --pid 4711',
    },
    terminal,
  )
    .argument('[name]', 'the name of the job from now on')
    .option(
      '--pid <number>',
      'a process, of any user; if it ends without a final report, the run is lost',
      readPid,
    )
    .option('--unit <unit>', 'a systemd unit: the run that is under way, else the next one')
    .option(
      '--status-file <file>',
      'a JSON file: {"percent": 40, "detail": "…", "status": "running"}',
    )
    .option(
      '--stall-after <duration>',
      'report a stall when nothing has changed for so long, such as 30m',
      readDuration,
    )
    .option('--task <name>', 'name of the task in Migration Hub; default: that of the job')
    .option('--no-hub', 'do not report to Migration Hub')
    .option('--from <file>', 'many at once: a file of JSON lines, or - for standard input')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      `  migration-agent track vault --unit vault-copy.service --stall-after 1h
  migration-agent track tables --status-file /srv/load/status.json
  migration-agent track tape && migration-agent report tape --percent 40 --detail "reel 2 of 5"
  migration-agent track --from jobs.jsonl      # {"name": "copy-1", "pid": 4711} a line

With none of --pid, --unit and --status-file only "report" gives the job's status. It may do so in
any case: "report NAME --status completed" is the end that a process alone cannot report.
A status file has "completed" or "failed" itself; write it whole and rename it into its place.
Lines of --from have name, pid, unit, statusFile, stallAfter and migrationHub, as POST /v1/tracked.
A line that is wrong refuses the whole file; a name that is tracked already, that line alone.
"cancel NAME" ends the tracking and leaves the work alone.`,
    )
    .action(
      action(terminal, async (name: string | undefined, options: TrackOptions) => {
        const client = clientOf(options, terminal);
        if (options.from !== undefined) {
          if (name !== undefined) throw usage('with --from, the file has the names');
          return sendLines(client, '/v1/tracked', options.from, terminal);
        }
        if (name === undefined) throw usage('name the job, or give many with --from FILE');
        const reply = await client.post<{ run?: string; message: string }>(
          '/v1/tracked',
          trackedJob(name, options),
        );
        if (options.json) printJson(terminal, reply);
        else if (reply.run !== undefined) printLine(terminal, reply.run);
        print(terminal, reply.message);
        return EXIT.ok;
      }),
    );
}

function trackedJob(name: string, options: TrackOptions): TrackedJob {
  const { pid, unit, statusFile, stallAfter, task, hub } = options;
  const named = task === undefined ? undefined : { task };
  const migrationHub = hub ? named : (false as const);
  return defined({
    name,
    pid,
    unit,
    // The agent has a working directory of its own.
    statusFile: statusFile === undefined ? undefined : resolve(statusFile),
    stallAfter,
    migrationHub,
  });
}

function readPid(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text))
    throw new InvalidArgumentError('expected the number of a process.');
  return Number(text);
}

function usage(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, message);
}
