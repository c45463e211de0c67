/**
 * One agent to a state directory. The lock is SQLite's own on an empty file beside the store: it goes with the process,
 * however that ends, so no stale lock is ever left behind.
 *
 * If that file cannot be written (a read-only file system, or it belongs to another user), the agent only reads it, which
 * an agent that holds the lock prevents, and locks the directory itself by flock(1) from util-linux.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Log } from '../ports.ts';
import { isBusy, isDamage } from './sqlite-errors.ts';

export class StateInUse extends Error {
  override readonly name = 'StateInUse';
}

/** Takes the directory's lock; the function returns it. Throws `StateInUse` if another agent has it. */
export function lockState(directory: string, log: Log): () => void {
  const file = join(directory, 'agent.lock');
  try {
    accessSync(directory, constants.W_OK);
    if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
    accessSync(file, constants.W_OK);
  } catch (error) {
    return lockUnwritable(directory, file, error, log);
  }
  try {
    return lockFile(file, 'BEGIN EXCLUSIVE', directory);
  } catch (error) {
    if (!isDamage(error)) throw error;
    // Nobody holds a lock on a file that is no database: SQLite would have reported it as busy.
    rmSync(file);
    closeSync(openSync(file, 'wx', 0o600));
    log.write('warn', 'store.lock_damaged', 'the lock file was damaged; a new one is used', {
      file,
    });
    return lockFile(file, 'BEGIN EXCLUSIVE', directory);
  }
}

function lockFile(file: string, begin: string, directory: string): () => void {
  const database = new DatabaseSync(file);
  try {
    // No journal file: the lock must be possible on a full disk.
    database.exec(`PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; ${begin}`);
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch (error) {
    database.close();
    throw isBusy(error) ? inUse(directory, error) : error;
  }
  return () => database.close();
}

function lockUnwritable(directory: string, file: string, error: unknown, log: Log): () => void {
  let unlockFile = (): void => undefined;
  try {
    // The read lock of an agent here and the write lock of another exclude each other.
    if (existsSync(file)) unlockFile = lockFile(file, 'BEGIN', directory);
  } catch (failure) {
    if (failure instanceof StateInUse) throw failure;
  }
  const handle = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  // The lock belongs to the open directory, which this process shares with the program, and outlives the program.
  const { status, error: missing } = spawnSync('flock', ['--nonblock', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', handle],
  });
  if (status === 1) {
    closeSync(handle);
    unlockFile();
    throw inUse(directory, undefined);
  }
  log.write('warn', 'store.lock_unwritable', 'the lock file cannot be written', {
    file,
    reason: error instanceof Error ? error.message : String(error),
    remedy: 'the file must belong to the user of the agent, on a writable file system',
    lockedBy: missing === undefined ? 'flock' : 'nothing: there is no program flock',
  });
  return () => {
    closeSync(handle);
    unlockFile();
  };
}

function inUse(directory: string, cause: unknown): StateInUse {
  return new StateInUse(`another migration-agent uses ${directory}; stop it first`, { cause });
}
