/** P7: jobs outlive the agent, and the next one adopts them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isDelivered } from '../../support/daemon.ts';
import { HUB, openSite } from './promise-site.ts';

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'P7 a job goes on after %s of the agent; the next agent has its process and its exit code',
  async (signal) => {
    const site = await openSite(`${HUB}
jobs:
  copy: { command: [sh, -c, 'while [ ! -e DIRECTORY/go ]; do sleep 0.2; done; exit 7'] }
`);
    const first = await site.start();
    await site.client.post('/v1/jobs/copy/start', {});
    const { pid } = await site.untilJob('copy', ({ state }) => state === 'running');
    expect(pid).toBeGreaterThan(0);
    await first.end(signal);
    expect(site.jobProcesses().length).toBeGreaterThan(0);
    await site.start();
    expect(await site.untilJob('copy', ({ state }) => state === 'running')).toMatchObject({ pid });
    writeFileSync(join(site.directory, 'go'), '');
    const job = await site.untilJob('copy', isDelivered);
    expect(job).toMatchObject({ state: 'failed', exitCode: 7, run: 1 });
    expect(site.simulator.audit().violations).toEqual([]);
  },
);
