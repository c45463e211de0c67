/** The file of the store: its tables and their version, who may read it, and what is no such file. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NotAStore, SCHEMA_VERSION, openDatabase } from '../../src/store/schema.ts';
import { FAST_DIRECTORY } from '../support/fast-directory.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(FAST_DIRECTORY, 'migration-agent-schema-'));
  file = join(directory, 'state.db');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** The columns of each table, in their order. */
const COLUMNS = {
  damaged_row: 'source id body',
  hub_task: 'id body',
  metadata: 'id body',
  run: 'id job state body',
  timeline: 'id job run event wall_ms boot_ms fields',
};

test('whoever changes a table raises the version', () => {
  const database = openDatabase(file, 'shared');
  const tables = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all()
    .map(({ name }) => String(name));
  const columns = (table: string): string =>
    database
      .prepare(`SELECT name FROM pragma_table_info('${table}')`)
      .all()
      .map(({ name }) => String(name))
      .join(' ');
  const found = Object.fromEntries(tables.map((table) => [table, columns(table)]));
  const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
  database.close();
  expect({ version, found }).toEqual({ version: 2, found: COLUMNS });
  expect(SCHEMA_VERSION).toBe(2);
});

describe('a connection', () => {
  test('writes to the disk with each commit, and pages that deleted rows leave can be given back', () => {
    const database = openDatabase(file, 'shared');
    const pragma = (name: string) =>
      Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    expect(['journal_mode', 'synchronous', 'auto_vacuum', 'busy_timeout'].map(pragma)).toEqual([
      ...['wal', 2, 2, 2000],
    ]);
    database.close();
  });

  test('that is the only one needs no shared index, for which a full disk has no room', () => {
    const shared = openDatabase(file, 'shared');
    expect(existsSync(`${file}-shm`)).toBe(true);
    shared.close();
    const single = openDatabase(file, 'single');
    single.exec("INSERT INTO metadata VALUES ('a', '1')");
    expect([existsSync(`${file}-wal`), existsSync(`${file}-shm`)]).toEqual([true, false]);
    single.close();
  });
});

test('the file and its log are for their owner alone, also those that were not', () => {
  const modes = (): number[] =>
    readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777);
  const first = openDatabase(file, 'shared');
  expect(modes()).toEqual([0o600, 0o600, 0o600]);
  for (const suffix of ['', '-wal', '-shm']) chmodSync(file + suffix, 0o644);
  const second = openDatabase(file, 'shared');
  expect(modes()).toEqual([0o600, 0o600, 0o600]);
  first.close();
  second.close();
});

test.each([
  ['an empty file', () => writeFileSync(file, ''), 'the store is empty'],
  ['a directory', () => mkdirSync(file), 'the store is not a regular file'],
])('%s in its place is no store, and stays as it is', (_what, make, message) => {
  make();
  const { mode } = statSync(file);
  expect(() => openDatabase(file, 'shared')).toThrow(new NotAStore(message));
  expect(readdirSync(directory)).toEqual(['state.db']);
  // Without its mode a directory could not be entered any more.
  if (!statSync(file).isFile()) expect(statSync(file).mode).toBe(mode);
});

test('a new file that cannot be filled is not left behind empty', () => {
  // A log that cannot be written.
  mkdirSync(`${file}-wal`);
  expect(() => openDatabase(file, 'shared')).toThrow();
  expect(existsSync(file)).toBe(false);
});
