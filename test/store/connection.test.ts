/** A file in any state is opened, or refused with its reason; whatever is set aside is logged with what could be read. */
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openConnection } from '../../src/store/connection.ts';
import { openStore } from '../../src/store/store.ts';
import type { SqliteStore } from '../../src/store/store.ts';
import type { Run } from '../../src/core/model/job.ts';
import type { Changes } from '../../src/core/state/persistent-state.ts';
import { START, aRun } from '../support/desk.ts';
import { FAST_DIRECTORY } from '../support/fast-directory.ts';

const PAGE_BYTES = 4096;

let directory: string;
let file: string;
const lines: object[] = [];
const log = {
  write: (level: string, event: string, _message: string, fields: object): void => {
    lines.push({ level, event, ...fields });
  },
};
beforeEach(() => {
  directory = mkdtempSync(join(FAST_DIRECTORY, 'migration-agent-connection-'));
  file = join(directory, 'state.db');
  lines.length = 0;
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const changes = (over: Partial<Changes>): Changes => ({
  ...{ runs: [], hubTasks: [], droppedRuns: [], droppedHubTasks: [], events: [], ...over },
});
const runs = (count: number): Run[] =>
  Array.from({ length: count }, (_, i) => aRun({ number: i + 1 }));
const open = (boot = 'boot-1'): SqliteStore => openStore(directory, boot, log);

/** A store with 60 runs, their timeline and the agent's metadata; closed. */
function fill(): void {
  const store = open();
  store.load(START);
  const events = runs(60).map(({ id }) => ({
    ...{ event: 'job.exited' as const, at: START, job: 'copy', run: id, fields: { exitCode: 0 } },
  }));
  store.commit(changes({ runs: runs(60), events, metadata: { streams: ['eu/x'] } }));
  store.close();
}

function damage(page: number): void {
  const bytes = readFileSync(file);
  bytes.fill(0xff, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
  writeFileSync(file, bytes);
}

/** The first page of a table, counted from 0. */
function rootPage(table: string): number {
  const database = new DatabaseSync(file);
  const row = database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table);
  database.close();
  return Number(row?.['rootpage']) - 1;
}

function setVersion(version: number): void {
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA user_version = ${version}`);
  database.close();
}

describe('a damaged file', () => {
  test('is set aside, and the rows that can be read are counted and used', () => {
    fill();
    damage(rootPage('hub_task'));
    const store = open();
    expect(store.load(START).runs.size).toBe(60);
    const keptAs = `${file}.damaged-1`;
    // 60 runs, 60 events, and of the metadata the agent's and the boot's.
    expect(lines).toMatchObject([
      { level: 'error', event: 'store.damaged', file, keptAs, rows: 122, unreadableRows: 0 },
    ]);
    expect(store.problems()).toEqual([
      `the state file could not be used (database disk image is malformed): 122 of its rows were read; a run may be missing here while its job goes on; it is kept as ${keptAs}: check the disk, then restart the agent`,
    ]);
    expect(store.timeline('copy', 100)).toHaveLength(60);
    store.close();
  });

  test('whose header shows a newer version is not taken for one', () => {
    fill();
    setVersion(99);
    damage(3);
    const store = open();
    store.load(START);
    store.close();
    expect(lines).toMatchObject([{ event: 'store.damaged', keptAs: `${file}.damaged-1` }]);
    expect(String(Object.entries(lines[0] ?? {}))).toMatch(/the version is not to be trusted: /);
  });

  test('is made anew from memory while the agent runs, but for its timeline', () => {
    fill();
    const store = open();
    const state = store.load(START);
    store.close();
    // What is in memory counts, not what is on disk.
    const database = new DatabaseSync(file);
    database.exec("UPDATE metadata SET body = 'x' WHERE id = 'agent'");
    database.close();
    damage(rootPage('run'));
    state.metadata = { streams: ['eu/y'] };
    store.commit(changes({ runs: [aRun({ job: 'new', id: 'new/1' })] }));
    expect(store.timeline('copy', 100)).toHaveLength(60);
    expect(store.problems()[0]).toContain('it was written anew from memory');
    store.close();
    const next = open().load(START);
    expect([next.runs.size, next.metadata]).toEqual([61, { streams: ['eu/y'] }]);
  });
});

describe('a file of another version', () => {
  test('that is older is kept beside a new one, with the reason', () => {
    fill();
    setVersion(1);
    const { database, isCopy, replaced } = openConnection(file, log);
    database.close();
    expect([isCopy, replaced]).toEqual([
      false,
      { isDamaged: false, keptAs: `${file}.version-1-1`, reason: 'it is of version 1', rows: 0 },
    ]);
    expect(lines).toEqual([
      {
        ...{ level: 'error', event: 'store.outdated', file, version: 1 },
        keptAs: `${file}.version-1-1`,
      },
    ]);
  });

  test('that is newer is refused, and left as it is', () => {
    fill();
    setVersion(3);
    expect(() => openConnection(file, log)).toThrow(
      `${file} was written by a newer migration-agent (state version 3, this one has 2); install that version again, or move the file away`,
    );
    expect([lines, readdirSync(directory)]).toEqual([[], ['state.db']]);
  });
});

/** A link to itself can be opened by nobody, root included, as a file on a disk that takes no writes. */
describe('a file that cannot be written', () => {
  beforeEach(() => symlinkSync(file, file));

  test('is read through a copy, and that is logged with its reason', () => {
    const { database, isCopy } = openConnection(file, log);
    database.close();
    expect(isCopy).toBe(true);
    expect(lines).toEqual([
      {
        ...{ level: 'error', event: 'store.read_only', file },
        reason: expect.stringContaining('ELOOP') as string,
      },
    ]);
  });

  test('is written as soon as it can be, with all that is in memory', () => {
    const store = open('boot-2');
    const state = store.load(START);
    state.saveRun(aRun());
    store.saveGateLevels(new Map([['PollForTask', 3]]), START);
    expect(store.takeGateLevels(START)).toBeUndefined();
    expect(() => store.commit(changes({ runs: [aRun()] }))).toThrow(/ELOOP/);
    rmSync(file);
    state.saveRun(aRun({ number: 2 }));
    store.commit(changes({ runs: [aRun({ number: 2 })] }));
    store.close();
    const next = open('boot-2');
    expect([...next.load(START).runs.keys()]).toEqual(['copy/1', 'copy/2']);
    next.close();
    expect(lines).toHaveLength(1);
  });

  test('keeps the agent running without gate levels', () => {
    const store = open();
    expect(() => store.saveGateLevels(new Map(), START)).not.toThrow();
    expect(store.takeGateLevels(START)).toBeUndefined();
    store.close();
  });
});
