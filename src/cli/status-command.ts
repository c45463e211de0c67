/** `status [NAME]`: all jobs as a table, or one job in full; once, or redrawn in place. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Command } from 'commander';

import type { TimelineEntryDocument } from '../control/timeline-entry.ts';
import type { Status } from '../core/status.ts';
import { clientCommand, clientOf, viewOf, type SocketOption } from './client-command.ts';
import { jobPath, NoDaemon, type Client } from './client.ts';
import { action, CommandFailure } from './command.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { renderJob } from './job-view.ts';
import { renderStatus } from './status-view.ts';
import { processTerminal, write, type Terminal } from './terminal.ts';

interface StatusOptions extends SocketOption {
  readonly watch?: true;
  readonly json?: true;
}

const REDRAW_MS = 1_000;
/** Enough to see why a run stands where it stands; `events` tells all. */
const TIMELINE_ENTRIES = 15;

export function statusCommand(terminal: Terminal = processTerminal()): Command {
  return clientCommand(
    'status',
    {
      description: 'Show the jobs of this host and how their destinations stand',
      example: 'migration-agent status nightly-files',
    },
    terminal,
  )
    .argument('[name]', 'one job, with its timeline')
    .option('--watch', 'redraw every second')
    .option('--json', 'print the Status document (with NAME: that job of it)')
    .action(
      action(terminal, async (name: string | undefined, options: StatusOptions) => {
        const client = clientOf(options, terminal);
        if (options.watch) return watch(client, name, options, terminal);
        await write(terminal.stdout, `${await picture(client, name, options, terminal)}\n`);
        return EXIT.ok;
      }),
    );
}

/** Until the operator has seen enough (Ctrl-C), or the job is not there. */
async function watch(
  client: Client,
  name: string | undefined,
  options: StatusOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  while (terminal.interrupted?.aborted !== true) {
    let text: string;
    try {
      text = await picture(client, name, options, terminal);
    } catch (error) {
      if (!(error instanceof NoDaemon)) throw error;
      text = `${error.message}\ntrying again`;
    }
    await write(terminal.stdout, options.json ? `${text}\n` : redrawn(text, terminal));
    await sleep(REDRAW_MS);
  }
  return EXIT.ok;
}

/** From the top left corner, each line cleared to its end: no flicker, and the scrollback stays. */
function redrawn(text: string, { stdout }: Terminal): string {
  if (stdout.isTTY !== true) return `${text}\n\n`;
  const rows = Math.max(2, stdout.rows ?? 24);
  const lines = text.split('\n');
  const hidden = lines.length - rows + 1;
  const shown = hidden > 0 ? [...lines.slice(0, rows - 2), `… ${hidden + 1} more lines`] : lines;
  return `\u001b[H${shown.map((line) => `${line}\u001b[K`).join('\n')}\n\u001b[J`;
}

async function picture(
  client: Client,
  name: string | undefined,
  options: StatusOptions,
  terminal: Terminal,
): Promise<string> {
  const status = await client.get<Status>('/v1/status');
  if (name === undefined) {
    if (options.json) return JSON.stringify(status);
    return renderStatus(status, viewOf(terminal, status.agent.now));
  }
  const job = status.jobs.find((candidate) => candidate.name === name);
  if (job === undefined) {
    throw new CommandFailure(EXIT.noSuchJob, `there is no job ${JSON.stringify(name)}`);
  }
  if (options.json) return JSON.stringify({ ...status, jobs: [job] });
  const { events } = await client.get<{ events: TimelineEntryDocument[] }>(
    jobPath(name, `/events?limit=${TIMELINE_ENTRIES}`),
  );
  return renderJob(job, events, viewOf(terminal, status.agent.now));
}
