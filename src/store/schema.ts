/** The tables of the store, and the connection to the file that holds them. */
import { chmodSync, closeSync, existsSync, openSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** Raised with every change of a table or of a name inside a row. */
export const SCHEMA_VERSION = 2;

export const TABLES = ['run', 'hub_task', 'metadata', 'timeline'] as const;
export type Table = (typeof TABLES)[number];

/** `damaged_row` keeps the text of rows that could not be used. */
const SCHEMA = `
  CREATE TABLE run (id TEXT PRIMARY KEY, job TEXT NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE INDEX run_by_job ON run (job);
  CREATE TABLE hub_task (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE metadata (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE timeline (
    id INTEGER PRIMARY KEY, job TEXT, run TEXT, event TEXT NOT NULL, wall_ms REAL NOT NULL, boot_ms REAL NOT NULL, fields TEXT NOT NULL
  ) STRICT;
  CREATE INDEX timeline_by_job ON timeline (job, id);
  CREATE TABLE damaged_row (source TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (source, id)) STRICT;
`;

/** The file is from another version of the program. */
export class OtherVersion extends Error {
  override readonly name = 'OtherVersion';
  readonly version: number;

  constructor(version: number) {
    super(`the store has version ${version}; this program has version ${SCHEMA_VERSION}`);
    this.version = version;
  }
}

/** What the header of the file says cannot be true. */
export class DamagedHeader extends Error {
  override readonly name = 'DamagedHeader';
}

/** Something else lies in the place of the store. An empty file is what a crash of the file system leaves of it. */
export class NotAStore extends Error {
  override readonly name = 'NotAStore';
}

/**
 * Opens the file; creates it if it does not exist. `single`: a single connection needs no shared index of the log, for
 * which a full disk has no room. Throws `OtherVersion`, `NotAStore` or the error of SQLite.
 */
export function openDatabase(file: string, access: 'shared' | 'single'): DatabaseSync {
  const isNew = createPrivate(file);
  // SQLite would remove the log of an empty database.
  if (!isNew) throwUnlessStore(file);
  const database = new DatabaseSync(file);
  try {
    if (access === 'single') database.exec('PRAGMA locking_mode = EXCLUSIVE');
    // Before the first table: pages that deleted rows leave can be given back.
    if (isNew) database.exec('PRAGMA auto_vacuum = INCREMENTAL');
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000;',
    );
    if (isNew) createTables(database);
    checkVersion(database);
    return database;
  } catch (error) {
    database.close();
    if (isNew) removeFiles(file);
    throw error;
  }
}

export function createTables(database: DatabaseSync): void {
  database.exec(`BEGIN; ${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
}

/** Throws `NotAStore` for what SQLite would take for an empty database, or could not open. */
export function throwUnlessStore(file: string): void {
  const found = statSync(file);
  if (!found.isFile()) throw new NotAStore('the store is not a regular file');
  if (found.size === 0) throw new NotAStore('the store is empty');
}

/** Throws `OtherVersion`, or `DamagedHeader`. */
export function checkVersion(database: DatabaseSync): void {
  const version = versionOf(database);
  if (version > SCHEMA_VERSION) throwIfDamaged(database);
  if (version !== SCHEMA_VERSION) throw new OtherVersion(version);
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

/** A damaged header may hold any version. */
function throwIfDamaged(database: DatabaseSync): void {
  const found = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (found !== 'ok') throw new DamagedHeader(`the version is not to be trusted: ${String(found)}`);
}

/** Another attempt must not find the empty file of this one. */
function removeFiles(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
}

/**
 * Makes the file, and those beside it, readable for their owner alone. SQLite gives the files of the log the mode of the
 * database. True if the file is new.
 */
function createPrivate(file: string): boolean {
  const isNew = !existsSync(file);
  if (isNew) closeSync(openSync(file, 'wx', 0o600));
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    try {
      if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) chmodSync(path, 0o600);
    } catch {
      // A read-only file system, or a file of somebody else: opening it says so.
    }
  }
  return isNew;
}
