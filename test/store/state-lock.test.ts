/** One agent for each state directory: what is locked, what a second agent is told, and what is left when the first is gone. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StateInUse, lockState } from '../../src/store/state-lock.ts';

let directory: string;
let file: string;
const lines: unknown[] = [];
const log = {
  write: (level: string, event: string, _message: string, fields: object): void => {
    lines.push({ level, event, ...fields });
  },
};
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'migration-agent-lock-'));
  file = join(directory, 'agent.lock');
  lines.length = 0;
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('the lock file', () => {
  test('refuses a second agent, is for its owner alone, and stays where it is', () => {
    const unlock = lockState(directory, log);
    expect(() => lockState(directory, log)).toThrow(StateInUse);
    expect(() => lockState(directory, log)).toThrow(
      `another migration-agent uses ${directory}; stop it first`,
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
    unlock();
    expect(readFileSync(file, 'utf8')).toBe('');
    lockState(directory, log)();
    expect(lines).toEqual([]);
  });

  test('needs no other file, so that it can be taken on a full disk', () => {
    const unlock = lockState(directory, log);
    expect(existsSync(`${file}-journal`) || existsSync(`${file}-wal`)).toBe(false);
    unlock();
  });

  test('that is damaged is replaced, and the new one is locked and for its owner alone', () => {
    writeFileSync(file, 'not a database '.repeat(500), { mode: 0o644 });
    const unlock = lockState(directory, log);
    expect(lines).toEqual([{ level: 'warn', event: 'store.lock_damaged', file }]);
    expect(() => lockState(directory, log)).toThrow(StateInUse);
    expect([statSync(file).mode & 0o777, statSync(file).size]).toEqual([0o600, 0]);
    unlock();
  });

  test('that cannot be opened for another reason is left alone, and the reason is reported', () => {
    const below = join(directory, 'agent.lock', 'x');
    rmSync(file, { force: true });
    spawnSync('mkdir', ['-p', below]);
    expect(() => lockState(directory, log)).toThrow(/unable to open database file/);
    expect(existsSync(below)).toBe(true);
  });
});

const flockMissing = spawnSync('flock', ['--version']).error !== undefined;

/** Here the file lies in a directory that is gone: for every user, root included, it cannot be written. */
describe.skipIf(flockMissing)('without a lock file that can be written (needs flock)', () => {
  beforeEach(() => {
    symlinkSync(join(directory, 'gone', 'agent.lock'), file);
  });

  test('the directory itself is locked, and that is logged with its reason and the remedy', () => {
    const unlock = lockState(directory, log);
    expect(lines).toEqual([
      {
        ...{ level: 'warn', event: 'store.lock_unwritable', file, lockedBy: 'flock' },
        reason: expect.stringContaining('ENOENT') as string,
        remedy: 'the file must belong to the user of the agent, on a writable file system',
      },
    ]);
    expect(() => lockState(directory, log)).toThrow(StateInUse);
    expect(lines).toHaveLength(1);
    unlock();
    lockState(directory, log)();
  });

  test('nothing stays open of a lock that was refused or given back', () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    const unlock = lockState(directory, log);
    expect(() => lockState(directory, log)).toThrow(StateInUse);
    unlock();
    expect(open()).toBe(before);
  });

  test('without the program flock the agent runs, and the log says that nothing is locked', () => {
    const path = process.env['PATH'];
    process.env['PATH'] = directory;
    try {
      lockState(directory, log)();
    } finally {
      process.env['PATH'] = path;
    }
    expect(lines).toMatchObject([{ lockedBy: 'nothing: there is no program flock' }]);
  });
});

const isRoot = process.getuid?.() === 0;

test.skipIf(isRoot || flockMissing)(
  'a lock file of somebody else is only read, and excludes an agent that can write it (needs an ordinary user)',
  () => {
    writeFileSync(file, '', { mode: 0o400 });
    const unlock = lockState(directory, log);
    expect(lines).toMatchObject([{ event: 'store.lock_unwritable', lockedBy: 'flock' }]);
    expect(() => lockState(directory, log)).toThrow(StateInUse);
    unlock();
    lockState(directory, log)();
  },
);

test('a lock of another process on the file counts, whoever holds it', () => {
  const other = new DatabaseSync(file);
  other.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  expect(() => lockState(directory, log)).toThrow(StateInUse);
  other.close();
  lockState(directory, log)();
});
