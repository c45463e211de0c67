/** `events NAME`: the timeline of a job, and with `--follow` what is added to it. */
import type { Command } from 'commander';

import type { TimelineEntryDocument } from '../../control/routes/timeline-entry.ts';
import { clientCommand, clientOf, printJson, viewOf } from '../client/client-command.ts';
import type { SocketOption } from '../client/client-command.ts';
import { jobPath } from '../client/client.ts';
import type { Client } from '../client/client.ts';
import { action } from '../command.ts';
import { readCount } from '../option-values.ts';
import { EXIT } from '../exit-codes.ts';
import { processTerminal, write } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { renderTimeline } from '../views/timeline.ts';

interface EventsOptions extends SocketOption {
  readonly limit: number;
  readonly follow?: true;
  readonly json?: true;
}

export function eventsCommand(terminal: Terminal = processTerminal()): Command {
  return clientCommand(
    'events',
    {
      description: 'show the timeline of a job, oldest first; times are UTC',
      example: 'migration-agent events nightly-files --limit 20',
    },
    terminal,
  )
    .argument('<name>', 'a job')
    .option('-n, --limit <count>', 'at most so many of the newest entries', readCount, 100)
    .option('-f, --follow', 'stay and show new entries')
    .option('--json', 'print one JSON document a line')
    .action(
      action(terminal, async (name: string, options: EventsOptions) => {
        const client = clientOf(options, terminal);
        // Opened before the past is read, so that no entry is missed between the two.
        const added = options.follow ? await openStream(client, name) : undefined;
        const { events } = await client.get<{ events: TimelineEntryDocument[] }>(
          jobPath(name, `/events?limit=${options.limit}`),
        );
        await print(events, options, terminal);
        if (added === undefined) return EXIT.ok;
        const known = new Set(events.map(identity));
        for await (const entry of added) {
          if (!known.has(identity(entry))) await print([entry], options, terminal);
        }
        return EXIT.noDaemon;
      }),
    );
}

async function print(
  entries: readonly TimelineEntryDocument[],
  options: EventsOptions,
  terminal: Terminal,
): Promise<void> {
  if (options.json) {
    for (const entry of entries) printJson(terminal, entry);
    return;
  }
  const lines = renderTimeline(entries, viewOf(terminal, new Date().toISOString()));
  if (lines.length > 0) await write(terminal.stdout, `${lines.join('\n')}\n`);
}

function identity({ at, run, event, fields }: TimelineEntryDocument): string {
  return JSON.stringify([at, run, event, fields]);
}

/** Resolves when the agent has begun to answer; no entry is missed from then on. */
async function openStream(
  client: Client,
  job: string,
): Promise<AsyncIterable<TimelineEntryDocument>> {
  const pieces = client.stream(`/v1/events?job=${encodeURIComponent(job)}`)[Symbol.asyncIterator]();
  const first = await pieces.next();
  return entriesOf(pieces, first.done === true ? undefined : first.value);
}

/** Server-sent events: of each block the `data:` line, which holds the whole entry. */
async function* entriesOf(
  pieces: AsyncIterator<Uint8Array>,
  first: Uint8Array | undefined,
): AsyncGenerator<TimelineEntryDocument> {
  const decoder = new TextDecoder();
  let text = '';
  let piece = first;
  while (piece !== undefined) {
    const lines = (text + decoder.decode(piece, { stream: true })).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data: ')) yield JSON.parse(line.slice(6)) as TimelineEntryDocument;
    }
    const next = await pieces.next();
    piece = next.done === true ? undefined : next.value;
  }
}
