/**
 * Other users of the host imitate a run: they write its marks into the environment of their own processes, so that the agent
 * signals them, or so that a cancel never ends. Needs root, since the strangers are other users.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Run } from '../../src/core/model/job.ts';
import { whyNoCgroups, withCgroupBase } from '../jobs/process/cgroup-tree.ts';
import {
  bootId,
  kill,
  makeRun,
  processesWith,
  sh,
  startTicksOf,
  until,
  withHosts,
} from '../jobs/support.ts';
import type { Host } from '../jobs/support.ts';

const isRoot = process.getuid?.() === 0;
const skipped = isRoot ? '' : ' (skipped: needs root)';

/** Some user who is neither the agent's nor the job's. */
const STRANGER = 61_235;

async function imitate({ socketPath }: Host, run: Run, uid = STRANGER): Promise<ChildProcess> {
  const child = spawn('/bin/sleep', ['600'], {
    cwd: '/',
    uid,
    gid: uid,
    detached: true,
    stdio: 'ignore',
    env: {
      MIGRATION_JOB: run.job,
      MIGRATION_RUN: String(run.number),
      MIGRATION_AGENT_SOCKET: socketPath,
    },
  });
  await once(child, 'spawn');
  return child;
}

/** Also after an agent has signalled it, which is what must not happen. */
async function end(stranger: ChildProcess): Promise<void> {
  if (stranger.exitCode !== null || stranger.signalCode !== null) return;
  stranger.kill('SIGKILL');
  await once(stranger, 'exit');
}

async function cancel(host: Host, run: Run): Promise<void> {
  run.process = (await host.event('run-started')).process;
  host.host.signalTree(run, 'SIGTERM');
  host.host.signalTree(run, 'SIGKILL');
  await until(
    () => host.all('tree-checked').some(({ survivors }) => survivors.length === 0),
    () => `an empty tree in ${JSON.stringify(host.events)}`,
  );
}

describe.skipIf(!isRoot)(`a stranger with the marks of a run${skipped}`, () => {
  test('is not signalled, and does not keep its cancel from ending', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('sleep 600'), { user: 'nobody' });
      host.host.start(run);
      await host.event('run-started');
      const stranger = await imitate(host, run);
      try {
        await cancel(host, run);
        expect(stranger.exitCode ?? stranger.signalCode).toBe(null);
      } finally {
        await end(stranger);
      }
    }));

  test("does so neither as another process of the job's user, if the run has a control group", async (context) => {
    if (whyNoCgroups !== '') return context.skip(whyNoCgroups);
    return withCgroupBase((base) =>
      withHosts(async (newHost) => {
        const host = newHost(undefined, base);
        const run = makeRun(sh('sleep 600'), { user: 'nobody' });
        host.host.start(run);
        await host.event('run-started');
        run.process = host.all('run-started')[0]!.process;
        kill(run.process.pid);
        const { pids } = await host.event('run-orphaned');
        pids.forEach(kill);
        // SIGKILL takes effect a moment later, and one that was just becoming the job may have started another; until then they
        // are rightly counted.
        await until(
          () => {
            const left = processesWith(host.directory);
            left.forEach(kill);
            return left.length === 0;
          },
          () => `${pids.join(', ')} to be gone`,
        );
        const imitator = await imitate(host, run, 65_534);
        try {
          host.host.checkTree(run);
          expect((await host.event('tree-checked')).survivors).toEqual([]);
        } finally {
          await end(imitator);
        }
      }),
    );
  });

  test('is not taken for the shim that a forged record names', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('exit 3'));
      host.host.start(run);
      await host.event('run-exited');
      const stranger = await imitate(host, run);
      try {
        const pid = stranger.pid!;
        // As a job of the agent's own user could write it.
        writeFileSync(
          host.path(run, '.shim/started.1'),
          `${pid} ${bootId} ${startTicksOf(pid)} ${host.socketPath}\n`,
        );
        const next = newHost();
        next.host.signalTree(run, 'SIGKILL');
        expect(await next.event('tree-signalled')).toMatchObject({ processes: 0 });
        expect(stranger.exitCode ?? stranger.signalCode).toBe(null);
        expect(processesWith(host.socketPath)).toEqual([pid]);
      } finally {
        await end(stranger);
      }
    }));
});
