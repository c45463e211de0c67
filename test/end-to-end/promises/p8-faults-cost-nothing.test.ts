/** P8: faults around the agent cost nothing. A disk that is really full (a small tmpfs; root is needed). */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { JobStatus } from '../../../src/core/model/status.ts';
import { createSite } from '../../support/daemon.ts';
import type { Site } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';
import { IS_LONG } from '../../support/long-run.ts';

const CONFIGURATION = `
migrationHub: { progressUpdateStream: test }
jobs:
  copy: { command: [sh, -c, 'while [ ! -e DIRECTORY/go ]; do sleep 0.2; done'] }
`;

/** Whether this process may mount anything at all. */
function mayMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Until not one byte more fits. */
function fill(file: string): void {
  const descriptor = openSync(file, 'a');
  for (const size of [65_536, 4096, 1]) {
    try {
      for (;;) writeSync(descriptor, Buffer.alloc(size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  closeSync(descriptor);
}

const isRunning = (job: JobStatus): boolean => job.state === 'running';

/** A site whose state directory is a small file system of its own. */
async function smallDisk(text: string): Promise<{ site: Site; state: string }> {
  const site = await createSite(text);
  const state = join(site.directory, 'state');
  mkdirSync(state);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=700', 'tmpfs', state]);
  onTestFinished(async () => {
    await site.close().catch(() => undefined);
    execFileSync('umount', ['-l', state]);
    rmSync(site.directory, { recursive: true, force: true });
  });
  return { site, state };
}

test.skipIf(!mayMount())(
  'P8 an agent starts on a full disk, after a crash and after a stop, and has its jobs again (needs root, who may mount)',
  async () => {
    const { site, state } = await smallDisk(CONFIGURATION);
    const others = join(state, 'others');
    const first = await site.start();
    await site.client.post('/v1/jobs/copy/start', {});
    await site.untilJob('copy', isRunning);
    fill(others);
    await first.end('SIGKILL');
    const second = await site.start();
    expect(await site.untilJob('copy', isRunning)).toMatchObject({ run: 1 });
    await until('the store refuses', async () => (await site.status()).agent.problems.length > 0);
    await second.end('SIGKILL');

    rmSync(others);
    const third = await site.start();
    await third.end('SIGTERM');
    // A store that was closed well has no log beside it, and there is no room for one.
    fill(others);
    await site.start();
    expect(await site.untilJob('copy', isRunning)).toMatchObject({ run: 1 });
    rmSync(others);
    writeFileSync(join(site.directory, 'go'), '');
  },
);

const DAMAGES: Record<string, (file: string) => void> = {
  'whose rows are zeros': (file) => {
    const descriptor = openSync(file, 'r+');
    writeSync(descriptor, Buffer.alloc(statSync(file).size - 4096), 0, undefined, 4096);
    closeSync(descriptor);
  },
  'that is empty': (file) => truncateSync(file, 0),
};

test.skipIf(!mayMount()).each(Object.entries(DAMAGES).slice(0, IS_LONG ? undefined : 1))(
  'P8 an agent starts on a full disk with a store %s: jobs go on, it is shown, and their ends arrive (needs root, who may mount)',
  async (_what, damage) => {
    const { site, state } = await smallDisk(CONFIGURATION);
    const others = join(state, 'others');
    const first = await site.start();
    await site.client.post('/v1/jobs/copy/start', {});
    await site.untilJob('copy', isRunning);
    // Closed well: all is in the file.
    await first.end('SIGTERM');
    damage(join(state, 'state.db'));
    fill(others);

    const second = await site.start();
    expect(await site.untilJob('copy', isRunning)).toMatchObject({ run: 1 });
    await expect(site.client.post('/v1/jobs/copy/start', {})).rejects.toThrow('is running already');
    const { problems } = (await site.status()).agent;
    expect(problems.join('\n')).toMatch(/it is kept as .*state\.db/);
    expect(problems.join('\n')).toMatch(/runs .* were missing in it, and are adopted \(copy\/1\)/);
    // Killed while it can write nothing, and the next one starts there again.
    await second.end('SIGKILL');
    await site.start();
    expect(await site.untilJob('copy', isRunning)).toMatchObject({ run: 1 });

    rmSync(others);
    writeFileSync(join(site.directory, 'go'), '');
    await site.untilJob('copy', (job) => job.state === 'succeeded');
    await until('the Hub has its end', () => {
      const { tasks } = site.simulator.audit().migrationHub;
      return tasks.find(({ task }) => task === 'copy')?.status === 'COMPLETED';
    });
    expect(site.simulator.audit().violations).toEqual([]);
  },
);
