/**
 * Opens the store's file whatever state it is in. A damaged file is set aside as a copy, and what can be read of it is
 * used. A file of an older version is set aside. A file that cannot be written is read through a copy in memory, a damaged
 * one too. Each case is logged. A file of a newer version is left alone.
 */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Log } from '../ports.ts';
import { openEmptyCopy, openReadOnlyCopy, putBack, setAside, withScratchCopy } from './copies.ts';
import { salvage } from './salvage.ts';
import type { Salvaged } from './salvage.ts';
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
  /** It is damaged; otherwise it is of an older version. */
  readonly isDamaged: boolean;
}

const NOTHING_READ: Salvaged = { rows: 0, unreadableRows: 0 };

export class UnreadableStore extends Error {
  override readonly name = 'UnreadableStore';
}

/** Throws `UnreadableStore` for the file of a newer version, or what the disk reports. */
export function openConnection(file: string, log: Log): Connection {
  try {
    return openWritable(file, TABLES, log);
  } catch (error) {
    const reason = whyUnwritable(file) ?? (isFull(error) ? 'the disk is full' : undefined);
    if (reason === undefined) throw error;
    return openCopy(file, reason, log);
  }
}

/** Opens the file for writing; a damaged one is made anew, with the readable rows of `tables`. Throws what the disk reports. */
export function openWritable(file: string, tables: readonly Table[], log: Log): Connection {
  try {
    return openFile(file);
  } catch (error) {
    if (error instanceof OtherVersion) return replaceOtherVersion(file, error.version, log);
    if (isUnusable(error)) return replaceDamaged(file, error, tables, log);
    throw error;
  }
}

/** The file cannot be written, or not made anew: what it holds is read into memory. */
function openCopy(file: string, reason: string, log: Log): Connection {
  log.write('error', 'store.read_only', 'the store cannot be written; it is read, jobs go on', {
    file,
    reason,
  });
  try {
    return connect(openReadOnlyCopy(file), { isCopy: true });
  } catch (error) {
    if (error instanceof OtherVersion) {
      if (error.version > SCHEMA_VERSION) throw new UnreadableStore(newerText(file, error.version));
      const why = `it is of version ${error.version}`;
      return connect(openEmptyCopy(), {
        isCopy: true,
        replaced: { keptAs: file, reason: why, rows: 0, isDamaged: false },
      });
    }
    if (!isUnusable(error)) throw error;
    return copyDamaged(file, error, log);
  }
}

/** As `replaceDamaged`, but the readable rows are in memory, and the damaged file stays where it is. */
function copyDamaged(file: string, error: unknown, log: Log): Connection {
  const database = openEmptyCopy();
  const salvaged =
    error instanceof NotAStore
      ? NOTHING_READ
      : withScratchCopy(file, (copy) => salvage(copy, database, TABLES));
  const replaced = reportDamage(file, file, error, salvaged, log);
  return connect(database, { isCopy: true, replaced });
}

/** True if no attempt to open the file can succeed, whatever the disk does. */
function isUnusable(error: unknown): boolean {
  return isDamage(error) || error instanceof NotAStore || error instanceof DamagedHeader;
}

/** Opens the file for writing. Throws if that is not possible, as while the file system is read-only. */
function openFile(file: string): Connection {
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

/** Makes the damaged file anew if it can be written and there is room; otherwise its rows are in memory for the time being. */
export function replaceOrCopy(
  file: string,
  error: unknown,
  tables: readonly Table[],
  log: Log,
): Connection {
  if (whyUnwritable(file) !== undefined) return copyDamaged(file, error, log);
  try {
    return replaceDamaged(file, error, tables, log);
  } catch (failure) {
    if (!isFull(failure)) throw failure;
    return copyDamaged(file, error, log);
  }
}

/** Sets the damaged file aside and copies the readable rows of `tables` into a new one. */
export function replaceDamaged(
  file: string,
  error: unknown,
  tables: readonly Table[],
  log: Log,
): Connection {
  const keptAs = setAside(file, 'damaged');
  const { database, salvaged } = makeAnew(file, keptAs, (into) =>
    // Opening a FIFO would wait for ever.
    error instanceof NotAStore ? NOTHING_READ : salvage(keptAs, into, tables),
  );
  const replaced = reportDamage(file, keptAs, error, salvaged, log);
  return connect(database, { isCopy: false, replaced });
}

/** Makes a new file in the place of one that was set aside. If there is no room for it, the old one comes back. */
function makeAnew(
  file: string,
  keptAs: string,
  fill: (database: DatabaseSync) => Salvaged,
): { readonly database: DatabaseSync; readonly salvaged: Salvaged } {
  let database: DatabaseSync | undefined;
  try {
    database = openDatabase(file, 'shared');
    return { database, salvaged: fill(database) };
  } catch (error) {
    database?.close();
    putBack(keptAs, file);
    throw error;
  }
}

function reportDamage(
  file: string,
  keptAs: string,
  error: unknown,
  { rows, unreadableRows }: Salvaged,
  log: Log,
): Replaced {
  const reason = error instanceof Error ? error.message : String(error);
  log.write('error', 'store.damaged', 'the store was damaged; what can be read of it is used', {
    file,
    keptAs,
    reason,
    rows,
    unreadableRows,
  });
  return { keptAs, reason, rows, isDamaged: true };
}

function replaceOtherVersion(file: string, version: number, log: Log): Connection {
  if (version > SCHEMA_VERSION) {
    throw new UnreadableStore(newerText(file, version));
  }
  const keptAs = setAside(file, `version-${version}`);
  const { database } = makeAnew(file, keptAs, () => NOTHING_READ);
  log.write('error', 'store.outdated', 'the store is of an older version; a new one is used', {
    file,
    keptAs,
    version,
  });
  const reason = `it is of version ${version}`;
  const replaced = { keptAs, reason, rows: 0, isDamaged: false };
  return connect(database, { isCopy: false, replaced });
}

function newerText(file: string, version: number): string {
  return `${file} was written by a newer migration-agent (state version ${version}, this one has ${SCHEMA_VERSION}); install that version again, or move the file away`;
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
