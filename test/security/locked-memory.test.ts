/**
 * A job keeps the memory of one of its processes locked, by a file system that does not answer: the kernel lets nobody read
 * /proc/PID/environ then, by which the agent tells the processes of a run. Other jobs of the same user are canceled all the
 * same, and the agent goes on.
 *
 * While such a process exists, every `ps` of the host waits: the test releases it, and the mount lets go after a minute at the latest.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HangingMount, LOCKING, whyNoHangingMount } from '../support/hanging-mount.ts';
import { makeRun, sh, until, withHosts } from '../jobs/support.ts';
import type { Host } from '../jobs/support.ts';
import type { Event } from '../../src/core/model/event.ts';
import type { Run } from '../../src/core/model/job.ts';

type Checked = Extract<Event, { type: 'tree-checked' }>;

const NOBODY = 65_534;
const USER = process.getuid?.() === 0 ? { user: 'nobody' } : {};

/** Kills once, and returns the look that follows. */
async function cancel(host: Host, run: Run): Promise<Checked> {
  const checks = (): readonly Checked[] =>
    host.all('tree-checked').filter((event) => event.run === run.id);
  const before = checks().length;
  host.host.signalTree(run, 'SIGKILL');
  await until(
    () => checks().length > before,
    () => `the end of ${run.id}`,
  );
  return checks().at(-1)!;
}

/** As the planner does while somebody is left: on a busy machine once is not enough. */
async function cancelUntil(
  host: Host,
  run: Run,
  isEnough: (survivors: readonly number[]) => boolean,
): Promise<Checked> {
  for (let cancels = 1; ; cancels += 1) {
    const checked = await cancel(host, run);
    if (isEnough(checked.survivors)) return checked;
    expect(cancels, `left: ${checked.survivors.join()}`).toBeLessThan(20);
  }
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
        const checked = await cancelUntil(host, victim, (left) => left.includes(stranger.pid!));
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
        await cancelUntil(host, victim, (left) => left.length === 0);
        // Its own cannot be ended, and is not called ended. So the memory was locked all the time.
        expect((await cancel(host, attacker)).survivors).not.toEqual([]);
      } finally {
        await mount.release();
      }
    }),
);
