/**
 * Waits for a run: asks for it whenever the agent reports an event of the job. Prints each change of state, and goes on
 * while the agent restarts, as its jobs do.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { isFinal } from '../../core/model/job.ts';
import type { JobStatus } from '../../core/model/status.ts';
import { jobPath, NoDaemon } from './client.ts';
import type { Client } from './client.ts';
import { JobChanges } from './job-changes.ts';
import { CommandFailure } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { plain } from '../terminal/printable.ts';
import { print } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** While the agent is away. */
const ASK_AGAIN_MS = 1_000;
/** Longer than an upgrade with its restart takes (TimeoutStopSec of the unit, and the start). */
const ABSENCE_MS_MAX = 120_000;

interface Waiting {
  readonly client: Client;
  readonly terminal: Terminal;
  readonly job: string;
  /** The run that is waited for; absent: the latest one. */
  readonly run?: number | undefined;
  readonly until: (job: JobStatus) => boolean;
}

/** The job when `until` first held. */
export async function waitForJob(waiting: Waiting): Promise<JobStatus> {
  const changes = new JobChanges(waiting.client, waiting.job);
  try {
    return await lookUntil(waiting, changes);
  } finally {
    changes.close();
  }
}

async function lookUntil(waiting: Waiting, changes: JobChanges): Promise<JobStatus> {
  let run = waiting.run;
  let shown: string | undefined;
  for (;;) {
    const job = await askWithRetries(waiting, shown !== undefined);
    run ??= job.run;
    if (run !== undefined && job.run !== undefined && job.run > run) {
      const message = `${job.name}/${run} was followed by ${job.name}/${job.run}; how it ended: migration-agent events ${job.name}`;
      throw new CommandFailure(EXIT.unknown, message);
    }
    const name = job.run === undefined ? job.name : `${job.name}/${job.run}`;
    const message = stateText(job);
    if (message !== shown) print(waiting.terminal, `${name}: ${message}`);
    shown = message;
    if (waiting.until(job)) return job;
    await changes.next();
  }
}

/** With its reason, if there is one: `failed: exit code 23: …`; and why its end is not delivered yet, if that is known. */
function stateText(job: JobStatus): string {
  if (!hasEnded(job)) return job.state;
  const why = job.reason === undefined ? '' : `: ${plain(job.reason)}`;
  const undelivered = Object.entries(job.destinations)
    .filter(([, { delivery, reason }]) => delivery === 'pending' && reason !== undefined)
    .map(
      ([destination, { reason }]) =>
        `; not delivered to ${destination} yet: ${plain(reason ?? '')}`,
    );
  return `${job.state}${why}${undelivered.join('')}`;
}

/** The latest run has ended. */
export function hasEnded(job: JobStatus): boolean {
  return job.state !== 'idle' && isFinal(job.state);
}

/** No destination has a pending report. */
export function isSettled(job: JobStatus): boolean {
  const { migrationHub, dataPipeline } = job.destinations;
  return migrationHub?.delivery !== 'pending' && dataPipeline?.delivery !== 'pending';
}

/** `JOB/NUMBER` of a reply. */
export function runNumber(run: string | undefined): number | undefined {
  const number = Number(run?.split('/').at(-1));
  return Number.isInteger(number) && number > 0 ? number : undefined;
}

/** Only an agent that has answered once is waited for: a wrong socket is an error at once. */
async function askWithRetries(
  { client, terminal, job }: Waiting,
  wasThere: boolean,
): Promise<JobStatus> {
  const giveUpAt = performance.now() + ABSENCE_MS_MAX;
  let isPrinted = false;
  for (;;) {
    try {
      return await client.get<JobStatus>(jobPath(job));
    } catch (error) {
      if (!(error instanceof NoDaemon) || !wasThere || performance.now() > giveUpAt) throw error;
    }
    if (!isPrinted) print(terminal, 'the agent does not answer; waiting for it to come back');
    isPrinted = true;
    await sleep(ASK_AGAIN_MS);
  }
}
