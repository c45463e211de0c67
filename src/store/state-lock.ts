/**
 * One agent to a state directory. The lock is SQLite's own on an empty file beside the store: it goes with the
 * process, however that ends, and no stale one is ever left behind.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export class StateInUse extends Error {
  override readonly name = 'StateInUse';
}

/** Takes the directory's lock; the function gives it back. Throws `StateInUse` when another agent has it. */
export function lockState(directory: string): () => void {
  const database = new DatabaseSync(join(directory, 'agent.lock'));
  try {
    // No journal file: on a full disk the lock is to be had too.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new StateInUse(`another migration-agent uses ${directory}; stop it first`, {
      cause: error,
    });
  }
  return () => database.close();
}

/** SQLITE_BUSY. */
function isBusy(error: unknown): boolean {
  return (error as { errcode?: unknown } | null)?.errcode === 5;
}
