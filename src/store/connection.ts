/**
 * Opens the store's file whatever state it is in. A damaged file is set aside as a copy, and what can be read of it is
 * used. A file of an older version is set aside. A file that cannot be written is read through a copy in memory. Each case
 * is logged. A file of a newer version is left alone.
 */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Log } from '../ports.ts';
import { openReadOnlyCopy, setAside } from './copies.ts';
import { salvage } from './salvage.ts';
import {
  DamagedHeader,
  NotAStore,
  openDatabase,
  OtherVersion,
  SCHEMA_VERSION,
  TABLES,
} from './schema.ts';
import type { Table } from './schema.ts';
import { isDamage, isFull } from './sqlite-errors.ts';
import { prepareStatements } from './statements.ts';
import type { Statements } from './statements.ts';

export interface Connection extends Statements {
  readonly database: DatabaseSync;
  /** A copy in memory: nothing that is written to it lasts. */
  readonly isCopy: boolean;
  /** An earlier agent ran here, though the file may hold nothing of it. */
  readonly replaced?: Replaced;
}

/** The file that could not be used. */
export interface Replaced {
  readonly keptAs: string;
  readonly reason: string;
  /** Rows that were read from it. */
  readonly rows: number;
}

export class UnreadableStore extends Error {
  override readonly name = 'UnreadableStore';
}

/** Throws `UnreadableStore` for the file of a newer version, or what the disk reports. */
export function openConnection(file: string, log: Log): Connection {
  try {
    return openFile(file);
  } catch (error) {
    if (error instanceof OtherVersion) return replaceOtherVersion(file, error.version, log);
    if (isDamage(error) || error instanceof NotAStore || error instanceof DamagedHeader) {
      return replaceDamaged(file, error, TABLES, log);
    }
    const reason = whyUnwritable(file);
    if (reason === undefined) throw error;
    const database = openReadOnlyCopy(file);
    log.write('error', 'store.read_only', 'the store cannot be written; it is read, jobs go on', {
      file,
      reason,
    });
    return connect(database, { isCopy: true });
  }
}

/** Opens the file for writing. Throws if that is not possible, as while the file system is read-only. */
export function openFile(file: string): Connection {
  const reason = whyUnwritable(file);
  if (reason !== undefined) throw new Error(reason);
  let database: DatabaseSync;
  try {
    database = openDatabase(file, 'shared');
  } catch (error) {
    if (!isFull(error)) throw error;
    database = openDatabase(file, 'single');
  }
  return connect(database, { isCopy: false });
}

/** Sets the damaged file aside and copies the readable rows of `tables` into a new one. */
export function replaceDamaged(
  file: string,
  error: unknown,
  tables: readonly Table[],
  log: Log,
): Connection {
  const keptAs = setAside(file, 'damaged');
  const database = openDatabase(file, 'shared');
  // Opening a FIFO would wait for ever.
  const { rows, unreadableRows } =
    error instanceof NotAStore ? { rows: 0, unreadableRows: 0 } : salvage(keptAs, database, tables);
  const reason = error instanceof Error ? error.message : String(error);
  log.write('error', 'store.damaged', 'the store was damaged; what can be read of it is used', {
    file,
    keptAs,
    reason,
    rows,
    unreadableRows,
  });
  return connect(database, { isCopy: false, replaced: { keptAs, reason, rows } });
}

function replaceOtherVersion(file: string, version: number, log: Log): Connection {
  if (version > SCHEMA_VERSION) {
    throw new UnreadableStore(
      `${file} was written by a newer migration-agent (state version ${version}, this one has ${SCHEMA_VERSION}); install that version again, or move the file away`,
    );
  }
  const keptAs = setAside(file, `version-${version}`);
  log.write('error', 'store.outdated', 'the store is of an older version; a new one is used', {
    file,
    keptAs,
    version,
  });
  const database = openDatabase(file, 'shared');
  const reason = `it is of version ${version}`;
  return connect(database, { isCopy: false, replaced: { keptAs, reason, rows: 0 } });
}

function connect(
  database: DatabaseSync,
  about: Pick<Connection, 'isCopy' | 'replaced'>,
): Connection {
  return { database, ...about, ...prepareStatements(database) };
}

/** `undefined` if the file, or the directory for a new one, can be written. */
function whyUnwritable(file: string): string | undefined {
  for (const path of [dirname(file), file]) {
    try {
      accessSync(path, constants.W_OK);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') return message;
    }
  }
  return undefined;
}
