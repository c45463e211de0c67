/** Signalling a run's tree and proving it empty, by an independent look at /proc. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Run } from '../../../src/core/model/job.ts';
import { RunCgroup } from '../../../src/jobs/process/cgroups.ts';
import { ProcessTree } from '../../../src/jobs/process/process-tree.ts';
import {
  bootId,
  fixtures,
  kill,
  makeRun,
  processesWith,
  sh,
  startTicksOf,
  until,
  withHosts,
  killUntilGone,
} from '../support.ts';
import type { Host } from '../support.ts';

const stubborn = join(fixtures, 'stubborn-tree.sh');

async function startStubborn(host: Host): Promise<Run> {
  const run = makeRun(['/bin/sh', stubborn, host.directory]);
  host.host.start(run);
  run.process = (await host.event('run-started')).process;
  await until(
    async () => (await host.read(run, 'stdout.log')) === 'ready\n',
    () => 'the tree',
  );
  return run;
}

/** As the escalation does: SIGKILL and a look, until nothing is left. A busy host may need more than one round. */
describe('SIGKILL', () => {
  test('leaves nobody of a tree that ignores SIGTERM, has sessions of its own and goes on spawning', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = await startStubborn(host);
      expect(processesWith(host.directory).length).toBeGreaterThan(7);
      await killUntilGone(host, run);
      expect(processesWith(host.directory)).toEqual([]);
      expect((await host.event('tree-signalled')).processes).toBeGreaterThan(7);
      expect(host.types().indexOf('tree-signalled')).toBeLessThan(
        host.types().indexOf('tree-checked'),
      );
    }));

  test('spares the shim until it has written how the command ended', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('echo ready; setsid sleep 600 & sleep 600'));
      host.host.start(run);
      run.process = (await host.event('run-started')).process;
      await until(
        async () => (await host.read(run, 'stdout.log')) === 'ready\n',
        () => 'the command',
      );
      host.host.signalTree(run, 'SIGKILL');
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 137, signal: 'SIGKILL' });
    }));

  test('catches a process that hops from session to session', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(['/bin/sh', join(fixtures, 'hopping.sh')]);
      host.host.start(run);
      run.process = (await host.event('run-started')).process;
      await host.event('run-exited');
      await killUntilGone(host, run);
      expect(processesWith(host.directory)).toEqual([]);
    }));

  test('reaches what is left after the run has ended, also from a later agent', () =>
    withHosts(async (newHost) => {
      const first = newHost();
      const run = makeRun(sh('setsid sh -c "sleep 600 & exec sleep 600" & sleep 0.1; exit 3'));
      first.host.start(run);
      run.process = (await first.event('run-started')).process;
      await first.event('run-exited');
      const second = newHost();
      second.host.checkTree(run);
      const { survivors } = await second.event('tree-checked');
      expect(survivors).toEqual(processesWith(first.directory));
      expect(survivors).toHaveLength(2);
      await killUntilGone(second, run);
      expect(processesWith(first.directory)).toEqual([]);
    }));

  test('leaves a run of the same job with another number alone', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const [one, other] = [makeRun(sh('sleep 600')), makeRun(sh('sleep 600'))];
      host.host.start(one);
      host.host.start(other);
      await until(
        () => host.all('run-started').length === 2,
        () => 'both runs',
      );
      one.process = host.all('run-started').find(({ run }) => run === one.id)!.process;
      await killUntilGone(host, one);
      const left = processesWith(host.directory);
      expect(left.length).toBeGreaterThan(0);
      host.host.checkTree(other);
      const looks = () => host.all('tree-checked').filter((event) => event.run === other.id);
      await until(
        () => looks().length === 1,
        () => 'the check of the other',
      );
      expect(looks()[0]?.survivors).toEqual(left);
    }));
});

test('what the shim starts to record an end is spared as the shim is', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'recorders-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const record = join(directory, 'exit');
  // The first child is the command. A recorder that is killed writes nothing.
  const shim = spawn('sh', ['-c', `sleep 600; sleep 0.2 && echo $? >${record}`], {
    stdio: 'ignore',
  });
  const ended = once(shim, 'exit');
  await until(
    () => readFileSync(`/proc/${shim.pid}/task/${shim.pid}/children`, 'utf8') !== '',
    () => 'the command',
  );
  const { pid = 0 } = shim;
  const identity = { pid, bootId, startTicks: startTicksOf(pid) };
  const tree = new ProcessTree({ shim: identity, mark: ['A=b'], users: [], bootId });
  await tree.kill();
  await ended;
  expect(readFileSync(record, 'utf8')).toBe('0\n');
});

test('a process that survives SIGKILL is not looked for without a pause: a look reads all of /proc', async () => {
  const sleeper = spawn('sleep', ['600'], { stdio: 'ignore' });
  await once(sleeper, 'spawn');
  // As if it slept in the kernel: the signal is sent and nothing follows.
  const sent = vi.spyOn(process, 'kill').mockImplementation(() => true);
  let looks = 0;
  class Populated extends RunCgroup {
    override isEmpty = (): boolean => false;
    override kill = (): boolean => false;
    override members = (): number[] => {
      looks += 1;
      return [sleeper.pid!];
    };
  }
  try {
    const cgroup = new Populated('/none');
    expect(await new ProcessTree({ mark: [], users: [], bootId, cgroup }).kill()).toBe(1);
  } finally {
    sent.mockRestore();
    sleeper.kill('SIGKILL');
  }
  // 5 + 10 + 20 + … ms: some 15 looks in two seconds, not 400.
  expect(looks).toBeLessThan(25);
  expect(looks).toBeGreaterThan(3);
});

describe('a signal that can be caught', () => {
  test('reaches the whole tree; the exit code is kept', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(
        sh(
          `trap 'echo asked; kill $!; exit 9' TERM; setsid sleep 600 & sleep 600 & echo ready; wait`,
        ),
      );
      host.host.start(run);
      run.process = (await host.event('run-started')).process;
      await until(
        async () => (await host.read(run, 'stdout.log')) === 'ready\n',
        () => 'the run',
      );
      // A shell that has forked, and is no sleep yet, loses a signal.
      await until(
        () => processesWith(host.directory).filter(isSleep).length === 2,
        () => 'both sleeps',
      );
      host.host.signalTree(run, 'SIGTERM');
      expect(await host.event('tree-signalled')).toMatchObject({ signal: 'SIGTERM', processes: 4 });
      await host.event('tree-checked');
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 9 });
      expect(await host.read(run, 'stdout.log')).toBe('ready\nasked\n');
      await until(
        () => processesWith(host.directory).length === 0,
        () => 'an empty tree',
      );
    }));

  test('finds the survivors and tells them', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = await startStubborn(host);
      host.host.signalTree(run, 'SIGTERM');
      const { survivors } = await host.event('tree-checked');
      expect(survivors).toEqual(expect.arrayContaining([run.process!.pid]));
      expect(survivors.length).toBeGreaterThan(7);
    }));

  test('wakes a stopped process, which could not act on it', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('kill -STOP $$'));
      host.host.start(run);
      run.process = (await host.event('run-started')).process;
      const stopped = (): boolean => processesWith(host.directory).some((pid) => isStopped(pid));
      await until(stopped, () => 'a stopped process');
      host.host.signalTree(run, 'SIGTERM');
      expect(await host.event('run-exited')).toMatchObject({ signal: 'SIGTERM' });
    }));

  test('given right after the start never leaves a command running', () =>
    withHosts(async (newHost) => {
      for (let round = 0; round < 15; round += 1) {
        const host = newHost();
        const run = makeRun(sh('sleep 600'));
        host.host.start(run);
        await killUntilGone(host, run);
        expect(processesWith(host.directory)).toEqual([]);
      }
    }));
});

describe('a stranger', () => {
  test('that was given the pid of the shim is not signalled', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const stranger = spawn('sleep', ['600'], {
        detached: true,
        stdio: 'ignore',
        env: { ...process.env, TEST: host.directory },
      });
      const pid = stranger.pid!;
      const startTicks = String(Number(startTicksOf(pid)) - 1);
      const run = makeRun(sh('true'), {}, { process: { pid, bootId, startTicks } });
      for (const signal of ['SIGTERM', 'SIGKILL']) {
        host.host.signalTree(run, signal);
        await until(
          () => host.all('tree-checked').length > 0,
          () => 'a check',
        );
        expect(host.events.splice(0)).toEqual([
          { type: 'tree-signalled', run: run.id, signal, processes: 0 },
          { type: 'tree-checked', run: run.id, survivors: [] },
        ]);
      }
      expect(startTicksOf(pid)).toBe(String(Number(startTicks) + 1));
      kill(pid);
      expect(await once(stranger, 'exit')).toEqual([null, 'SIGKILL']);
    }));

  test('of another boot is not signalled', () =>
    withHosts(async (newHost) => {
      const host = newHost('another-boot');
      const run = makeRun(sh('sleep 600'));
      const earlier = newHost();
      earlier.host.start(run);
      run.process = (await earlier.event('run-started')).process;
      host.host.signalTree(run, 'SIGKILL');
      expect(await host.event('tree-signalled')).toMatchObject({ processes: 0 });
      expect(processesWith(host.directory)).toContain(run.process.pid);
    }));
});

function isSleep(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep\0');
  } catch {
    return false;
  }
}

function isStopped(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') T ');
  } catch {
    return false;
  }
}

describe('SIGKILL by the control group', () => {
  /** A group that remembers when it was killed. */
  class Group extends RunCgroup {
    kills = 0;
    override members(): number[] {
      return [];
    }
    override kill(): boolean {
      this.kills += 1;
      return true;
    }
  }

  const treeOf = (cgroup: RunCgroup): ProcessTree =>
    new ProcessTree({ mark: ['MIGRATION_RUN=none-of-this-host'], users: [], bootId, cgroup });

  afterEach(() => {
    vi.useRealTimers();
  });

  test('comes by the clock, however long a look at all processes takes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const group = new Group('/nowhere');
    const tree = treeOf(group);
    const killed = tree.kill();
    // The first look is under way: none of its answers has been taken yet.
    vi.advanceTimersByTime(1499);
    expect(group.kills).toBe(0);
    vi.advanceTimersByTime(1);
    expect(group.kills).toBe(1);
    await killed;
  });

  test('does not come when all were gone before', async () => {
    // The clock stands still: a look at all processes takes long on a busy host.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const group = new Group('/nowhere');
    await treeOf(group).kill();
    vi.advanceTimersByTime(10_000);
    expect(group.kills).toBe(0);
  });
});
