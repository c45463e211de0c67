/** Copies of a store that cannot be used: named, numbered and limited; and the copy that is read on a read-only disk. */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openReadOnlyCopy, setAside } from '../../src/store/copies.ts';
import { openDatabase } from '../../src/store/schema.ts';
import { salvage } from '../../src/store/salvage.ts';
import { FAST_DIRECTORY } from '../support/fast-directory.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(FAST_DIRECTORY, 'migration-agent-copies-'));
  file = join(directory, 'state.db');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const names = (): string[] => readdirSync(directory).sort();

function fill(suffixes: readonly string[], text = 'x'): void {
  for (const suffix of suffixes) writeFileSync(file + suffix, text);
}

describe('a file that is set aside', () => {
  test('goes with its log to a name that says why', () => {
    fill(['', '-wal', '-shm']);
    expect(setAside(file, 'damaged')).toBe(`${file}.damaged-1`);
    expect(names()).toEqual([
      'state.db.damaged-1',
      'state.db.damaged-1-shm',
      'state.db.damaged-1-wal',
    ]);
  });

  test('without a log is one file', () => {
    fill(['']);
    setAside(file, 'version-1');
    expect(names()).toEqual(['state.db.version-1-1']);
  });

  test('gets the number after the highest, whatever the reason was; other files do not count', () => {
    fill(['', '.damaged-3', '.version-1-7', '.damaged-9.txt']);
    writeFileSync(join(directory, 'other.db.damaged-20'), '');
    expect(setAside(file, 'damaged')).toBe(`${file}.damaged-8`);
  });

  test('pushes out the oldest, with their logs, so that five are left', () => {
    fill([
      '',
      '.damaged-1',
      '.damaged-1-wal',
      '.damaged-1-shm',
      '.damaged-2',
      '.damaged-3',
      '.damaged-4',
      '.damaged-5',
    ]);
    setAside(file, 'damaged');
    expect(names()).toEqual([2, 3, 4, 5, 6].map((number) => `state.db.damaged-${number}`));
  });
});

describe('a copy in memory', () => {
  test('has what is in the file and in its log, and leaves both as they are', () => {
    const database = openDatabase(file, 'shared');
    database.exec("INSERT INTO metadata VALUES ('a', '1')");
    const before = readFileSync(`${file}-wal`);
    const copy = openReadOnlyCopy(file);
    expect(copy.prepare('SELECT id FROM metadata').all()).toEqual([{ id: 'a' }]);
    copy.exec("INSERT INTO metadata VALUES ('b', '1')");
    copy.close();
    expect(readFileSync(`${file}-wal`)).toEqual(before);
    expect(database.prepare('SELECT count(*) AS rows FROM metadata').get()).toEqual({ rows: 1 });
    database.close();
  });

  test('of no file is an empty store, and makes none', () => {
    const copy = openReadOnlyCopy(file);
    expect(copy.prepare('SELECT count(*) AS rows FROM run').get()).toEqual({ rows: 0 });
    copy.close();
    expect(existsSync(file)).toBe(false);
  });

  test('of what is no database fails, and leaves nothing behind', () => {
    writeFileSync(file, 'no database '.repeat(100));
    const mine = () =>
      readdirSync(FAST_DIRECTORY).filter((name) => name.startsWith('migration-agent-state-'));
    const before = new Set(mine());
    expect(() => openReadOnlyCopy(file)).toThrow(/not a database/);
    expect(
      mine().filter(
        (name) => !before.has(name) && existsSync(join(FAST_DIRECTORY, name, 'state.db')),
      ),
    ).toEqual([]);
  });
});

describe('what is saved of a damaged store', () => {
  const insert = (database: DatabaseSync, id: string): void =>
    void database.prepare('INSERT INTO metadata VALUES (?, ?)').run(id, '{}');

  test('is every readable row of the tables that are asked for, counted', () => {
    const source = openDatabase(file, 'shared');
    for (const id of ['a', 'b', 'c']) insert(source, id);
    source.exec("INSERT INTO hub_task VALUES ('t', '{}')");
    source.close();
    const into = openDatabase(join(directory, 'new.db'), 'shared');
    expect(salvage(file, into, ['metadata'])).toEqual({ rows: 3, unreadableRows: 0 });
    expect(into.prepare('SELECT id FROM metadata ORDER BY id').all()).toEqual([
      { id: 'a' },
      { id: 'b' },
      { id: 'c' },
    ]);
    expect(into.prepare('SELECT id FROM hub_task').all()).toEqual([]);
    expect(into.isTransaction).toBe(false);
    into.close();
  });

  test('is nothing of a file that is no database', () => {
    writeFileSync(file, 'no database '.repeat(100));
    const into = openDatabase(join(directory, 'new.db'), 'shared');
    expect(salvage(file, into, ['run', 'metadata'])).toEqual({ rows: 0, unreadableRows: 0 });
    into.close();
  });

  test('counts a row whose value is gone or has become another type as unreadable, and takes the others', () => {
    const source = new DatabaseSync(file);
    source.exec('CREATE TABLE metadata (id TEXT PRIMARY KEY, body)');
    source.exec("INSERT INTO metadata VALUES ('a', NULL), ('b', '{}'), ('c', x'00ff')");
    source.close();
    const into = openDatabase(join(directory, 'new.db'), 'shared');
    expect(salvage(file, into, ['metadata'])).toEqual({ rows: 1, unreadableRows: 2 });
    expect(into.prepare('SELECT id FROM metadata').all()).toEqual([{ id: 'b' }]);
    into.close();
  });

  test('is undone, and fails, if the new file takes no rows', () => {
    const source = openDatabase(file, 'shared');
    insert(source, 'a');
    source.close();
    const into = new DatabaseSync(join(directory, 'new.db'));
    expect(() => salvage(file, into, ['metadata'])).toThrow(/no such table/);
    expect(into.isTransaction).toBe(false);
    into.close();
  });
});
