/** `outbox`: reports that are pending at the services, to look at, to retry or to drop. */
import { Argument, Option, type Command } from 'commander';

import type { DestinationName, OutboxEntry } from '../../core/model/outbox.ts';
import { clientCommand, clientOf, printJson, viewOf } from '../client/client-command.ts';
import type { SocketOption } from '../client/client-command.ts';
import { jobPath } from '../client/client.ts';
import type { Client } from '../client/client.ts';
import { action } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { renderOutbox } from '../views/outbox.ts';
import { processTerminal, print, write } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { defined } from '../../core/lib/defined.ts';

interface OutboxOptions extends SocketOption {
  readonly to?: DestinationName;
  readonly json?: true;
}

type Request = 'retry' | 'drop';

interface OutboxDocument {
  readonly schema: 1;
  readonly outbox: readonly OutboxEntry[];
}

export function outboxCommand(terminal: Terminal = processTerminal()): Command {
  return clientCommand(
    'outbox',
    {
      description:
        'show pending reports; retry: send them again now; drop: discard those of a job (without a name: only those that AWS refused)',
      example: 'migration-agent outbox retry nightly-files --to migrationHub',
    },
    terminal,
  )
    .addArgument(new Argument('[what]', 'retry or drop, or a job to look at'))
    .argument('[name]', 'a job; default: all')
    .addOption(
      new Option('--to <destination>', 'only reports to this one').choices([
        'migrationHub',
        'dataPipeline',
      ]),
    )
    .option('--json', 'print one JSON document')
    .action(
      action(
        terminal,
        async (what: string | undefined, name: string | undefined, options: OutboxOptions) => {
          const client = clientOf(options, terminal);
          if (what === 'retry' || what === 'drop') {
            return ask(client, what, name, options, terminal);
          }
          return show(client, what, options, terminal);
        },
      ),
    );
}

async function show(
  client: Client,
  job: string | undefined,
  { json, to }: OutboxOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const query = new URLSearchParams(defined({ job, destination: to }));
  const document = await client.get<OutboxDocument>(`/v1/outbox?${query.toString()}`);
  // A name that is mistyped must not read as "nothing is pending".
  if (job !== undefined && document.outbox.length === 0) await client.get(jobPath(job));
  if (json) {
    printJson(terminal, document);
    return EXIT.ok;
  }
  const lines = renderOutbox(document.outbox, viewOf(terminal, new Date().toISOString()));
  if (lines.length === 0) print(terminal, 'nothing is pending');
  else await write(terminal.stdout, `${lines.join('\n')}\n`);
  return EXIT.ok;
}

async function ask(
  client: Client,
  action: Request,
  job: string | undefined,
  { json, to }: OutboxOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const reply = await client.post<{ message: string }>(
    `/v1/outbox/${action}`,
    defined({ job, destination: to }),
  );
  if (json) printJson(terminal, reply);
  else print(terminal, reply.message);
  return EXIT.ok;
}
