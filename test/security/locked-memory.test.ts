/**
 * A job keeps the memory of one of its processes locked, by a file system that does not answer: the kernel lets nobody read
 * /proc/PID/environ then, by which the agent tells the processes of a run. Other jobs of the same user are canceled all the
 * same, and the agent goes on.
 *
 * While such a process exists, every `ps` of the host waits: the mount lets go after 15 seconds at the latest.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HangingMount, LOCKING, whyNoHangingMount } from '../support/hanging-mount.ts';
import { makeRun, sh, until, withHosts } from '../jobs/support.ts';
import type { Host } from '../jobs/support.ts';
import type { Run } from '../../src/core/model/job.ts';

const NOBODY = 65_534;
const USER = process.getuid?.() === 0 ? { user: 'nobody' } : {};

async function survivorsAfterCancel(host: Host, run: Run): Promise<readonly number[]> {
  host.host.signalTree(run, 'SIGKILL');
  const checked = () => host.all('tree-checked').filter((event) => event.run === run.id);
  await until(
    () => checked().length > 0,
    () => `the end of ${run.id}`,
  );
  return checked()[0]!.survivors;
}

test.skipIf(whyNoHangingMount !== '')(
  `a process that never shows its environment does not keep a cancel waiting${whyNoHangingMount === '' ? '' : ` (skipped: ${whyNoHangingMount})`}`,
  () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const directory = join(host.directory, 'locking');
      mkdirSync(directory);
      chmodSync(host.directory, 0o755);
      const victim = makeRun(sh('sleep 600'), USER);
      host.host.start(victim);
      await host.event('run-started');
      const mount = await HangingMount.at(directory, LOCKING);
      // Of no run that the agent knows, and newer than the run: nothing but its environment could show that it is a stranger.
      const arguments_ = ['-e', readFileSync(LOCKING, 'utf8'), '--', '--lock', directory];
      const stranger = spawn('perl', arguments_, {
        uid: NOBODY,
        gid: NOBODY,
        cwd: '/',
        env: { OF: 'a stranger' },
      });
      const ended = once(stranger, 'exit');
      try {
        await mount.says('locked');
        host.host.signalTree(victim, 'SIGKILL');
        const checked = await host.event('tree-checked');
        expect(checked.survivors).toContain(stranger.pid);
        expect(checked.reason).toContain('does not show its environment');
        // It was not signalled: it was not seen to be of the run.
        expect(stranger.exitCode ?? stranger.signalCode).toBe(null);
      } finally {
        await mount.release();
        stranger.kill('SIGKILL');
        await ended;
      }
      // Once it is gone, the tree is seen empty.
      host.host.checkTree(victim);
      await until(
        () => host.all('tree-checked').at(-1)?.survivors.length === 0,
        () => 'an empty tree',
      );
    }),
);

test.skipIf(whyNoHangingMount !== '')(
  `memory that is locked for ever keeps no other job from its cancel ${whyNoHangingMount === '' ? '' : `(skipped: ${whyNoHangingMount})`}`,
  () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const directory = join(host.directory, 'locking');
      mkdirSync(directory);
      chmodSync(host.directory, 0o755);
      const victim = makeRun(sh('sleep 600 & setsid sleep 600 & wait'), USER);
      host.host.start(victim);
      await until(
        () => host.all('run-started').length === 1,
        () => 'the first job',
      );
      const mount = await HangingMount.at(directory, LOCKING);
      try {
        // Newer than the first, and so a process that could be of its tree.
        const attacker = makeRun(
          ['perl', '-e', readFileSync(LOCKING, 'utf8'), '--', '--lock', directory],
          USER,
        );
        host.host.start(attacker);
        await mount.says('locked');
        const asked = performance.now();
        expect(await survivorsAfterCancel(host, victim)).toEqual([]);
        expect(performance.now() - asked).toBeLessThan(6000);
        // Its own cannot be ended, and is not called ended.
        expect(await survivorsAfterCancel(host, attacker)).not.toEqual([]);
        expect(performance.now() - asked).toBeLessThan(12_000);
      } finally {
        await mount.release();
      }
    }),
);
