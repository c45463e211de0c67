/** Copies of a store that cannot be used as it is: kept beside it, or read in its place. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { checkVersion, createTables, throwUnlessStore } from './schema.ts';

/** A disk that damages the store again and again must not be filled with copies. */
const COPIES_MAX = 5;

/** Moves the file, its log included, to `FILE.WHY-N`, and removes the oldest copies beyond the limit. */
export function setAside(file: string, why: string): string {
  const prefix = `${basename(file)}.`;
  const numbers = readdirSync(dirname(file)).flatMap((name) => {
    const number = name.startsWith(prefix) ? /-(\d+)$/.exec(name)?.[1] : undefined;
    return number === undefined ? [] : [{ number: Number(number), name }];
  });
  const next = Math.max(0, ...numbers.map(({ number }) => number)) + 1;
  const copy = `${file}.${why}-${next}`;
  renameSync(file, copy);
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, copy + suffix);
  }
  for (const { number, name } of numbers) {
    if (number > next - COPIES_MAX) continue;
    for (const suffix of ['', '-wal', '-shm']) {
      rmSync(join(dirname(file), name + suffix), { recursive: true, force: true });
    }
  }
  return copy;
}

/** Undoes `setAside`. */
export function putBack(copy: string, file: string): void {
  for (const suffix of ['', '-wal', '-shm']) {
    rmSync(file + suffix, { force: true });
    if (existsSync(copy + suffix)) renameSync(copy + suffix, file + suffix);
  }
}

/**
 * Opens a copy in memory of a store on a file system that takes no writes; an empty store if there is none. Throws
 * `OtherVersion`, `NotAStore` or the error of SQLite.
 */
export function openReadOnlyCopy(file: string): DatabaseSync {
  if (!existsSync(file)) return openEmptyCopy();
  throwUnlessStore(file);
  return withScratchCopy(file, (copy) => {
    const database = new DatabaseSync(copy);
    try {
      // Writes the log into the copy and needs no other file afterwards, so the copy can lose its name at once.
      database.exec(
        'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; PRAGMA journal_mode = MEMORY',
      );
      checkVersion(database);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** An empty store in memory. */
export function openEmptyCopy(): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  createTables(database);
  return database;
}

/** Hands over a copy of the file and its log, which exists until `use` returns. */
export function withScratchCopy<Value>(file: string, use: (copy: string) => Value): Value {
  const directory = mkdtempSync(join(scratchDirectory(), 'migration-agent-state-'));
  try {
    const copy = join(directory, 'state.db');
    for (const suffix of ['', '-wal']) {
      if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix);
    }
    return use(copy);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** In memory if possible: other file systems may be read-only, too. */
function scratchDirectory(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
}
