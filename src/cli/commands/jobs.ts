/** `start`, `cancel` and `wait`: what is done to one job. */
import { userInfo } from 'node:os';

import { Option, type Command } from 'commander';

import { clientCommand, clientOf } from '../client/client-command.ts';
import type { SocketOption } from '../client/client-command.ts';
import { jobPath } from '../client/client.ts';
import { action } from '../command.ts';
import { readDuration } from '../option-values.ts';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { plain } from '../terminal/printable.ts';
import { processTerminal, print, printLine } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { hasEnded, isSettled, runNumber, waitForJob } from '../client/wait-for-run.ts';
import type { JobStatus } from '../../core/model/status.ts';
import { defined } from '../../core/lib/defined.ts';

interface Reply {
  readonly run?: string;
  readonly message: string;
}

export function startCommand(terminal: Terminal = processTerminal()): Command {
  return clientCommand(
    'start',
    {
      description: 'start a configured job',
      example: 'migration-agent start nightly-files --wait',
    },
    terminal,
  )
    .argument('<name>', 'a job of the configuration')
    .option('--wait', 'wait until it has ended, and exit with its result')
    .action(
      action(terminal, async (name: string, options: SocketOption & { wait?: true }) => {
        const client = clientOf(options, terminal);
        const reply = await client.post<Reply>(jobPath(name, '/start'));
        if (reply.run !== undefined) printLine(terminal, reply.run);
        print(terminal, reply.message);
        if (!options.wait) return EXIT.ok;
        const run = runNumber(reply.run);
        return exitCodeOf(await waitForJob({ client, terminal, job: name, run, until: hasEnded }));
      }),
    );
}

export function cancelCommand(terminal: Terminal = processTerminal()): Command {
  return clientCommand(
    'cancel',
    {
      description: 'stop a job: its whole process tree, and wait until it is gone',
      example: 'migration-agent cancel nightly-files --grace 2m',
    },
    terminal,
  )
    .argument('<name>', 'a job that runs')
    .option(
      '--grace <duration>',
      'time between the stop signal and SIGKILL, such as 30s or 1h30m',
      readDuration,
    )
    .option('--no-wait', 'return at once')
    .action(
      action(
        terminal,
        async (name: string, options: SocketOption & { grace?: string; wait: boolean }) => {
          const client = clientOf(options, terminal);
          const reply = await client.post<Reply>(jobPath(name, '/cancel'), {
            by: callerName(terminal.environment),
            ...defined({ grace: options.grace }),
          });
          print(terminal, reply.message);
          if (!options.wait) return EXIT.ok;
          const run = runNumber(reply.run);
          const job = await waitForJob({ client, terminal, job: name, run, until: hasEnded });
          return cancelResult(job, terminal);
        },
      ),
    );
}

export function waitCommand(terminal: Terminal = processTerminal()): Command {
  return clientCommand(
    'wait',
    {
      description: 'wait for a job, and exit with its result: 0 succeeded, 1 failed, 5 lost',
      example: 'migration-agent wait nightly-files --for delivered',
    },
    terminal,
  )
    .argument('<name>', 'a job')
    .addOption(
      new Option(
        '--for <what>',
        'finished: it has ended; delivered: and its final reports are delivered',
      )
        .choices(['finished', 'delivered'])
        .default('finished'),
    )
    .action(
      action(
        terminal,
        async (name: string, options: SocketOption & { for: 'finished' | 'delivered' }) => {
          const client = clientOf(options, terminal);
          const delivered = options.for === 'delivered';
          const job = await waitForJob({
            client,
            terminal,
            job: name,
            until: (each) =>
              each.state === 'idle' || (hasEnded(each) && (!delivered || isSettled(each))),
          });
          if (job.state === 'idle') print(terminal, `${plain(job.name)} has never run`);
          return delivered && wasRefused(job, terminal) ? EXIT.jobFailed : exitCodeOf(job);
        },
      ),
    );
}

function cancelResult(job: JobStatus, terminal: Terminal): ExitCode {
  if (job.cancelIncomplete === true) {
    const alive = job.survivors?.join(', ') ?? 'unknown';
    print(terminal, `processes outlived SIGKILL: ${alive}`);
    return EXIT.cancelIncomplete;
  }
  // It ended before the signal: nothing of it runs, which is what was asked for.
  return job.state === 'lost' ? EXIT.unknown : EXIT.ok;
}

/** The service will never have the end of this run: a caller that waits for that must know. */
function wasRefused(job: JobStatus, terminal: Terminal): boolean {
  const refused = Object.entries(job.destinations).filter(
    ([, delivery]) => delivery.delivery === 'refused',
  );
  for (const [destination, delivery] of refused) {
    print(
      terminal,
      `${destination} refused the report: ${plain(delivery.reason ?? 'no reason given')}`,
    );
  }
  return refused.length > 0;
}

/** The person at the terminal, even if sudo(8) made them root. */
function callerName(environment: NodeJS.ProcessEnv): string {
  let name: string;
  try {
    name = actingFor(environment) ?? userInfo().username;
  } catch {
    // A user id without an entry in the user database.
    name = String(process.getuid?.());
  }
  return name.replaceAll(/[^\w.@-]/g, '_').slice(0, 64);
}

function actingFor(environment: NodeJS.ProcessEnv): string | undefined {
  const user = environment['SUDO_USER'] ?? '';
  return process.getuid?.() === 0 && user !== '' ? user : undefined;
}
