/** Starting runs, their environment and their output, and how their ends are reported. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runLogPaths } from '../../src/jobs/files/run-directory.ts';
import {
  bootId,
  kill,
  makeRun,
  processesWith,
  sh,
  startTicksOf,
  until,
  withHosts,
  killUntilGone,
} from './support.ts';

const isRoot = process.getuid?.() === 0;

/** A user who is in more groups than the main one (postgres is, where it is installed). */
const member = readFileSync('/etc/passwd', 'utf8')
  .split('\n')
  .map((line) => line.split(':')[0] ?? '')
  .find((name) => /^[a-z]/.test(name) && name !== 'root' && groupsOf(name) > 1);

function groupsOf(user: string): number {
  return execFileSync('id', ['-G', user], { encoding: 'utf8' }).trim().split(' ').length;
}

/** What a job must never see of the agent: credentials, and what systemd gave to the agent alone. */
const OF_THE_AGENT = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  'CREDENTIALS_DIRECTORY',
  'INVOCATION_ID',
  'JOURNAL_STREAM',
  'STATE_DIRECTORY',
  'RUNTIME_DIRECTORY',
  'MIGRATION_AGENT_CONFIG',
  'NODE_OPTIONS',
];

describe('the end of a run', () => {
  test('is reported with the exit code of the command', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('exit 42'));
      host.host.start(run);
      expect(await host.event('run-exited')).toEqual({
        type: 'run-exited',
        run: run.id,
        exitCode: 42,
      });
      expect(host.types()).toEqual(['run-started', 'run-exited']);
      expect(await host.read(run, '.shim/exit.1')).toBe('42\n');
    }));

  test('by a signal is reported with the name of the signal', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      host.host.start(makeRun(sh('kill -SEGV $$')));
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 139, signal: 'SIGSEGV' });
    }));

  test.each([
    [
      ['no-such-program', '-x'],
      127,
      'there is no program no-such-program in the PATH of the job: write its whole path, or set environment.PATH',
    ],
    [
      ['/no/such/program'],
      127,
      'there is no program /no/such/program, or the interpreter that its first line names is not there',
    ],
    [['/etc'], 126, '/etc cannot be executed: Permission denied'],
    // A program of its own mind.
    [sh('echo nothing is found >&2; exit 127'), 127, 'nothing is found'],
  ])(
    'of a command that cannot be executed is reported with a clear reason: %s',
    (command, exitCode, errorTail) =>
      withHosts(async (newHost) => {
        const host = newHost();
        host.host.start(makeRun(command, { environment: { PATH: '/nowhere:/bin' } }));
        expect(await host.event('run-exited')).toMatchObject({ exitCode, errorTail });
      }),
  );

  test.each([
    ['/no/such/hunter2', 'the working directory /no/such/*** does not exist'],
    ['/etc/passwd', 'the working directory /etc/passwd is not a directory'],
  ])('of a job without a working directory names it: %s', (workingDirectory, errorTail) =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('echo ran'), { workingDirectory });
      host.host.start(run);
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 126, errorTail });
      expect(await host.read(run, 'stdout.log')).toBe('');
    }),
  );

  test.skipIf(!isRoot)(
    'of a job whose user may not enter its directory names the directory (needs root)',
    () =>
      withHosts(async (newHost, directory) => {
        const host = newHost();
        await chmod(directory, 0o700);
        host.host.start(makeRun(sh('true'), { user: 'nobody', workingDirectory: directory }));
        expect(await host.event('run-exited')).toMatchObject({
          exitCode: 126,
          errorTail: `the working directory ${directory} cannot be entered`,
        });
      }),
  );

  test('carries the last lines of stderr, plain and masked', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const long = 'x'.repeat(70);
      const text = `i=0; while [ $i -lt 60 ]; do echo "$i ${long}"; i=$((i+1)); done >&2;
        printf '10%%\\r20%%\\r\\033[31mpassword hunter2\\033[0m\\007 wrong\\n' >&2; exit 1`;
      host.host.start(makeRun(sh(text)));
      const tail = (await host.event('run-exited')).errorTail!;
      expect(tail.length).toBeLessThanOrEqual(2000);
      expect(tail.split('\n').at(-1)).toBe('password ***  wrong');
      expect(tail.split('\n').at(-2)).toBe(`59 ${long}`);
      expect(tail.split('\n')[0]).toMatch(/^\d+ x{70}$/);
    }));

  test('waits for room on a full disk, and is reported then', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('ln -s /dev/full "$RECORD"; exit 6'));
      const environment = { RECORD: host.path(run, '.shim/exit.1.tmp') };
      host.host.start({ ...run, definition: { ...run.definition, environment } });
      await host.event('run-started');
      const command = (pid: number): Promise<string> =>
        readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      await until(
        async () => {
          const commands = await Promise.all(processesWith(host.directory).map(command));
          return commands.includes('sleep\0\u0031\0');
        },
        () => 'the shim to wait for room',
      );
      expect(host.types()).toEqual(['run-started']);
      await rm(environment.RECORD);
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 6 });
    }));

  test('is not reported where the shim was killed and processes of the run live on', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('sleep 600'));
      host.host.start(run);
      const { process } = await host.event('run-started');
      await until(
        () => processesWith(host.directory).length >= 2,
        () => 'the command to run',
      );
      kill(process.pid);
      const { reason, pids } = await host.event('run-orphaned');
      expect(reason).toMatch(/ended by SIGKILL and left no exit record/);
      expect(pids).toEqual(processesWith(host.directory));
      await killUntilGone(host, run);
      expect(processesWith(host.directory)).toEqual([]);
      expect(host.all('run-lost')).toEqual([]);
    }));

  test('shows the processes that the program left behind', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      host.host.start(makeRun(sh('setsid sleep 600 & exit 0')));
      const { exitCode, processesLeft } = await host.event('run-exited');
      expect(exitCode).toBe(0);
      expect(processesLeft).toEqual(processesWith(host.directory));
      expect(processesLeft).toHaveLength(1);
    }));
});

describe('the command', () => {
  test('gets its arguments as they are written, whatever a shell would make of them', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const message = [
        '$HOME',
        '`id`',
        'a  b',
        '',
        '*',
        '"\'\\',
        'two\nlines',
        '-n',
        'A=b',
        'ü€😀',
      ];
      const print = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
      const run = makeRun([process.execPath, '-e', print, '--', ...message]);
      host.host.start(run);
      await host.event('run-exited');
      expect(JSON.parse(await host.read(run, 'stdout.log'))).toEqual(message);
    }));

  test('is a program, never a built-in of the shell', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      host.host.start(makeRun(['exit', '3'], { environment: { PATH: '/usr/bin:/bin' } }));
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 127 });
    }));

  test('gets the default dispositions of signals', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(['cat', '/proc/self/status']);
      host.host.start(run);
      await host.event('run-exited');
      const status = await host.read(run, 'stdout.log');
      const masks = ['SigBlk', 'SigIgn', 'SigCgt'].map((name) => status.split(`${name}:\t`)[1]);
      expect(masks.map((text) => text?.slice(0, 16))).toEqual(Array(3).fill('0'.repeat(16)));
    }));

  test('has an empty stdin and appends its output to files', () =>
    withHosts(async (newHost, directory) => {
      const host = newHost();
      const run = makeRun(sh('cat; echo out; echo err >&2; readlink /proc/self/fd/0'));
      host.host.start(run);
      await host.event('run-exited');
      const logs = runLogPaths(directory, run.job, run.number);
      expect(await readFile(logs.stdout, 'utf8')).toBe('out\n/dev/null\n');
      expect(await readFile(logs.stderr, 'utf8')).toBe('err\n');
    }));

  test('runs in its working directory with a clean environment', () =>
    withHosts(async (newHost, directory) => {
      const ofTheAgent = Object.fromEntries(
        OF_THE_AGENT.map((name) => [name, 'of the agent'] as const),
      );
      Object.assign(process.env, ofTheAgent);
      const host = newHost();
      const run = makeRun(['/usr/bin/env'], {
        workingDirectory: directory,
        environment: { PATH: '/nowhere', COLOUR: 'a = b\nc', directory: 'kept', stat: 'kept too' },
      });
      host.host.start(run);
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 0 });
      for (const name of OF_THE_AGENT) Reflect.deleteProperty(process.env, name);
      const text = await host.read(run, 'stdout.log');
      const names = [...text.matchAll(/^(\w+)=/gm)].map((match) => match[1]!);
      const known =
        'COLOUR HOME LANG MIGRATION_AGENT_SOCKET MIGRATION_JOB MIGRATION_RUN PATH PWD SHLVL TZ USER _ directory stat';
      expect(names.filter((name) => !known.split(' ').includes(name))).toEqual([]);
      expect(text).not.toContain('of the agent');
      expect(text.split('\n')).toEqual(
        expect.arrayContaining([
          'PATH=/nowhere',
          'COLOUR=a = b',
          'directory=kept',
          'stat=kept too',
          `PWD=${directory}`,
          'MIGRATION_JOB=copy files',
          `MIGRATION_RUN=${run.number}`,
          `MIGRATION_AGENT_SOCKET=${host.socketPath}`,
        ]),
      );
    }));

  test('is offered to the memory killer before the agent and the shim', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('cat /proc/self/oom_score_adj; sleep 600'));
      host.host.start(run);
      const { process: shim } = await host.event('run-started');
      await until(
        async () => (await host.read(run, 'stdout.log')) !== '',
        () => 'output',
      );
      expect(await host.read(run, 'stdout.log')).toBe('500\n');
      const adjustment = (pid: number | 'self'): Promise<string> =>
        readFile(`/proc/${pid}/oom_score_adj`, 'utf8');
      expect(await adjustment(shim.pid)).toBe(await adjustment('self'));
    }));

  test.skipIf(!isRoot)('runs as the user of the job, whose home it gets (needs root)', () =>
    withHosts(async (newHost, directory) => {
      const host = newHost();
      await chmod(directory, 0o700);
      const run = makeRun(sh('id -un; id -G; echo "$HOME $USER"; exit 7'), { user: 'nobody' });
      host.host.start(run);
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 7 });
      const passwd = execFileSync('getent', ['passwd', 'nobody'], { encoding: 'utf8' }).split(':');
      expect(await host.read(run, 'stdout.log')).toBe(
        `nobody\n${passwd[3]}\n${passwd[5]} nobody\n`,
      );
    }),
  );

  test.skipIf(!isRoot || member === undefined)(
    `has every group of its user, and no capability of the agent${member === undefined ? ' (skipped: no user of this host is in two groups)' : ''}`,
    () =>
      withHosts(async (newHost) => {
        const host = newHost();
        const script = 'id -G; grep -E "^Cap(Inh|Prm|Eff|Amb)" /proc/self/status | cut -f 2';
        const run = makeRun(sh(script), { user: member ?? '' });
        host.host.start(run);
        await host.event('run-exited');
        const groups = execFileSync('id', ['-G', member ?? ''], { encoding: 'utf8' }).trim();
        const [shown, ...capabilities] = (await host.read(run, 'stdout.log')).trim().split('\n');
        expect(shown).toBe(groups);
        expect(groups.split(' ').length).toBeGreaterThan(1);
        expect(capabilities).toEqual(Array.from({ length: 4 }, () => '0000000000000000'));
      }),
  );

  test.skipIf(!isRoot)('cannot replace its logs when it runs as another user (needs root)', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('cd "$OLD"; rm -f stdout.log; ln -s /etc/shadow stdout.log'), {
        user: 'nobody',
      });
      const environment = { OLD: host.path(run, '') };
      host.host.start({ ...run, definition: { ...run.definition, environment } });
      await host.event('run-exited');
      expect(await host.read(run, 'stdout.log')).toBe('');
    }),
  );
});

describe('a start that is held up', () => {
  test('is not made if the run was canceled meanwhile', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('echo ran'));
      host.host.start(run);
      // The host goes on with the run in a later turn of the loop; the planner has changed it by then.
      run.state = 'canceling';
      await host.event('run-never-started');
      expect(host.has(run, '.shim/start-lock.1')).toBe(false);
    }));
});

describe('a start that cannot be made', () => {
  const cases = {
    'an unknown user': [{ user: 'nobody-at-all' }, /no user nobody-at-all/],
    'a value that the kernel does not take': [
      { environment: { A: 'a\0b' } },
      /cannot be started: .*null bytes/,
    ],
    'a secret in the reason': [{ user: 'hunter2' }, /there is no user \*\*\*/],
  } as const;
  for (const [name, [definition, reason]] of Object.entries(cases)) {
    test(`tells its reason: ${name}`, () =>
      withHosts(async (newHost) => {
        const host = newHost();
        const run = makeRun(sh('echo ran'), definition);
        host.host.start(run);
        expect((await host.event('run-start-failed')).reason).toMatch(reason);
        expect(host.types()).toEqual(['run-start-failed']);
      }));
  }

  test('tells that the environment is too long', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      host.host.start(makeRun(sh('echo ran'), { environment: { A: 'a'.repeat(200_000) } }));
      expect((await host.event('run-start-failed')).reason).toMatch(/too long for the kernel/);
    }));

  test.skipIf(!isRoot)('tells that the agent may not become another user (needs root)', () =>
    withHosts(async (_newHost, directory) => {
      // What an agent without privileges does is only seen in a process without them.
      const script = join(directory, 'unprivileged.mjs');
      await writeFile(
        script,
        `const { createJobHost } = await import(process.argv[2]);
         process.setgid(65534); process.setuid(65534);
         createJobHost({ post: (event) => { console.log(JSON.stringify(event)); process.exit(0); },
           stateDirectory: process.argv[3], socketPath: '/x', bootId: 'b', mask: (text) => text,
         }).start(JSON.parse(process.argv[4]));`,
      );
      const state = join(directory, 'state');
      await mkdir(state);
      await chmod(directory, 0o755);
      await chmod(state, 0o777);
      const run = makeRun(sh('echo ran'), { user: 'daemon' });
      const module = join(import.meta.dirname, '../../src/jobs/job-host.ts');
      const message = execFileSync(process.execPath, [script, module, state, JSON.stringify(run)]);
      const event = JSON.parse(message.toString()) as { type: string; reason: string };
      expect(event.type).toBe('run-start-failed');
      expect(event.reason).toMatch(/permitted|CAP_SETUID/);
    }),
  );
});

describe('what an older life of the state directory left', () => {
  test('is moved aside, and its exit record is not taken for the new run', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('echo new; exit 5'));
      await host.takeStartLockAsShim(run);
      await writeFile(host.path(run, '.shim/exit.1'), '0\n');
      await writeFile(host.path(run, 'stdout.log'), 'old\n');
      host.host.start(run);
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 5 });
      expect(await host.read(run, 'stdout.log')).toBe('new\n');
      const left = await readdir(host.path(run, '..'));
      expect(left.sort()).toEqual([String(run.number), `${run.number}.aside-1`]);
    }));

  test('keeps a run from starting while processes of it live without their shim', () =>
    withHosts(async (newHost) => {
      const [first, second] = [newHost(), newHost()];
      const run = makeRun(sh('echo up; sleep 600'));
      first.host.start(run);
      const { process: shim } = await first.event('run-started');
      // A shim that is killed before it has a child leaves nothing behind.
      await until(
        async () => (await first.read(run, 'stdout.log')) === 'up\n',
        () => 'the job has not written',
      );
      kill(shim.pid);
      const { pids } = await first.event('run-orphaned');
      second.host.start(run);
      const { reason } = await second.event('run-start-failed');
      expect(reason).toContain(`still running (pid ${pids.join(', ')})`);
    }));

  test('keeps a run from starting while it is still running', () =>
    withHosts(async (newHost) => {
      const [first, second] = [newHost(), newHost()];
      const run = makeRun(sh('sleep 600'));
      first.host.start(run);
      const { process: shim } = await first.event('run-started');
      second.host.start(run);
      const { reason } = await second.event('run-start-failed');
      expect(reason).toContain(`still running (pid ${shim.pid}`);
      expect(startTicksOf(shim.pid)).toBe(shim.startTicks);
      expect(shim.bootId).toBe(bootId);
    }));
});
