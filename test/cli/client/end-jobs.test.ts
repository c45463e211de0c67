/** What `dev` and `demo` do to their jobs at their end. */
import { expect, test } from 'vitest';
import type { Client } from '../../../src/cli/client/client.ts';
import { endJobs } from '../../../src/cli/client/end-jobs.ts';

/** Answers with the states of one look after the other; the last one stays. */
function agent(...looks: readonly Readonly<Record<string, string>>[]) {
  const posted: unknown[][] = [];
  let look = 0;
  const client = {
    get: () => {
      const states = looks[Math.min(look++, looks.length - 1)] ?? {};
      const jobs = Object.entries(states).map(([name, state]) => ({ name, state }));
      return Promise.resolve({ jobs });
    },
    post: (...given: unknown[]) => Promise.resolve(void posted.push(given)),
  } as unknown as Client;
  return { client, posted, looks: () => look };
}

test('cancels what is live, with a short grace, and waits until nothing is', async () => {
  const { client, posted, looks } = agent(
    {
      ...{ 'a b': 'running', idle: 'idle', done: 'succeeded', lost: 'lost' },
      ...{ queued: 'queued', canceling: 'canceling', fenced: 'fenced' },
    },
    { 'a b': 'canceling' },
    { 'a b': 'canceled' },
  );
  await endJobs(client, 'dev', 60_000);
  const body = { by: 'dev', grace: '1s' };
  expect(posted).toEqual([
    ['/v1/jobs/a%20b/cancel', body],
    ['/v1/jobs/queued/cancel', body],
    ['/v1/jobs/canceling/cancel', body],
  ]);
  expect(looks()).toBe(3);
});

test('gives up on an agent that is stuck', async () => {
  const { client, looks } = agent({ copy: 'running' });
  await endJobs(client, 'dev', 0);
  expect(looks()).toBe(2);
});
