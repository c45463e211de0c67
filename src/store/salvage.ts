/**
 * Copies the rows of a damaged store that can still be read. A damaged page hides the rows on it, and ends every scan that
 * meets it. So the row ids are collected by several scans, from both ends and through the index, and then each row is read
 * by itself.
 */
import { DatabaseSync } from 'node:sqlite';
import type { Table } from './schema.ts';

export interface Salvaged {
  readonly rows: number;
  /** Rows that are known to exist and cannot be read. There may be others. */
  readonly unreadableRows: number;
}

export function salvage(damaged: string, into: DatabaseSync, tables: readonly Table[]): Salvaged {
  let source: DatabaseSync;
  try {
    source = new DatabaseSync(damaged, { readOnly: true });
  } catch {
    return { rows: 0, unreadableRows: 0 };
  }
  try {
    into.exec('BEGIN IMMEDIATE');
    let rows = 0;
    let unreadableRows = 0;
    for (const table of tables) {
      for (const rowid of rowids(source, table)) {
        if (copyRow(source, into, table, rowid)) rows += 1;
        else unreadableRows += 1;
      }
    }
    into.exec('COMMIT');
    return { rows, unreadableRows };
  } catch (error) {
    if (into.isTransaction) into.exec('ROLLBACK');
    throw error;
  } finally {
    source.close();
  }
}

function rowids(source: DatabaseSync, table: Table): ReadonlySet<number> {
  const found = new Set<number>();
  for (const order of ['rowid', 'rowid DESC', 'id', 'id DESC']) {
    try {
      const scan = source.prepare(`SELECT rowid AS number FROM ${table} ORDER BY ${order}`);
      for (const row of scan.iterate()) found.add(Number(row['number']));
    } catch {
      // The scan met a damaged page; what it found before counts.
    }
  }
  return found;
}

/** False if the row cannot be read, or is not one of this table. */
function copyRow(source: DatabaseSync, into: DatabaseSync, table: Table, rowid: number): boolean {
  let row: Record<string, unknown> | undefined;
  try {
    row = source.prepare(`SELECT * FROM ${table} WHERE rowid = ?`).get(rowid);
  } catch {
    return false;
  }
  if (row === undefined) return false;
  const names = Object.keys(row);
  const values = Object.values(row) as (string | number | null)[];
  const places = names.map(() => '?').join(', ');
  try {
    const { changes } = into
      .prepare(`INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${places})`)
      .run(...values);
    // What is null by damage, or has the key of another row, is ignored.
    return changes === 1;
  } catch (error) {
    // SQLITE_CONSTRAINT (19): the damage turned a value into another type. Anything else is the new file's fault.
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === 19) return false;
    throw error;
  }
}
