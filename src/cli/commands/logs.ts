/** `logs NAME`: what a run wrote; its output to standard output, its errors to standard error. */
import { Option, type Command } from 'commander';

import type { JobStatus } from '../../core/model/status.ts';
import { clientCommand, clientOf } from '../client/client-command.ts';
import type { SocketOption } from '../client/client-command.ts';
import { jobPath } from '../client/client.ts';
import type { Client } from '../client/client.ts';
import { action } from '../command.ts';
import { readCount } from '../option-values.ts';
import { EXIT } from '../exit-codes.ts';
import { ColoursOnly } from '../terminal/colours-only.ts';
import { processTerminal, print, wantsColor, write } from '../terminal/terminal.ts';
import type { Output, Terminal } from '../terminal/terminal.ts';
import { hasEnded } from '../client/wait-for-run.ts';

type Stream = 'stdout' | 'stderr';

interface LogsOptions extends SocketOption {
  readonly follow?: true;
  readonly lines?: number | 'all';
  readonly run?: number;
  readonly stream?: Stream;
  readonly raw?: true;
}

const LINES = 100;

export function logsCommand(terminal: Terminal = processTerminal()): Command {
  return clientCommand(
    'logs',
    {
      description: 'show what a job wrote: its output on stdout, its errors on stderr',
      example: 'migration-agent logs nightly-files -f',
    },
    terminal,
  )
    .argument('<name>', 'a job')
    .option('-f, --follow', 'stay until the run has ended')
    .option('-n, --lines <count>', `the last so many lines, or all; default: ${LINES}`, (text) =>
      text === 'all' ? text : readCount(text),
    )
    .option('--run <number>', 'a run; default: the latest', readCount)
    .addOption(new Option('--stream <stream>', 'only this one').choices(['stdout', 'stderr']))
    .option('--raw', 'pass every byte to the terminal; default: text and colours only')
    .action(
      action(terminal, async (name: string, options: LogsOptions) => {
        const client = clientOf(options, terminal);
        const job = await client.get<JobStatus>(jobPath(name));
        const run = options.run ?? job.run;
        const streams: Stream[] = options.stream ? [options.stream] : ['stdout', 'stderr'];
        const copies = streams.map((stream) =>
          copy(
            client,
            logPath(name, stream, run, options),
            terminal[stream],
            filterOf(terminal[stream], options, terminal),
          ),
        );
        await Promise.all(copies);
        if (options.follow) await printEnd(client, name, run, terminal);
        return EXIT.ok;
      }),
    );
}

/** `filter`: absent if a program reads, which gets every byte. */
async function copy(
  client: Client,
  path: string,
  output: Output,
  filter: ColoursOnly | undefined,
): Promise<void> {
  try {
    for await (const piece of client.stream(path))
      await write(output, filter?.next(piece) ?? piece);
  } finally {
    await write(output, filter?.end() ?? '');
  }
}

function filterOf(
  output: Output,
  { raw }: LogsOptions,
  { environment }: Terminal,
): ColoursOnly | undefined {
  if (raw === true || output.isTTY !== true) return undefined;
  return new ColoursOnly(wantsColor(output, environment));
}

function logPath(
  name: string,
  stream: Stream,
  run: number | undefined,
  options: LogsOptions,
): string {
  const query = new URLSearchParams({ stream });
  const { lines = LINES } = options;
  if (lines !== 'all') query.set('tail', String(lines));
  if (options.follow) query.set('follow', '1');
  if (run !== undefined) query.set('run', String(run));
  return jobPath(name, `/logs?${query.toString()}`);
}

async function printEnd(
  client: Client,
  name: string,
  run: number | undefined,
  terminal: Terminal,
): Promise<void> {
  const job = await client.get<JobStatus>(jobPath(name));
  if (job.run !== run) return;
  const message = hasEnded(job) ? job.state : 'still runs, but its log is gone';
  print(terminal, `${job.name}/${job.run ?? 0}: ${message}`);
}
