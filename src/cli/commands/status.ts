/** `status [NAME]`: all jobs as a table, or one job in full; once, or redrawn in place. */
import { setTimeout as sleep } from 'node:timers/promises';

import { InvalidArgumentError, type Command } from 'commander';

import type { TimelineEntryDocument } from '../../control/routes/timeline-entry.ts';
import type { OutputTail } from '../../control/routes/documents.ts';
import type { JobDetail, Status } from '../../core/model/status.ts';
import { clientCommand, clientOf, fittingViewOf, viewOf } from '../client/client-command.ts';
import type { SocketOption } from '../client/client-command.ts';
import { jobPath, NoDaemon, Refusal } from '../client/client.ts';
import type { Client } from '../client/client.ts';
import { action } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { defined } from '../../core/lib/defined.ts';
import { CONDITIONS, hasCondition } from '../../core/operator/attention.ts';
import type { Condition } from '../../core/operator/attention.ts';
import { renderJob } from '../views/job.ts';
import { renderStatus } from '../views/status.ts';
import type { View } from '../views/view.ts';
import { plain } from '../terminal/printable.ts';
import { createRedraw } from '../terminal/redraw.ts';
import { jsonText, processTerminal, write } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

interface StatusOptions extends SocketOption {
  readonly state?: readonly Condition[];
  readonly watch?: true;
  readonly all?: true;
  readonly json?: true;
  readonly names?: true;
}

const REDRAW_MS = 1_000;
/** With very many jobs a picture costs more: the agent and this command spend a tenth of their time on it at most. */
const PAUSE_TIMES = 10;
/** A screen or two; how many more there are is shown below. */
const JOBS_MAX = 50;
/** Enough to see why a run is in its state; `events` shows all. */
const TIMELINE_ENTRIES = 15;

export function statusCommand(terminal: Terminal = processTerminal()): Command {
  return clientCommand(
    'status',
    {
      description: 'show the jobs of this host and their delivery to AWS',
      example: 'migration-agent status nightly-files',
    },
    terminal,
  )
    .argument('[name]', 'one job in full: its command, output, earlier runs and timeline')
    .option('--state <states>', `only these, with commas: ${CONDITIONS.join(', ')}`, readConditions)
    .option('--watch', 'redraw every second')
    .option('-a, --all', `show every job (default: what fits the terminal, else ${JOBS_MAX})`)
    .option('--json', 'print the Status document (with NAME: that job of it)')
    .option('--names', 'print only the names of the jobs, one a line')
    .addHelpText(
      'after',
      `
HUB and PIPE show the reports of a run to Migration Hub and Data Pipeline. 12s/4m48s: the last
report was accepted 12s ago, the next one is due within 4m48s; pending 19s: the run ended 19s
ago, its final report is not delivered yet; delivered 2m: it was accepted 2m ago.`,
    )
    .action(
      action(terminal, async (name: string | undefined, options: StatusOptions) => {
        const client = clientOf(options, terminal);
        if (options.watch) return watch(client, name, options, terminal);
        await write(terminal.stdout, `${await picture(client, name, options, terminal)}\n`);
        return EXIT.ok;
      }),
    );
}

/** Until Ctrl-C, or until the job does not exist. */
async function watch(
  client: Client,
  name: string | undefined,
  options: StatusOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const redraw = createRedraw(terminal.stdout);
  while (terminal.interrupted?.aborted !== true) {
    const beginMs = performance.now();
    let text: string;
    try {
      text = await picture(client, name, options, terminal);
    } catch (error) {
      if (!(error instanceof NoDaemon)) throw error;
      text = `${error.message}\ntrying again`;
    }
    const tookMs = performance.now() - beginMs;
    if (options.json) await write(terminal.stdout, `${text}\n`);
    else if (terminal.stdout.isTTY === true) await write(terminal.stdout, redraw(text));
    else await write(terminal.stdout, `${text}\n\n`);
    await sleep(Math.max(REDRAW_MS, PAUSE_TIMES * tookMs));
  }
  return EXIT.ok;
}

async function picture(
  client: Client,
  name: string | undefined,
  options: StatusOptions,
  terminal: Terminal,
): Promise<string> {
  if (name !== undefined) return jobPicture(client, name, options, terminal);
  if (options.names) {
    // A name with a line break or a control character in it cannot be one line of text.
    const names = await namesOf(client, options);
    return names.filter((each) => plain(each) === each).join('\n');
  }
  const status = selected(await client.get<Status>('/v1/status'), options);
  if (options.json) return jsonText(status);
  const jobsMax = options.all || terminal.stdout.isTTY === true ? undefined : JOBS_MAX;
  return renderStatus(status, {
    ...viewFor(options, terminal, status.agent.now),
    ...defined({ jobsMax }),
  });
}

/** A shell asks for them at each TAB: without a filter the jobs themselves are not fetched. */
async function namesOf(client: Client, options: StatusOptions): Promise<readonly string[]> {
  if (options.state === undefined) {
    return (await client.get<{ names: readonly string[] }>('/v1/names')).names;
  }
  const { jobs } = selected(await client.get<Status>('/v1/status'), options);
  return jobs.map(({ name }) => name);
}

async function jobPicture(
  client: Client,
  name: string,
  options: StatusOptions,
  terminal: Terminal,
): Promise<string> {
  const status = await client.get<StatusOfJob>(`/v1/status?job=${encodeURIComponent(name)}`);
  if (options.json) return jsonText(status);
  if (options.names) return status.jobs.map((job) => job.name).join('\n');
  const [job] = status.jobs;
  const { events } = await client.get<{ events: TimelineEntryDocument[] }>(
    jobPath(name, `/events?limit=${TIMELINE_ENTRIES}`),
  );
  const output = await outputOf(client, job);
  const view = viewFor(options, terminal, status.agent.now);
  return renderJob({ job, timeline: events, ...defined({ output }) }, view);
}

interface StatusOfJob extends Status {
  readonly jobs: readonly [JobDetail];
}

/** Absent if it cannot be read: the disk that it is on may be what failed. */
async function outputOf(client: Client, job: JobDetail): Promise<OutputTail | undefined> {
  if (job.logs === undefined) return undefined;
  try {
    return await client.get<OutputTail>(jobPath(job.name, '/output'));
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function viewFor(options: StatusOptions, terminal: Terminal, at: string): View {
  const isWhole = options.all === true && options.watch !== true;
  return {
    ...(isWhole ? viewOf : fittingViewOf)(terminal, at),
    ...(options.watch && { isMoving: true as const }),
  };
}

function selected(status: Status, { state }: StatusOptions): Status {
  if (state === undefined) return status;
  const jobs = status.jobs.filter((job) => state.some((condition) => hasCondition(job, condition)));
  return { ...status, jobs };
}

function readConditions(text: string, earlier: readonly Condition[] = []): readonly Condition[] {
  const chosen = text.split(',').map((each) => {
    const condition = CONDITIONS.find((known) => known === each.trim());
    if (condition === undefined) {
      throw new InvalidArgumentError(`expected some of ${CONDITIONS.join(', ')}.`);
    }
    return condition;
  });
  return [...earlier, ...chosen];
}
