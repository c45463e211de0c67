/** Cancels what still runs and waits for it: an agent that stops leaves its jobs running. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal } from '../../core/model/job.ts';
import type { JobStatus, Status } from '../../core/model/status.ts';
import { jobPath } from './client.ts';
import type { Client } from './client.ts';

const ASK_AGAIN_MS = 50;

/** Gives up after `limitMs`: an agent that is stuck must not keep its caller from ending. */
export async function endJobs(client: Client, by: string, limitMs: number): Promise<void> {
  const until = performance.now() + limitMs;
  for (const { name } of await liveJobs(client)) {
    await client.post(jobPath(name, '/cancel'), { by, grace: '1s' });
  }
  while ((await liveJobs(client)).length > 0 && performance.now() < until) {
    await sleep(ASK_AGAIN_MS);
  }
}

async function liveJobs(client: Client): Promise<JobStatus[]> {
  const { jobs } = await client.get<Status>('/v1/status');
  return jobs.filter(({ state }) => state !== 'idle' && !isFinal(state));
}
