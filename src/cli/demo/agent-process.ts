/** The demo's agent: a process of its own, as systemd would start it; its end takes its jobs along. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NoDaemon } from '../client/client.ts';
import type { Client } from '../client/client.ts';
import { endJobs } from '../client/end-jobs.ts';
import { CommandFailure } from '../command.ts';
import type { DemoWorld } from './files.ts';
import { EXIT } from '../exit-codes.ts';

const LAUNCHER = fileURLToPath(new URL('../../migration-agent', import.meta.url));
const ASK_AGAIN_MS = 50;
/** The demo's jobs end at the first signal; this is for a host that is busy. */
const JOBS_END_MS_MAX = 15_000;
const AGENT_END_MS_MAX = 3_000;
const LOG_LINES = 5;

export function startAgent(world: DemoWorld): ChildProcess {
  const output = openSync(world.log, 'a');
  return spawn(LAUNCHER, ['daemon', '--config', world.configuration], {
    stdio: ['ignore', output, output],
    // Ctrl-C is for the demo, which has jobs to end before the agent may go.
    detached: true,
    env: {
      ...process.env,
      AWS_ACCESS_KEY_ID: 'demo',
      AWS_SECRET_ACCESS_KEY: 'demo',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
}

export async function untilAnswering(
  client: Client,
  agent: ChildProcess,
  { log }: DemoWorld,
  interrupted: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await client.get('/v1/status');
      return;
    } catch (error) {
      if (!(error instanceof NoDaemon)) throw error;
      if (hasExited(agent)) {
        const lastLines = readFileSync(log, 'utf8')
          .trimEnd()
          .split('\n')
          .slice(-LOG_LINES)
          .join('\n');
        const message = `the agent of the demo ended with ${String(agent.exitCode ?? agent.signalCode)}:\n${lastLines}`;
        throw new CommandFailure(EXIT.jobFailed, message, { cause: error });
      }
    }
    await sleep(ASK_AGAIN_MS, undefined, { signal: interrupted });
  }
}

/** Ends what still runs: the jobs first, since an agent that stops leaves them running. */
export async function stopAgent(client: Client, agent: ChildProcess): Promise<void> {
  if (hasExited(agent)) return;
  const exited = once(agent, 'exit');
  try {
    await endJobs(client, 'demo', JOBS_END_MS_MAX);
  } catch (error) {
    // It did not begin, or is gone: nothing of it answers.
    if (!(error instanceof CommandFailure)) throw error;
  }
  agent.kill('SIGTERM');
  const late = setTimeout(() => agent.kill('SIGKILL'), AGENT_END_MS_MAX);
  if (!hasExited(agent)) await exited;
  clearTimeout(late);
}

function hasExited(agent: ChildProcess): boolean {
  return agent.exitCode !== null || agent.signalCode !== null;
}
