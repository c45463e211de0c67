/** What starts a program as a job runs: with the rights of its user, and none of its variables before that. */
import { execFileSync, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  enterJob,
  enterJobFromShell,
  isExecutable,
  whyNotEnter,
} from '../../../src/jobs/process/enter-job.ts';
import type { Launch } from '../../../src/jobs/process/launch-spec.ts';

const USER = { name: 'migrator', uid: 1001, gid: 1002, home: '/home/migrator' };
const MARKS = {
  MIGRATION_JOB: 'copy',
  MIGRATION_RUN: '1',
  MIGRATION_AGENT_SOCKET: '/run/agent.sock',
};
const launch = (over: Partial<Launch> = {}): Launch => ({
  ...{ cwd: '/', env: { ...MARKS, COLOUR: 'a = b\nc', LD_PRELOAD: '/evil.so' } },
  ...over,
});
/** /proc/self/status of an agent with these capabilities. */
const status = (effective: bigint, ambient = 0n, inherited = 0n): string =>
  ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']
    .map((set) => {
      const mask = set === 'CapEff' ? effective : set === 'CapAmb' ? ambient : 0n;
      return `${set}:\t${(set === 'CapInh' ? inherited : mask).toString(16).padStart(16, '0')}`;
    })
    .join('\n');
/** CAP_KILL, CAP_SETGID, CAP_SETUID. */
const SWITCHING = 0xe0n;

let user: number;
beforeEach(() => {
  user = 1000;
  const spy = vi.spyOn(process, 'geteuid').mockImplementation(() => user);
  onTestFinished(() => spy.mockRestore());
});

describe('the environment', () => {
  test('has the job’s variables under names that no program knows, and the marks as they are', () => {
    const { env } = enterJob(launch(), ['true'], status(0n));
    expect(env).toEqual({
      ...MARKS,
      PATH: expect.stringContaining('/usr/bin:/sbin:/bin') as string,
      MIGRATION_ENV_0: 'MIGRATION_JOB=copy',
      MIGRATION_ENV_1: 'MIGRATION_RUN=1',
      MIGRATION_ENV_2: 'MIGRATION_AGENT_SOCKET=/run/agent.sock',
      MIGRATION_ENV_3: 'COLOUR=a = b\nc',
      MIGRATION_ENV_4: 'LD_PRELOAD=/evil.so',
    });
  });

  test('finds the tools of the agent by its own PATH, then in the usual places', () => {
    const path = process.env['PATH'];
    onTestFinished(() => {
      process.env['PATH'] = path;
    });
    process.env['PATH'] = '/opt/tools';
    expect(enterJob(launch(), ['true'], status(0n)).env['PATH']).toMatch(/^\/opt\/tools:\/usr/);
    Reflect.deleteProperty(process.env, 'PATH');
    expect(enterJob(launch(), ['true'], status(0n)).env['PATH']).toMatch(/^\/usr/);
  });

  test('is given to the command with its own names; what no shell can pass on, or would be taken for a carrier, is left out', () => {
    const env = { A: 'one\ntwo', 'not a name': 'x', MIGRATION_ENV_7: 'x', UID: '5', B: '' };
    const { argv, env: given } = enterJob(launch({ cwd: tmpdir(), env }), ['env'], status(0n));
    const [program = '', ...args] = argv;
    const shown = execFileSync(program, args, { env: given, encoding: 'utf8' });
    const names = [...shown.matchAll(/^(\w+)=/gm)].map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(['A', 'B', 'PWD']));
    expect(names.filter((name) => /^(?:MIGRATION_ENV|OLDPWD)/.test(name!))).toEqual([]);
    expect(shown).toContain(`A=one\ntwo\n`);
    expect(shown).toContain(`PWD=${tmpdir()}\n`);
  });
});

describe('the way in', () => {
  const first = (over: Partial<Launch>, own: string): readonly string[] => {
    const { argv } = enterJob(launch(over), ['tool', '-x'], own);
    return argv.slice(0, argv.indexOf('/bin/sh'));
  };
  const giveUp = ['--inh-caps=-all', '--ambient-caps=-all', '--'];

  test('to the agent’s own user is a shell, if the agent has nothing to hand down', () => {
    expect(first({}, status(SWITCHING))).toEqual([]);
    user = 0;
    expect(first({}, status(-1n & 0xffn, SWITCHING))).toEqual([]);
  });

  test.each([
    ['ambient', status(0n, 1n)],
    ['inheritable', status(0n, 0n, 1n)],
  ])('gives up %s capabilities', (_which, own) => {
    expect(first({}, own)).toEqual(['/usr/bin/setpriv', ...giveUp]);
  });

  test('to another user changes user and groups, and gives up all capabilities', () => {
    const ids = ['--reuid=1001', '--regid=1002', '--init-groups'];
    for (const own of [status(SWITCHING), status(0n)]) {
      expect(first({ user: USER }, own)).toEqual(['/usr/bin/setpriv', ...ids, ...giveUp]);
    }
    user = 0;
    expect(first({ user: USER }, status(0n))).toEqual(['/usr/bin/setpriv', ...ids, ...giveUp]);
  });

  test('ends with the directory and the command, as they are', () => {
    const { argv } = enterJob(launch({ cwd: '/srv/a b' }), ['tool', '$HOME', ''], status(0n));
    expect(argv.slice(-5)).toEqual(['migration-agent', '/srv/a b', 'tool', '$HOME', '']);
  });

  test.each([
    ['/no/such', 'the working directory /no/such does not exist\n'],
    ['/etc/passwd', 'the working directory /etc/passwd is not a directory\n'],
  ])('to %s ends with 126 and its reason', (cwd, reason) => {
    const { argv, env } = enterJob(launch({ cwd, env: {} }), ['true'], status(0n));
    const [program = '', ...args] = argv;
    const ended = spawnSync(program, args, { env, encoding: 'utf8' });
    expect([ended.status, ended.stderr]).toEqual([126, reason]);
  });
});

describe('the way in from a shell of the agent', () => {
  const env = { A: 'one\ntwo', UID: '5', B: '', args: 'x', become: 'y', IFS: 'o' };

  test('needs no other shell where no user is changed, and gives the same environment', () => {
    const there = launch({ cwd: tmpdir(), env });
    const { become, args, env: given } = enterJobFromShell(there, ['env'], status(0n));
    expect(args).toEqual([tmpdir(), 'env']);
    const options = { env: given, cwd: '/', encoding: 'utf8' } as const;
    const script = `args=1 become=2 other=3\n(${become})\n`;
    const fromShell = execFileSync('/bin/sh', ['-c', script, 'shim', ...args], options);
    const [program = '', ...more] = enterJob(there, ['env'], status(0n)).argv;
    const alone = execFileSync(program, more, options);
    const lines = (text: string): string[] =>
      text.split('\n').filter((line) => !/^(?:_|SHLVL)=/.test(line));
    expect(lines(fromShell).toSorted()).toEqual(lines(alone).toSorted());
  });

  test('is that of a program where a user is changed, or capabilities are given up', () => {
    for (const [over, own] of [
      [{ user: USER }, status(SWITCHING)],
      [{}, status(0n, 1n)],
    ] as const) {
      const { argv, env: given } = enterJob(launch(over), ['tool', '-x'], own);
      expect(enterJobFromShell(launch(over), ['tool', '-x'], own)).toEqual({
        ...{ become: 'exec "$@"\n', args: argv, env: given },
      });
    }
  });

  test('ends with 126 and its reason if the directory cannot be entered, and the shell goes on', () => {
    const there = launch({ cwd: '/no/such', env: {} });
    const { become, args, env: given } = enterJobFromShell(there, ['true'], status(0n));
    const script = `(${become})\necho "ended with $?"\n`;
    const ended = spawnSync('/bin/sh', ['-c', script, 'shim', ...args], {
      env: given,
      encoding: 'utf8',
    });
    expect(ended.stderr).toBe('the working directory /no/such does not exist\n');
    expect(ended.stdout).toBe('ended with 126\n');
  });
});

describe('why a job cannot be started', () => {
  test('as another user: the agent may not become one', () => {
    for (const own of [status(0n), status(0xc0n), status(0x60n), status(0xa0n)]) {
      expect(whyNotEnter({ ...launch(), user: USER }, own)).toContain(
        'the agent may not run jobs as user migrator: it must be root, or have CAP_SETUID',
      );
    }
    expect(whyNotEnter({ ...launch(), user: USER }, status(SWITCHING))).toBeUndefined();
  });

  test('as the agent’s own user: that would give it the right to become any user', () => {
    expect(whyNotEnter(launch(), status(SWITCHING))).toContain('give the job a user of its own');
    expect(whyNotEnter(launch(), status(0n))).toBeUndefined();
    user = 0;
    expect(whyNotEnter(launch(), status(SWITCHING))).toBeUndefined();
  });
});

test('what can be executed is a program that is there', () => {
  expect(['/bin/sh', '/etc/passwd', '/no/such'].map(isExecutable)).toEqual([true, false, false]);
});
