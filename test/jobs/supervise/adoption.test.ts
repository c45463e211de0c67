/** What the next agent finds: runs that went on, ended, never began, or are lost. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Event } from '../../../src/core/model/event.ts';
import type { Run } from '../../../src/core/model/job.ts';
import { shim } from '../../../src/jobs/supervise/shim-script.ts';
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
} from '../support.ts';
import type { Host, Place } from '../support.ts';

/** Lets another process start the run and kills it when the run has started. */
async function startAndDie({ directory, socketPath }: Place, run: Run): Promise<void> {
  const args = [join(fixtures, 'agent.ts'), directory, socketPath, bootId, JSON.stringify(run)];
  const agent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: agent.stdout })) {
    const event = JSON.parse(line) as Event;
    if (event.type !== 'run-started') continue;
    run.process = event.process;
    break;
  }
  agent.kill('SIGKILL');
  await once(agent, 'exit');
}

/** Starts the shim as an agent would that dies at once. */
function startShim(host: Host, run: Run): ReturnType<typeof spawn> {
  const args = ['-c', shim('exec "$@"\n'), 'migration-agent', String(run.spawn)];
  return spawn('/bin/sh', [...args, ...run.definition.command], {
    cwd: host.path(run, '.shim'),
    env: {
      PATH: process.env['PATH'],
      MIGRATION_JOB: run.job,
      MIGRATION_RUN: String(run.number),
      MIGRATION_AGENT_SOCKET: host.socketPath,
    },
    detached: true,
    stdio: 'ignore',
  });
}

describe.concurrent('a run of an agent that was killed', () => {
  test('goes on, is adopted, and its exit code is reported', () =>
    withHosts(async (newHost, directory) => {
      const host = newHost();
      const go = join(directory, 'go');
      const run = makeRun(
        sh(`until [ -e ${go} ]; do sleep 0.05; done; echo done; echo oh >&2; exit 42`),
      );
      await startAndDie(host.place, run);
      host.host.adopt(run);
      expect((await host.event('run-started')).process).toEqual(run.process);
      await writeFile(go, '');
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 42, errorTail: 'oh' });
      expect(await host.read(run, 'stdout.log')).toBe('done\n');
    }));

  test('that ended meanwhile is reported with its exit code', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('sleep 0.3; exit 17'));
      await startAndDie(host.place, run);
      await until(
        () => processesWith(host.directory).length === 0,
        () => 'the end of the run',
      );
      host.host.adopt(run);
      await host.event('run-exited');
      expect(host.events).toEqual([{ type: 'run-exited', run: run.id, exitCode: 17 }]);
    }));

  test('is adopted from its own record where the agent died before it knew the process', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('sleep 600'));
      await startAndDie(host.place, run);
      const { process: known, ...unknown } = run;
      host.host.adopt(unknown);
      expect((await host.event('run-started')).process).toEqual(known);
    }));

  test('is emptied by the next agent although its socket has moved', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('setsid sleep 600 & sleep 0.1; exit 1'));
      await startAndDie({ ...host.place, socketPath: join(host.directory, 'earlier.sock') }, run);
      await until(
        () => host.has(run, '.shim/exit.1'),
        () => 'the end of the run',
      );
      host.host.signalTree(run, 'SIGKILL');
      // The shim may still be busy with its record, and is then signalled too.
      const { processes } = await host.event('tree-signalled');
      expect(processes).toBeGreaterThanOrEqual(1);
      expect(processesWith(host.directory)).toEqual([]);
    }));

  test('tells its progress to the next agent', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('echo 41%; sleep 600'), { progress: { parser: 'percent' } });
      await startAndDie(host.place, run);
      host.host.adopt(run);
      expect(await host.event('progress-read')).toMatchObject({ percent: 41 });
    }));
});

describe.concurrent('the start lock', () => {
  test('that adoption takes keeps the run from ever starting', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('echo ran > ran'));
      host.host.adopt(run);
      await host.event('run-never-started');
      const [code] = (await once(startShim(host, run), 'exit')) as [number];
      expect(code).toBe(125);
      await expect(readFile(host.path(run, '.shim/exit.1'))).rejects.toThrow('ENOENT');
      expect(host.types()).toEqual(['run-never-started']);
    }));

  test('that an earlier agent took before it died is not taken for a shim', () =>
    withHosts(async (newHost) => {
      const first = newHost();
      const run = makeRun(sh('echo ran > ran'));
      first.host.adopt(run);
      await first.event('run-never-started');
      const second = newHost();
      second.host.adopt(run);
      expect(await second.event('run-never-started')).toMatchObject({ run: run.id });
    }));

  test('goes to exactly one of adoption and shim when they race', () =>
    withHosts(async (newHost, directory) => {
      const race = async (round: number): Promise<string> => {
        const host = newHost();
        const trace = join(directory, `ran-${round}`);
        const run = makeRun(sh(`echo ran >> ${trace}`));
        await mkdir(host.path(run, '.shim'), { recursive: true });
        // Each gets a head start of a few milliseconds in turn.
        const isShimFirst = round % 2 === 0;
        if (!isShimFirst) host.host.adopt(run);
        const ended = once(startShim(host, run), 'exit');
        if (isShimFirst) await sleep(round % 16);
        if (isShimFirst) host.host.adopt(run);
        await ended;
        const outcomes = ['run-exited', 'run-never-started'];
        await until(
          () => host.types().some((type) => outcomes.includes(type)),
          () => 'the outcome',
        );
        const hasRun = host.types().includes('run-exited');
        expect(await readFile(trace, 'utf8').catch(() => '')).toBe(hasRun ? 'ran\n' : '');
        return hasRun ? 'shim' : 'adoption';
      };
      const winners = new Set<string>();
      for (let batch = 0; batch < 3 || (winners.size < 2 && batch < 20); batch += 1) {
        const rounds = Array.from({ length: 8 }, (_, index) => race(8 * batch + index));
        for (const winner of await Promise.all(rounds)) winners.add(winner);
      }
      expect([...winners].sort()).toEqual(['adoption', 'shim']);
    }));

  test('without a started record is lost after a while', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('true'));
      await host.takeStartLockAsShim(run);
      host.host.adopt(run);
      expect((await host.event('run-lost')).reason).toContain('never recorded that it started');
    }));

  test('of an earlier attempt does not stand in the way of the next', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('exit 4'));
      host.host.adopt(run);
      await host.event('run-never-started');
      host.host.start({ ...run, spawn: 2 });
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 4 });
    }));
});

describe.concurrent('a run without an exit record', () => {
  test('is lost after a reboot, although the same pid lives', () =>
    withHosts(async (newHost) => {
      const run = makeRun(sh('sleep 600'));
      const earlier = newHost();
      earlier.host.start(run);
      run.process = (await earlier.event('run-started')).process;
      const host = newHost('another-boot');
      host.host.adopt(run);
      expect((await host.event('run-lost')).reason).toContain('restarted');
      expect(processesWith(host.directory)).toContain(run.process.pid);
    }));

  test('is lost where its pid was given to a stranger', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const startTicks = String(Number(startTicksOf(process.pid)) + 1);
      const run = makeRun(sh('true'), {}, { process: { pid: process.pid, bootId, startTicks } });
      await host.takeStartLockAsShim(run);
      host.host.adopt(run);
      expect((await host.event('run-lost')).reason).toContain('gone');
    }));

  test('is given a moment to get one: a shim may be gone right before it is to be seen', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const startTicks = String(Number(startTicksOf(process.pid)) + 1);
      const run = makeRun(sh('true'), {}, { process: { pid: process.pid, bootId, startTicks } });
      await host.takeStartLockAsShim(run);
      host.host.adopt(run);
      // Later than the first look, which is made before the loop turns, and earlier than the last one.
      await nextTurn();
      expect(host.events).toEqual([]);
      writeFileSync(host.path(run, '.shim/exit.1'), '5\n');
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 5 });
    }));

  test('whose shim is killed after the adoption lives on, and the next agent finds it so', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('sleep 600'));
      await startAndDie(host.place, run);
      host.host.adopt(run);
      await host.event('run-started');
      kill(run.process!.pid);
      const { pids, reason } = await host.event('run-orphaned');
      expect(reason).toContain('gone');
      expect(pids).toEqual(processesWith(host.directory));
      const next = newHost();
      next.host.adopt(run);
      expect((await next.event('run-orphaned')).pids).toEqual(pids);
      pids.forEach(kill);
      await until(
        () => processesWith(host.directory).length === 0,
        () => 'the end',
      );
      const last = newHost();
      last.host.adopt(run);
      await last.event('run-lost');
    }));

  test('does not get a stranger adopted that its record names without its mark', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('true'));
      const stranger = spawn('sleep', ['600'], {
        stdio: 'ignore',
        env: { ...process.env, TEST: host.directory },
      });
      await host.takeStartLockAsShim(run);
      const record = `${stranger.pid!} ${bootId} ${startTicksOf(stranger.pid!)} ${host.socketPath}\n`;
      await writeFile(host.path(run, '.shim/started.1'), record);
      host.host.adopt(run);
      await host.event('run-lost');
      host.host.signalTree(run, 'SIGKILL');
      expect(await host.event('tree-signalled')).toMatchObject({ processes: 0 });
      kill(stranger.pid!);
      await once(stranger, 'exit');
    }));
});

test('a closed host tells nothing more, and the run lives on', () =>
  withHosts(async (newHost, directory) => {
    const host = newHost();
    const go = join(directory, 'go');
    const run = makeRun(sh(`until [ -e ${go} ]; do sleep 0.05; done; exit 3`));
    host.host.start(run);
    await host.event('run-started');
    await host.host.close();
    await writeFile(go, '');
    await until(
      async () => (await host.read(run, '.shim/exit.1').catch(() => '')) === '3\n',
      () => 'the end',
    );
    expect(host.types()).toEqual(['run-started']);
  }));
