/** `user:` where the reader of the file may not switch users: seen in a process without privileges. */
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { userWarnings } from '../../../src/config/checks/user-warnings.ts';
import type { ConfigurationFile } from '../../../src/config/schema/schema.ts';
import { maySwitchUsers } from '../../../src/core/lib/privileges.ts';

test.each([
  ['CapEff:\t000001ffffffffff\n', true],
  ['CapEff:\t00000000000000e0\n', true],
  ['CapEff:\t00000000000000c0\n', false],
  ['CapEff:\t0000000000000080\n', false],
  ['CapEff:\t0000000000000000\n', false],
  ['', false],
])('%j', (status, expected) => {
  expect(maySwitchUsers(`Name:\tnode\n${status}Seccomp:\t0\n`)).toBe(expected);
});

test.skipIf(process.getuid?.() !== 0)(
  'a warning names the key and what is needed (needs root)',
  () => {
    const script = `
    const { loadConfiguration } = await import(process.argv[1]);
    process.setgroups([65534]); process.setgid(65534); process.setuid(65534);
    const text = 'migrationHub: { progressUpdateStream: s }\\njobs:\\n  a: { command: [x], user: daemon }\\n  b: { command: [x], user: nobody }\\n  c: { command: [x], user: 65534 }\\n';
    const loaded = loadConfiguration({ text, environment: {}, hostname: 'host' });
    console.log(JSON.stringify(loaded.configuration.warnings));`;
    const module = new URL('../../../src/config/load.ts', import.meta.url).href;
    const message = ['--input-type=module', '-e', script, module];
    const warnings = JSON.parse(execFileSync(process.execPath, message, { encoding: 'utf8' })) as {
      key: string;
      message: string;
    }[];
    expect(warnings.filter(({ key }) => key.endsWith('.user'))).toMatchObject([
      {
        key: 'jobs.a.user',
        message:
          "nobody may not run jobs as another user; where that is the agent's user too, it must be root, or have CAP_SETUID, CAP_SETGID and CAP_KILL",
      },
    ]);
  },
);

const isRoot = process.getuid?.() === 0;
const unshares = isRoot && spawnSync('unshare', ['--mount', 'true']).status === 0;

test.skipIf(!unshares)(
  'a host without setpriv: a warning says what becomes of the job with either backend (needs root, who may unshare)',
  () => {
    const script = `
    const { loadConfiguration } = await import(process.argv[1]);
    const warnings = ['process', 'unit'].flatMap((backend) => {
      const text = 'migrationHub: { progressUpdateStream: s }\\nagent: { backend: ' + backend + ' }\\njobs:\\n  a: { command: [x], user: nobody }\\n  b: { command: [x], user: root }\\n';
      return loadConfiguration({ text, environment: {}, hostname: 'host' }).configuration.warnings;
    });
    console.log(JSON.stringify(warnings));`;
    const module = new URL('../../../src/config/load.ts', import.meta.url).href;
    const node = [process.execPath, '--input-type=module', '-e', script, module];
    const load = (...message: string[]): unknown => {
      const [program = '', ...rest] = message;
      const warnings = JSON.parse(execFileSync(program, rest, { encoding: 'utf8' })) as {
        key: string;
      }[];
      return warnings.filter(({ key }) => key.endsWith('.user'));
    };
    const hidden = 'mount --bind /dev/null /usr/bin/setpriv && exec "$@"';
    const warning = {
      key: 'jobs.a.user',
      message: 'there is no /usr/bin/setpriv (util-linux) on this host: the job cannot start',
    };
    expect(load('unshare', '--mount', 'sh', '-c', hidden, 'sh', ...node)).toMatchObject([
      warning,
      warning,
    ]);
    expect(load(...node)).toEqual([]);
  },
);

describe('a job that runs as another user', () => {
  const jobs = Object.fromEntries(
    [undefined, 'agent', '1000', 'root', '0'].map((user, i) => [`job${i}`, { user }]),
  );
  const file = { jobs } as unknown as ConfigurationFile;
  const warned = (maySwitch: boolean, hasSetpriv: boolean): string[] =>
    userWarnings(file, { name: 'agent', uid: 1000, maySwitch, hasSetpriv }).map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    );

  test('can start if the agent may switch users, and the host has the program for it', () => {
    expect(warned(true, true)).toEqual([]);
  });

  test('is named if the agent may not: its own name and number are not another user', () => {
    for (const hasSetpriv of [true, false]) {
      expect(warned(false, hasSetpriv)).toEqual(
        ['job3', 'job4'].map(
          (job) =>
            `jobs.${job}.user: agent may not run jobs as another user; where that is the agent's user too, it must be root, or have CAP_SETUID, CAP_SETGID and CAP_KILL`,
        ),
      );
    }
  });

  test('is named if there is no program for it', () => {
    expect(warned(true, false)).toEqual(
      ['job3', 'job4'].map(
        (job) =>
          `jobs.${job}.user: there is no /usr/bin/setpriv (util-linux) on this host: the job cannot start`,
      ),
    );
  });
});
