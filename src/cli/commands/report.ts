/** `report NAME`: the progress or the end of a tracked job, or the progress of one of the agent's own, from within it. */
import { InvalidArgumentError, Option, type Command } from 'commander';

import { clientCommand, clientOf, printJson } from '../client/client-command.ts';
import type { SocketOption } from '../client/client-command.ts';
import { action, CommandFailure } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { sendLines } from '../client/json-lines.ts';
import { processTerminal, print } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { defined } from '../../core/lib/defined.ts';

interface ReportOptions extends SocketOption {
  readonly percent?: number;
  readonly detail?: string;
  readonly status?: 'completed' | 'failed';
  readonly from?: string;
  readonly json?: true;
}

export function reportCommand(terminal: Terminal = processTerminal()): Command {
  return clientCommand(
    'report',
    {
      description: 'report the progress of a job: percent, a detail, its end',
      example: 'migration-agent report copy --percent 40 --detail "table 3 of 7"',
    },
    terminal,
  )
    .argument('[name]', 'a job; default: MIGRATION_JOB, which every job of the agent has')
    .option('--percent <number>', '0 to 100; never falls within a run', readPercent)
    .option('--detail <text>', 'one line')
    .addOption(
      new Option('--status <status>', 'how it ended; only for tracked jobs').choices([
        'completed',
        'failed',
      ]),
    )
    .option('--from <file>', 'many at once: a file of JSON lines, or - for standard input')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      `  migration-agent report copy --status completed
  migration-agent report copy --status failed --detail "disk full on /srv/b"
  migration-agent report --percent 40          # in a job of the agent's own: MIGRATION_JOB has its name
  migration-agent report --from -              # {"name": "copy-1", "percent": 40} a line

Lines of --from have name, percent, detail and status, as POST /v1/reports. A line that is wrong
refuses the whole file; a job that is not there or has ended, that line alone.`,
    )
    .action(
      action(terminal, async (given: string | undefined, options: ReportOptions) => {
        const client = clientOf(options, terminal);
        if (options.from !== undefined) {
          if (given !== undefined) {
            throw new CommandFailure(EXIT.usage, 'with --from, the file has the names');
          }
          return sendLines(client, '/v1/reports', options.from, terminal);
        }
        const { percent, detail, status } = options;
        if (percent === undefined && detail === undefined && status === undefined) {
          throw new CommandFailure(EXIT.usage, 'give --percent, --detail or --status');
        }
        const reply = await client.post<{ message: string }>(
          '/v1/reports',
          defined({
            name: nameOf(given, terminal),
            percent,
            detail,
            status,
          }),
        );
        if (options.json) printJson(terminal, reply);
        print(terminal, reply.message);
        return EXIT.ok;
      }),
    );
}

function nameOf(given: string | undefined, terminal: Terminal): string {
  const name = given ?? terminal.environment['MIGRATION_JOB'] ?? '';
  if (name !== '') return name;
  throw new CommandFailure(EXIT.usage, 'name the job: MIGRATION_JOB is not set here');
}

function readPercent(text: string): number {
  const percent = /^\d{1,3}(\.\d+)?%?$/.test(text) ? Number(text.replace('%', '')) : NaN;
  if (percent >= 0 && percent <= 100) return percent;
  throw new InvalidArgumentError('expected a number from 0 to 100.');
}
