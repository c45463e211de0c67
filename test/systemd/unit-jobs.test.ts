/**
 * agent.backend: unit — jobs as transient services of a real systemd. From outside this file boots a box and runs itself
 * in it; in there (INSIDE_BOX) are the tests.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  Host,
  kill,
  killUntilGone,
  makeRun,
  processesWith,
  sh,
  until,
  withHosts,
} from '../jobs/support.ts';
import { SystemdBox, whyNoBox } from '../support/systemd-box.ts';

const INSIDE = process.env['INSIDE_BOX'] !== undefined;
const PROJECT = join(import.meta.dirname, '../..');
const skipped = whyNoBox === '' ? '' : ` (skipped: ${whyNoBox})`;

describe.skipIf(INSIDE || whyNoBox !== '')(`under a real systemd${skipped}`, () => {
  test('jobs as units: all tests of this file, in the box', async () => {
    // The box has a /tmp of its own: a checkout below the host's must be shown to it.
    const box = await SystemdBox.start({ [PROJECT]: PROJECT });
    try {
      const vitest = join(PROJECT, 'node_modules/vitest/vitest.mjs');
      const message = [process.execPath, vitest, 'run', '--root', PROJECT, import.meta.filename];
      const { code, stdout, stderr } = await box.run(
        'env',
        'INSIDE_BOX=1',
        'NO_COLOR=1',
        ...message,
      );
      expect(code, `${stdout}${stderr}`).toBe(0);
      expect(stdout).toMatch(/Tests\s+[1-9]\d* passed/);
    } finally {
      await box.stop();
    }
  }, 180_000);
});

async function systemctl(...message: string[]): Promise<string> {
  // A systemd that hangs must not hide which request it was.
  const { stdout } = await promisify(execFile)('systemctl', message, { timeout: 30_000 });
  return stdout.trim();
}

/** The units of jobs that systemd knows. */
async function units(): Promise<string[]> {
  const list = await systemctl('list-units', '--all', '--plain', '--no-legend', 'migration-job-*');
  return list
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((unit) => unit !== '');
}

/** How the run ended, or why it did not start. */
async function ended(host: Host): Promise<unknown> {
  const ends = () =>
    host.events.find(({ type }) => /^run-(?:exited|start-failed|lost)$/.test(type));
  await until(
    () => ends() !== undefined,
    () => `the end in ${JSON.stringify(host.events)}`,
  );
  return ends();
}

function unitHost(newHost: (boot?: string, base?: string, backend?: 'unit') => Host): Host {
  return newHost(undefined, undefined, 'unit');
}

describe.skipIf(!INSIDE)('a job as a unit (needs the box)', () => {
  test('gets its arguments, its environment and its directory unchanged, and nothing of systemd', () =>
    withHosts(async (newHost, directory) => {
      const host = unitHost(newHost);
      const message = [
        '$HOME',
        '${HOME}',
        '$$',
        '%n %%',
        '`id`',
        'a  b',
        '',
        '"\'\\',
        'two\nlines',
        'ü€',
      ];
      const print = `console.log(JSON.stringify({ message: process.argv.slice(1), env: process.env, cwd: process.cwd() }));
        console.error(require('fs').readFileSync('/proc/self/oom_score_adj', 'utf8').trim());`;
      const environment = { PASSWORD: 'hun"ter\\2 $x `y`\nz', LOGNAME: 'kept' };
      const run = makeRun([process.execPath, '-e', print, '--', ...message], {
        environment,
        workingDirectory: directory,
        name: 'copy files %i',
      });
      host.host.start(run);
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 0, errorTail: '500' });
      const output = JSON.parse(await host.read(run, 'stdout.log')) as {
        message: string[];
        env: Record<string, string>;
        cwd: string;
      };
      expect(output.message).toEqual(message);
      expect(output.cwd).toBe(directory);
      expect(output.env).toMatchObject({ ...environment, MIGRATION_JOB: 'copy files %i' });
      const known =
        'PATH HOME USER LANG TZ PWD SHLVL _ PASSWORD LOGNAME MIGRATION_JOB MIGRATION_RUN MIGRATION_AGENT_SOCKET';
      expect(Object.keys(output.env).filter((name) => !known.split(' ').includes(name))).toEqual(
        [],
      );
      expect(readdirSync(host.path(run, '')).filter((name) => name.startsWith('env'))).toEqual([]);
    }));

  test('runs from a state directory whose name systemd would take for something else', () =>
    withHosts(async (_newHost, directory) => {
      const odd = join(directory, 'a b %n $HOME "q" \\x41');
      await mkdir(odd);
      const host = new Host(odd, undefined, undefined, 'unit');
      try {
        const run = makeRun(sh('echo "$TEXT"; exit 6'), { environment: { TEXT: 'a %n $HOME' } });
        host.host.start(run);
        expect(await ended(host)).toMatchObject({ exitCode: 6 });
        expect(await host.read(run, 'stdout.log')).toBe('a %n $HOME\n');
      } finally {
        await host.host.close();
      }
    }));

  test('shows nobody its environment', () =>
    withHosts(async (newHost) => {
      const host = unitHost(newHost);
      const run = makeRun(sh('sleep 600'), { environment: { PASSWORD: 'hunter2' } });
      host.host.start(run);
      await host.event('run-started');
      const [unit = ''] = await units();
      const shown = await systemctl('show', unit);
      expect(shown).toContain('Slice=migration-jobs.slice');
      expect(shown).not.toContain('hunter2');
    }));

  test('that ended has the outcome of its exit record; its unit is gone, and looks like success', () =>
    withHosts(async (newHost, directory) => {
      for (const exitCode of [0, 7]) {
        const host = unitHost(newHost);
        const go = join(directory, `go-${exitCode}`);
        const run = makeRun(sh(`until [ -e ${go} ]; do sleep 0.05; done; exit ${exitCode}`));
        host.host.start(run);
        await host.event('run-started');
        const [unit = ''] = await units();
        expect(unit).toMatch(/^migration-job-copy_files-\d+\.1-[0-9a-f]{8}\.service$/);
        writeFileSync(go, '');
        expect(await host.event('run-exited')).toMatchObject({ exitCode });
        await until(
          async () => (await units()).length === 0,
          () => 'the unit to go',
        );
        const shown = await systemctl('show', '-p', 'LoadState,Result,ExecMainStatus', unit);
        expect(shown.split('\n').sort()).toEqual([
          'ExecMainStatus=0',
          'LoadState=not-found',
          'Result=success',
        ]);
      }
    }));

  test('whose unit vanished without a record is lost, never succeeded', () =>
    withHosts(async (newHost) => {
      const host = unitHost(newHost);
      const run = makeRun(sh('sleep 600'));
      host.host.start(run);
      run.process = (await host.event('run-started')).process;
      const [unit = ''] = await units();
      await systemctl('kill', '--signal=SIGKILL', unit);
      expect((await host.event('run-lost')).reason).toContain('left no exit record');
      const later = unitHost(newHost);
      later.host.adopt(run);
      expect((await later.event('run-lost')).reason).toContain('left no exit record');
    }));

  test('is adopted by the next agent, whatever its back end, and emptied through its control group', () =>
    withHosts(async (newHost) => {
      const first = unitHost(newHost);
      const run = makeRun([
        '/bin/sh',
        join(PROJECT, 'test/jobs/fixtures/stubborn-tree.sh'),
        first.directory,
      ]);
      first.host.start(run);
      run.process = (await first.event('run-started')).process;
      await until(
        async () => (await first.read(run, 'stdout.log')) === 'ready\n',
        () => 'the tree',
      );
      await first.host.close();
      const group = readFileSync(`/proc/${run.process.pid}/cgroup`, 'utf8').trim();
      expect(group).toMatch(
        /^0::\/migration\.slice\/migration-jobs\.slice\/migration-job-.*\.service$/m,
      );
      const second = newHost();
      second.host.adopt(run);
      await second.event('run-started');
      await killUntilGone(second, run);
      expect(processesWith(second.directory)).toEqual([]);
      await until(
        async () => (await units()).length === 0,
        () => 'the unit to go',
      );
    }));

  test('of which the store knows nothing is found by its record, holds its job, and is adopted with its exit code', () =>
    withHosts(async (newHost, directory) => {
      const first = unitHost(newHost);
      const go = join(directory, 'go');
      const wait = sh(`setsid sleep 600 & while [ ! -e "${go}" ]; do sleep 0.05; done; exit 7`);
      const run = makeRun(wait, { name: 'live' });
      first.host.start(run);
      await first.event('run-started');
      await first.host.close();

      // An agent without any record of it.
      const damaged = unitHost(newHost);
      const path = damaged.path(run, 'run.json');
      const record = readFileSync(path);
      writeFileSync(path, '{');
      expect(damaged.host.unrecorded?.(() => false)).toEqual([]);
      expect(damaged.host.problems?.()).toEqual([expect.stringContaining('may live')]);
      damaged.host.start(makeRun(sh('exit 0'), { name: 'live' }));
      expect((await damaged.event('run-start-failed')).reason).toContain('is still running');
      expect(await units()).toHaveLength(1);
      await damaged.host.close();

      writeFileSync(path, record);
      const next = unitHost(newHost);
      const found = next.host.unrecorded?.(() => false) ?? [];
      expect(found).toMatchObject([{ run: { id: run.id }, isOfThisBoot: true }]);
      next.host.adopt(found[0]!.run);
      await next.event('run-started');
      expect(await units()).toHaveLength(1);
      writeFileSync(go, '');
      expect(await next.event('run-exited')).toMatchObject({ run: run.id, exitCode: 7 });
      await until(
        async () => (await units()).length === 0,
        () => 'the unit to go',
      );

      // Its end was not reported: the next agent that knows nothing of it has it too, until nothing is pending.
      const last = unitHost(newHost);
      const ended = last.host.unrecorded?.(() => false) ?? [];
      last.host.adopt(ended[0]!.run);
      expect(await last.event('run-exited')).toMatchObject({ run: run.id, exitCode: 7 });
      last.host.settled?.(run);
      expect(unitHost(newHost).host.unrecorded?.(() => false)).toEqual([]);
    }));

  test('that ended while no agent ran has its exit code', () =>
    withHosts(async (newHost, directory) => {
      const first = unitHost(newHost);
      const go = join(directory, 'go');
      const run = makeRun(sh(`until [ -e ${go} ]; do sleep 0.05; done; exit 5`));
      first.host.start(run);
      run.process = (await first.event('run-started')).process;
      await first.host.close();
      writeFileSync(go, '');
      await until(
        () => processesWith(first.directory).length === 0,
        () => 'the end',
      );
      const second = unitHost(newHost);
      second.host.adopt(run);
      expect(await second.event('run-exited')).toMatchObject({ exitCode: 5 });
    }));

  test('is stopped: SIGTERM reaches its whole tree, and systemctl stop means the same', () =>
    withHosts(async (newHost) => {
      for (const stop of ['agent', 'systemctl']) {
        const host = unitHost(newHost);
        const run = makeRun(
          sh(
            `trap 'echo asked; exit 9' TERM; setsid sleep 600 & echo on; while :; do sleep 0.05; done`,
          ),
        );
        host.host.start(run);
        run.process = (await host.event('run-started')).process;
        await until(
          async () => (await host.read(run, 'stdout.log')) === 'on\n',
          () => 'the run',
        );
        if (stop === 'agent') host.host.signalTree(run, 'SIGTERM');
        else await systemctl('stop', (await units())[0]!);
        expect(await host.event('run-exited')).toMatchObject({ exitCode: 9 });
        await until(
          () => processesWith(host.directory).length === 0,
          () => 'an empty tree',
        );
      }
    }));

  test('runs as its user in a directory of the agent that the user may not enter', () =>
    withHosts(async (newHost) => {
      const host = unitHost(newHost);
      const run = makeRun(sh('id -un; id -G; exit 3'), { user: 'nobody' });
      host.host.start(run);
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 3 });
      expect(await host.read(run, 'stdout.log')).toMatch(/^nobody\n\d+\n$/);
    }));

  test('that systemd refuses is not started, with the reason; a start that was taken over never begins', () =>
    withHosts(async (newHost) => {
      const host = unitHost(newHost);
      host.host.start(makeRun(sh('echo ran'), { environment: { A: 'a\u0001b' } }));
      expect((await host.event('run-start-failed')).reason).toContain(
        'the value of A has control characters',
      );
      const other = unitHost(newHost);
      const run = makeRun(sh('echo ran'));
      // The lock of an agent.
      await mkdir(other.path(run, '.shim/start-lock.1'), { recursive: true });
      other.host.adopt(run);
      await other.event('run-never-started');
    }));

  test('whose shim is killed leaves nothing behind', () =>
    withHosts(async (newHost) => {
      const host = unitHost(newHost);
      const run = makeRun(sh('setsid sleep 600 & sleep 600'));
      host.host.start(run);
      kill((await host.event('run-started')).process.pid);
      await host.event('run-lost');
      await until(
        () => processesWith(host.directory).length === 0,
        () => 'systemd to end what is left',
      );
    }));

  test('of another user: loader variables reach the job alone, and texts like directives stay values', () =>
    withHosts(async (newHost) => {
      const host = unitHost(newHost);
      const environment = {
        LD_PRELOAD: '/nonexistent/evil.so',
        PERL5OPT: '-Mevil',
        BASH_ENV: '/nonexistent/evil.sh',
        ENV: '/nonexistent/evil.sh',
        DIRECTIVE: 'x\n[Service]\nUser=root\nExecStartPre=/bin/false',
      };
      const run = makeRun(['/usr/bin/env', '-0'], { environment, user: 'nobody' });
      host.host.start(run);
      expect(await ended(host)).toMatchObject({ type: 'run-exited', exitCode: 0 });
      const variables = (await host.read(run, 'stdout.log')).split('\0');
      for (const [name, value] of Object.entries(environment)) {
        expect(variables).toContain(`${name}=${value}`);
      }
    }));
});
