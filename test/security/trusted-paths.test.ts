/** Nobody but root and the agent's user may be able to change what the agent relies on. */
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  checkTrustedPath,
  makeDirectory,
  UntrustedPath,
  UnusableDirectory,
} from '../../src/system/trusted-path.ts';
import { LAUNCHER } from '../support/daemon.ts';

const hasAcls = spawnSync('setfacl', ['--version']).status === 0;
const ANOTHER = { uid: 65_533, gid: 65_533, stdio: 'pipe', cwd: '/' } as const;
const isRoot = process.getuid?.() === 0;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'migration-agent-trust-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Starts the daemon; it ends by itself only if it refuses. */
function daemon(stateDirectory: string, configMode = 0o600, socket = join(directory, 'a.sock')) {
  const config = join(directory, 'config.yaml');
  writeFileSync(config, `agent: { stateDirectory: ${stateDirectory}, socket: ${socket} }\n`);
  chmodSync(config, configMode);
  return spawnSync(LAUNCHER, ['daemon', '--config', config], {
    encoding: 'utf8',
    timeout: 100_000,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
  });
}

describe('the daemon refuses, with the remedy and the exit code that systemd does not restart,', () => {
  test('a state directory that others can write to', () => {
    const state = join(directory, 'state');
    mkdirSync(state);
    chmodSync(state, 0o777);
    const { signal, status, stdout } = daemon(state);
    expect({ signal, status }).toEqual({ signal: null, status: 78 });
    expect(stdout).toContain(`chmod o-w ${state}`);
  });

  test('a configuration that others can write to', () => {
    const { status, stderr } = daemon(join(directory, 'state'), 0o646);
    expect(status).toBe(78);
    expect(stderr).toContain(`chmod o-w ${join(directory, 'config.yaml')}`);
  });

  test('a socket in a place where others could put their own', () => {
    const open = join(directory, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    const { status, stdout } = daemon(join(directory, 'state'), 0o600, join(open, 'a.sock'));
    expect(status).toBe(78);
    expect(stdout).toContain(`chmod o-w ${open}`);
  });

  test.skipIf(!isRoot)('a state directory of another user (needs root)', () => {
    const state = join(directory, 'state');
    mkdirSync(state);
    chownSync(state, 65_534, 65_534);
    const { status, stdout } = daemon(state);
    expect(status).toBe(78);
    expect(stdout).toContain(`chown 0 ${state}`);
  });

  test.each(['/proc/nope', '/proc/nope/deeper', '/dev/null/state'])(
    'a state directory that cannot be, %s: it ends, and does not loop',
    (state) => {
      const { signal, status, stdout } = daemon(state);
      expect({ signal, status }).toEqual({ signal: null, status: 78 });
      expect(stdout).toContain('cannot be created');
    },
  );
});

describe('a path', () => {
  test('is trusted below a directory like /tmp, and with a private group', () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    chmodSync(file, 0o600);
    expect(() => checkTrustedPath(file)).not.toThrow();
    const { gid, uid } = lstatSync(file);
    if (gid !== uid) return;
    chmodSync(file, 0o664);
    expect(() => checkTrustedPath(file)).not.toThrow();
  });

  test('is looked at through links, and with every directory above it', () => {
    const open = join(directory, 'open');
    mkdirSync(join(open, 'below'), { recursive: true });
    chmodSync(open, 0o777);
    symlinkSync(join(open, 'below'), join(directory, 'link'));
    expect(() => checkTrustedPath(join(directory, 'link'))).toThrow(UntrustedPath);
    chmodSync(open, 0o1777);
    expect(() => checkTrustedPath(join(directory, 'link'))).not.toThrow();
  });

  test.skipIf(!isRoot)('with a group that others belong to is not private (needs root)', () => {
    // As the package makes it: the group has the number of the agent's user, and operators are in it.
    const AGENT = 61_234;
    const accounts = { passwd: join(directory, 'passwd'), group: join(directory, 'group') };
    const file = join(directory, 'file');
    writeFileSync(file, '');
    chownSync(file, AGENT, AGENT);
    chmodSync(file, 0o660);
    const check = (passwd: string, group: string) => {
      writeFileSync(
        accounts.passwd,
        `root:x:0:0::/:/bin/sh\nagent:x:${AGENT}:${AGENT}::/:/bin/sh\n${passwd}`,
      );
      writeFileSync(accounts.group, group);
      checkTrustedPath(file, AGENT, accounts);
    };
    expect(() => check('', `agent:x:${AGENT}:\n`)).not.toThrow();
    expect(() => check('', `agent:x:${AGENT}:agent\n`)).not.toThrow();
    expect(() => check('', `agent:x:${AGENT}:agent,alice\n`)).toThrow(/chmod g-w/);
    expect(() => check(`bob:x:1001:${AGENT}::/:/bin/sh\n`, '')).toThrow(/chmod g-w/);
    // The agent's own files are made so that the mode alone keeps the group out.
    chmodSync(file, 0o640);
    expect(() => check('', `agent:x:${AGENT}:alice\n`)).not.toThrow();
  });

  test.skipIf(!isRoot)('of another group may not be writable for it (needs root)', () => {
    chownSync(directory, 0, 65_534);
    chmodSync(directory, 0o770);
    expect(() => checkTrustedPath(directory)).toThrow(/chmod g-w/);
  });

  test.skipIf(!isRoot)(
    'of a link that another user can exchange is not trusted (needs root)',
    () => {
      const config = join(directory, 'config.yaml');
      writeFileSync(config, '');
      chmodSync(config, 0o600);
      const theirs = join(directory, 'theirs');
      const link = join(theirs, 'link');
      mkdirSync(theirs);
      symlinkSync(config, link);
      expect(() => checkTrustedPath(link)).not.toThrow();
      // The directory that holds the link, though what it names now is as it should be.
      chownSync(theirs, 65_534, 65_534);
      expect(() => checkTrustedPath(link)).toThrow(/theirs belongs to uid 65534/);
      chownSync(theirs, 0, 0);
      chmodSync(theirs, 0o777);
      expect(() => checkTrustedPath(link)).toThrow(/chmod o-w/);
      // The link itself, in a directory like /tmp.
      chmodSync(theirs, 0o1777);
      expect(() => checkTrustedPath(link)).not.toThrow();
      lchownSync(link, 65_534, 65_534);
      expect(() => checkTrustedPath(link)).toThrow(/chown -h 0 .*link/);
    },
  );

  test('that is a link to itself is reported by the program that opens it', () => {
    symlinkSync(join(directory, 'loop'), join(directory, 'loop'));
    expect(() => checkTrustedPath(join(directory, 'loop/deeper'))).not.toThrow();
  });

  test.skipIf(!isRoot || !hasAcls)(
    'that an access control list lets others write is not trusted (needs root and setfacl)',
    () => {
      const file = join(directory, 'file');
      writeFileSync(file, '');
      chmodSync(file, 0o640);
      chownSync(file, 0, 65_534);
      chmodSync(directory, 0o755);
      execFileSync('setfacl', ['-m', 'u:65533:rw', file]);
      const write = () => execFileSync('sh', ['-c', ': >>"$1"', 'sh', file], ANOTHER);
      expect(write).not.toThrow();
      expect(() => checkTrustedPath(file)).toThrow(/chmod g-w/);
      // The mode is the mask of the list: the remedy takes the right away.
      chmodSync(file, 0o640);
      expect(write).toThrow();
      expect(() => checkTrustedPath(file)).not.toThrow();
    },
  );

  test('that does not exist is reported by the program that opens it', () => {
    expect(() => checkTrustedPath(join(directory, 'nothing'))).not.toThrow();
  });
});

test('directories are made for their owner alone, once', () => {
  const path = join(directory, 'a', 'b');
  makeDirectory(path, 0o700);
  makeDirectory(path, 0o700);
  expect(lstatSync(path).mode & 0o777).toBe(0o700);
  writeFileSync(join(directory, 'file'), '');
  expect(() => makeDirectory(join(directory, 'file', 'c'), 0o700)).toThrow(UnusableDirectory);
});
