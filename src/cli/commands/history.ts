/** `history NAME`: what Migration Hub recorded of a run, all pages of it, as a table with a plot. */
import type { Command } from 'commander';

import type { HistoryDocument } from '../../control/routes/documents.ts';
import { clientCommand, clientOf, printJson, viewOf } from '../client/client-command.ts';
import type { SocketOption } from '../client/client-command.ts';
import { jobPath, Refusal } from '../client/client.ts';
import type { Client } from '../client/client.ts';
import { action, CommandFailure } from '../command.ts';
import { readCount } from '../option-values.ts';
import { EXIT } from '../exit-codes.ts';
import { renderHistory } from '../views/history.ts';
import { processTerminal, print, write } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { defined } from '../../core/lib/defined.ts';

interface HistoryOptions extends SocketOption {
  readonly run?: number;
  readonly limit: number;
  readonly json?: true;
}

/** A token is valid for 24 hours: if it expires again and again, something else is wrong. */
const STARTS_MAX = 3;

export function historyCommand(terminal: Terminal = processTerminal()): Command {
  return clientCommand(
    'history',
    {
      description:
        'show what Migration Hub recorded of a job, by its latest run or another; times are UTC',
      example: 'migration-agent history nightly-files --run 12',
    },
    terminal,
  )
    .argument('<name>', 'a job')
    .option('--run <number>', 'another run than the latest', readCount)
    .option('-n, --limit <count>', 'show at most so many of the newest updates', readCount, 100)
    .option('--json', 'print everything that was recorded as one JSON document')
    .action(
      action(terminal, async (name: string, options: HistoryOptions) => {
        const history = await readHistory(clientOf(options, terminal), name, options, terminal);
        if (options.json) {
          printJson(terminal, history);
          return EXIT.ok;
        }
        const view = viewOf(terminal, new Date().toISOString());
        await write(terminal.stdout, `${renderHistory(history, options.limit, view)}\n`);
        return EXIT.ok;
      }),
    );
}

/** All pages, oldest update first. An expired token restarts at the first page. */
async function readHistory(
  client: Client,
  name: string,
  { run }: HistoryOptions,
  terminal: Terminal,
): Promise<HistoryDocument> {
  for (let start = 1; ; start++) {
    try {
      return await readPages(client, name, run, terminal);
    } catch (error) {
      const isExpired = error instanceof Refusal && error.code === 'expired';
      if (!isExpired || start === STARTS_MAX) throw error;
      print(terminal, 'the page token has expired; reading from the first page again');
    }
  }
}

async function readPages(
  client: Client,
  name: string,
  run: number | undefined,
  terminal: Terminal,
): Promise<HistoryDocument> {
  const updates: HistoryDocument['updates'] = [];
  const seen = new Set<string>();
  let token: string | undefined;
  for (;;) {
    const query = new URLSearchParams(
      defined({ run: run === undefined ? undefined : String(run), token }),
    );
    const page = await client.get<HistoryDocument>(jobPath(name, `/history?${query.toString()}`));
    updates.push(...page.updates);
    const { nextToken, ...rest } = page;
    if (nextToken === undefined) return { ...rest, updates: updates.toSorted(byTime) };
    if (seen.has(nextToken)) {
      throw new CommandFailure(EXIT.jobFailed, 'the service returned the same page twice');
    }
    seen.add(nextToken);
    token = nextToken;
    print(terminal, `${updates.length} updates read so far`);
  }
}

/** The order of the pages is not documented. */
function byTime(a: { at?: string | undefined }, b: { at?: string | undefined }): number {
  return (a.at ?? '').localeCompare(b.at ?? '');
}
