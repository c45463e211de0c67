/**
 * P4 if it cannot be kept: the process of a job sleeps in the kernel, on a file system that does not answer, and
 * survives SIGKILL. The daemon and the commands are real; only the file server is simulated.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { run } from '../cli/terminal-in-memory.ts';
import { createSite, isDelivered, LAUNCHER } from '../support/daemon.ts';
import type { Site } from '../support/daemon.ts';
import { HangingMount, whyNoHangingMount } from '../support/hanging-mount.ts';
import { until } from '../support/until.ts';

let site: Site;
let mount: HangingMount | undefined;

afterEach(async () => {
  await mount?.release();
  await site.close();
});

/** Runs a command of the program. */
async function command(...message: string[]): Promise<{ code: number; output: string }> {
  const environment = { MIGRATION_AGENT_SOCKET: join(site.directory, 'agent.sock'), NO_COLOR: '1' };
  const child = spawn(LAUNCHER, message, { env: { ...process.env, ...environment } });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const code = await new Promise<number>((resolve) => child.once('close', resolve));
  return { code, output };
}

/** A field of /proc/PID/status. */
function statusField(name: 'Name' | 'State', pid: number): string | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1];
  } catch {
    return undefined;
  }
}

const skipped = whyNoHangingMount === '' ? '' : ` (skipped: ${whyNoHangingMount})`;

test.skipIf(skipped !== '')(
  `a process that outlives SIGKILL is reported with its pid, exit code 6, and the agent goes on${skipped}`,
  async () => {
    site = await createSite(`
migrationHub: { progressUpdateStream: test, createStream: true, nextUpdate: 60s }
jobs:
  stuck:
    command: [sh, -c, 'echo $$ > DIRECTORY/pid; exec stat DIRECTORY/dead/x']
    stop: { grace: 1s }
  other: { command: [sh, -c, 'exit 7'] }
`);
    const dead = join(site.directory, 'dead');
    mkdirSync(dead);
    mount = await HangingMount.at(dead);
    await site.start();
    await site.client.post('/v1/jobs/stuck/start');
    await site.untilJob('stuck', ({ state }) => state === 'running');
    await until('it reads the dead file system', () => statusField('Name', pidOf()) === 'stat');
    const pid = pidOf();

    const canceled = command('cancel', 'stuck');
    await until('it is killed', async () =>
      JSON.stringify(await site.client.get('/v1/jobs/stuck/events')).includes('SIGKILL'),
    );
    // While the process is stuck, another job starts, ends and is reported.
    await site.client.post('/v1/jobs/other/start');
    expect(await site.untilJob('other', isDelivered)).toMatchObject({
      state: 'failed',
      exitCode: 7,
    });
    expect(statusField('State', pid)).toBe('D');
    expect(await canceled).toMatchObject({
      code: 6,
      output: expect.stringContaining(`processes outlived SIGKILL: ${pid}`) as string,
    });
    expect(statusField('State', pid)).toBe('D');
    expect(await site.untilJob('stuck', isDelivered)).toMatchObject({
      state: 'canceled',
      cancelIncomplete: true,
      survivors: [pid],
    });
    const environment = { MIGRATION_AGENT_SOCKET: join(site.directory, 'agent.sock') };
    const shown = async (...message: string[]) => (await run(message, { environment })).stdout;
    expect((await run(['wait', 'stuck'], { environment })).code).toBe(1);
    expect(await shown('status')).toContain(`still alive: ${pid}`);
    expect(await shown('events', 'stuck')).toContain(`outlived SIGKILL: ${pid}`);
    expect(site.log()).toContainEqual(
      expect.objectContaining({ event: 'cancel.incomplete', survivors: [pid] }),
    );
    const task = site.simulator.audit().migrationHub.tasks.find((each) => each.task === 'stuck');
    expect(task).toMatchObject({
      status: 'FAILED',
      detail: expect.stringContaining('1 processes could not be ended') as string,
    });
    expect(site.simulator.audit().violations).toEqual([]);
    // The process ends only when the file server is released.
    await mount.release();
    await until('it is gone', () => statusField('State', pid) === undefined);
  },
);

function pidOf(): number {
  try {
    return Number(readFileSync(join(site.directory, 'pid'), 'utf8'));
  } catch {
    return 0;
  }
}
