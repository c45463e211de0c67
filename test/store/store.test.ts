/** The SQLite store by its port: the next agent has what was committed, whatever happened to the last one. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HubTask } from '../../src/core/model/hub-task.ts';
import type { Run } from '../../src/core/model/job.ts';
import { PersistentState } from '../../src/core/state/persistent-state.ts';
import type { Changes } from '../../src/core/state/persistent-state.ts';
import { UnreadableStore } from '../../src/store/connection.ts';
import { openStore } from '../../src/store/store.ts';
import { memoryLog } from '../support/ports.ts';
import { definition } from '../support/settings.ts';
import { FAST_DIRECTORY } from '../support/fast-directory.ts';

const NOW = { wallMs: 1_000_000, bootMs: 5_000 };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(FAST_DIRECTORY, 'migration-agent-store-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function open(bootId = 'boot-1', log = memoryLog()) {
  return openStore(directory, bootId, log);
}

function run(over: Partial<Run> = {}): Run {
  return {
    id: 'copy/1',
    job: 'copy',
    number: 1,
    definition: definition('copy'),
    origin: 'operator',
    state: 'running',
    requestedAt: NOW,
    startedAt: NOW,
    spawn: 1,
    ...over,
  };
}

function changes(over: Partial<Changes>): Changes {
  return { runs: [], hubTasks: [], droppedRuns: [], droppedHubTasks: [], events: [], ...over };
}

test('a log that a power loss cut anywhere leaves what was committed up to there, whole turns and in order', () => {
  const first = open();
  const sizes: number[] = [];
  const log = join(directory, 'state.db-wal');
  for (let percent = 0; percent < 20; percent++) {
    first.commit(
      changes({ runs: [run({ percent }), run({ id: 'other/1', job: 'other', percent })] }),
    );
    sizes.push(statSync(log).size);
  }
  const copy = join(directory, 'copy');
  mkdirSync(copy);
  const step = 7777;
  for (let size = sizes.at(-1) ?? 0; size > 0; size -= step) {
    writeFileSync(join(copy, 'state.db'), readFileSync(join(directory, 'state.db')));
    writeFileSync(join(copy, 'state.db-wal'), readFileSync(log).subarray(0, size));
    rmSync(join(copy, 'state.db-shm'), { force: true });
    const next = openStore(copy, 'boot-1', memoryLog());
    const { runs } = next.load(NOW);
    next.close();
    const last = sizes.filter((end) => end <= size).length - 1;
    // Of the schema's own pages and of a turn that is cut nothing shows.
    if (last < 0) continue;
    expect(runs.get('copy/1')?.percent).toBe(last);
    expect(runs.get('other/1')?.percent).toBe(last);
  }
  first.close();
});

test('the next agent has runs, Hub tasks and metadata exactly as they were', () => {
  const first = open();
  expect(first.isNew()).toBe(true);
  first.load(NOW);
  const task: HubTask = {
    name: 'copy',
    imported: true,
    run: 'copy/1',
    lastStampS: 7,
    finalReports: [
      { run: 'copy/0', kind: 'end', payload: { status: 'FAILED' }, stampS: 6, since: NOW },
    ],
    links: [],
  };
  first.commit(changes({ runs: [run()], hubTasks: [task], metadata: { streams: ['eu/x'] } }));
  first.close();
  const second = open();
  expect(second.isNew()).toBe(false);
  const state = second.load(NOW);
  expect(state.runs.get('copy/1')).toEqual(run());
  expect([...state.liveRuns.keys()]).toEqual(['copy/1']);
  expect(state.hubTasks.get('copy')).toEqual(task);
  expect(state.metadata).toEqual({ streams: ['eu/x'] });
  second.commit(changes({ droppedRuns: ['copy/1'], droppedHubTasks: ['copy'] }));
  second.close();
  expect(open().load(NOW).runs.size).toBe(0);
});

test('after a reboot every instant is moved onto the new boot clock, by how long ago it was', () => {
  const first = open('boot-1');
  first.load(NOW);
  const startedMs = Date.UTC(2026, 0, 1);
  first.commit(changes({ runs: [run({ startedAt: { wallMs: startedMs, bootMs: 4_000 } })] }));
  first.close();
  const later = { wallMs: startedMs + 700_000, bootMs: 100 };
  const state = open('boot-2').load(later);
  expect(state.runs.get('copy/1')?.startedAt).toEqual({
    ...{ wallMs: startedMs, bootMs: 100 - 700_000 },
  });
});

test('a run that ended while the clock showed 1970 is not decades old after a reboot, and its window has ended', () => {
  const first = open('boot-1');
  first.load(NOW);
  const wrong = { wallMs: 60_000, bootMs: 4_000 };
  const task = {
    ...{ taskId: 't', pipelineId: 'df', attemptId: 'a', instance: 'i', workerGroup: 'g' },
    ...{ windowMs: 900_000, receivedAt: wrong },
  };
  const ended = run({ endedAt: wrong, pipeline: { task, delivery: { state: 'pending' } } });
  first.commit(changes({ runs: [ended] }));
  first.close();
  const later = { wallMs: Date.UTC(2026, 0, 1), bootMs: 100 };
  const found = open('boot-2').load(later).runs.get('copy/1');
  expect(found?.endedAt).toEqual(later);
  expect(found?.pipeline?.task.receivedAt.bootMs).toBeLessThan(-86_400_000);
});

test('after a reboot a run that waits has to confirm its task again: the age of the window is known from wall clocks alone', () => {
  const first = open('boot-1');
  first.load(NOW);
  const task = {
    ...{ taskId: 't', pipelineId: 'df', attemptId: 'a', instance: 'i', workerGroup: 'g' },
    ...{ windowMs: 900_000, receivedAt: NOW },
  };
  const pipeline = { task, acknowledgedAt: NOW, acceptedAt: NOW, delivery: { state: 'pending' } };
  first.commit(changes({ runs: [run({ state: 'queued', pipeline } as Partial<Run>)] }));
  first.close();
  const sameBoot = open('boot-1');
  expect(sameBoot.load(NOW).runs.get('copy/1')?.pipeline).not.toHaveProperty('unconfirmedSince');
  sameBoot.close();
  const found = open('boot-2').load(NOW).runs.get('copy/1');
  expect(found?.pipeline?.acceptedAt).toBeDefined();
  expect(found?.pipeline?.unconfirmedSince).toBeDefined();
});

test('after a reboot no window begins in the future, although the clock was years ahead before', () => {
  const YEARS_MS = 30 * 365 * 86_400_000;
  const wallMs = Date.UTC(2026, 0, 1);
  const ahead = { wallMs: wallMs + YEARS_MS, bootMs: 50_000 };
  const left = open('boot-1');
  const state = left.load(ahead);
  const early = run({ requestedAt: ahead, startedAt: ahead });
  state.saveRun(early);
  state.saveHubTask({
    ...{ name: 'copy', imported: true, run: early.id, lastStampS: 1, finalReports: [], links: [] },
    promise: {
      ...{ run: early.id, payload: { status: 'IN_PROGRESS' }, madeAt: ahead, nextUpdateS: 300 },
      until: { wallMs: ahead.wallMs + 300_000, bootMs: ahead.bootMs + 300_000 },
    },
  });
  left.commit(state.takeChanges());
  left.close();
  const found = open('boot-2').load({ wallMs, bootMs: 10_000 });
  expect(found.runs.get(early.id)?.startedAt).toEqual({ wallMs, bootMs: 10_000 });
  expect(found.hubTasks.get('copy')?.promise?.madeAt.bootMs).toBe(10_000);
  expect(found.hubTasks.get('copy')?.promise?.until.bootMs).toBeGreaterThan(10_000);
});

test('the newest events of a job’s timeline are kept, in order', () => {
  const store = open();
  store.load(NOW);
  const notes = Array.from({ length: 30 }, (_, i) => ({
    event: 'job.exited' as const,
    at: { wallMs: i, bootMs: 1000 + i },
    job: 'copy',
    run: 'copy/1',
    fields: { i },
  }));
  store.commit(changes({ events: [...notes, { ...notes[0]!, event: 'report.accepted' }] }));
  const entries = store.timeline('copy', 10);
  expect(entries.map((entry) => entry.fields['i'])).toEqual([
    20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
  ]);
  // As it was written, but for the job, which is asked for.
  const { job, ...last } = { ...notes[29]!, at: { wallMs: 29, bootMs: 1029 } };
  expect([entries.at(-1), job]).toEqual([last, 'copy']);
  expect(store.timeline('other', 10)).toEqual([]);
});

test('a turn is all or nothing', () => {
  const store = open();
  store.load(NOW);
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const bad = { event: 'job.exited' as const, at: NOW, job: 'copy', fields: circular };
  expect(() => {
    store.commit(changes({ runs: [run()], events: [bad] }));
  }).toThrow();
  expect(store.load(NOW).runs.size).toBe(0);
  store.commit(changes({ runs: [run()] }));
  expect(store.load(NOW).runs.size).toBe(1);
});

test('gate levels can be taken once, and not after a reboot', () => {
  const store = open();
  store.load(NOW);
  store.saveGateLevels(new Map([['PollForTask', 3]]), NOW);
  expect(store.takeGateLevels({ ...NOW, bootMs: NOW.bootMs + 500 })).toEqual({
    levels: new Map([['PollForTask', 3]]),
    ageMs: 500,
  });
  expect(store.takeGateLevels(NOW)).toBeUndefined();
  store.saveGateLevels(new Map([['PollForTask', 3]]), NOW);
  store.close();
  expect(open('boot-2').takeGateLevels(NOW)).toBeUndefined();
});

describe('a store that cannot be used as it is', () => {
  /** A store with enough runs for many pages, and its timeline; closed. */
  function fill(count = 200): void {
    const store = open();
    store.load(NOW);
    const runs = Array.from({ length: count }, (_, i) => run({ id: `copy/${i}`, number: i }));
    const events = runs.map(({ id }) => ({
      event: 'job.exited' as const,
      at: NOW,
      job: 'copy',
      run: id,
      fields: { exitCode: 0 },
    }));
    store.commit(changes({ runs, events, metadata: { streams: ['eu/x'] } }));
    store.close();
  }

  const file = (): string => join(directory, 'state.db');
  const copies = (): string[] =>
    readdirSync(directory).filter((name) => /^state\.db\.[a-z0-9-]+-\d+$/.test(name));

  test('that is not a database is kept as a copy, and a new one is used', () => {
    const text = 'this is not a database, and long enough to look like one'.repeat(100);
    writeFileSync(file(), text);
    const log = memoryLog();
    const store = open('boot-1', log);
    expect(store.load(NOW).runs.size).toBe(0);
    expect(log.lines).toEqual([{ level: 'error', event: 'store.damaged' }]);
    expect(copies()).toEqual(['state.db.damaged-1']);
    expect(readFileSync(join(directory, 'state.db.damaged-1'), 'utf8')).toBe(text);
    // An agent ran here before: the gates must not start with a full burst.
    expect(store.isNew()).toBe(false);
    expect(store.problems()).toEqual([
      `the state file could not be used (file is not a database): 0 of its rows were read; a run may be missing here while its job goes on; it is kept as ${file()}.damaged-1: check the disk, then restart the agent`,
    ]);
    store.close();
    // Whoever restarted it has seen it.
    expect(open('boot-1').problems()).toEqual([]);
  });

  test.each(['a directory', 'a FIFO'])('in whose place there is %s is set aside', (what) => {
    if (what === 'a FIFO') execFileSync('mkfifo', [file()]);
    else mkdirSync(join(file(), 'below'), { recursive: true });
    const log = memoryLog();
    const store = open('boot-1', log);
    expect(store.load(NOW).runs.size).toBe(0);
    expect(log.lines).toEqual([{ level: 'error', event: 'store.damaged' }]);
    expect(copies()).toEqual(['state.db.damaged-1']);
  });

  test('that is empty counts as damaged, not as a new host', () => {
    writeFileSync(file(), '');
    const log = memoryLog();
    const store = open('boot-1', log);
    expect(store.load(NOW).runs.size).toBe(0);
    expect(log.lines).toEqual([{ level: 'error', event: 'store.damaged' }]);
    expect(store.isNew()).toBe(false);
  });

  test('with any one page damaged opens, and the rows on the other pages are used', () => {
    fill();
    const whole = readFileSync(file());
    const pageBytes = whole.readUInt16BE(16);
    const pages = whole.length / pageBytes;
    expect(pages).toBeGreaterThan(30);
    const sizes: number[] = [];
    for (let page = 0; page < pages; page += 1) {
      rmSync(directory, { recursive: true });
      mkdirSync(directory);
      const damaged = Buffer.from(whole);
      damaged.fill(0xff, page * pageBytes, (page + 1) * pageBytes);
      writeFileSync(file(), damaged);
      const log = memoryLog();
      const store = open('boot-1', log);
      expect(store.isNew()).toBe(false);
      store.takeGateLevels(NOW);
      const { runs } = store.load(NOW);
      store.commit(changes({ runs: [run({ id: 'new/1', job: 'new' })] }));
      sizes.push(runs.size);
      if (runs.size < 200) expect(log.lines[0]).toEqual({ level: 'error', event: 'store.damaged' });
      store.close();
      const again = open();
      expect(again.load(NOW).runs.size).toBe(runs.size + 1);
      again.close();
    }
    // Two pages hide every run: the first one, with the list of tables, and the root of the table.
    expect(sizes.filter((size) => size === 0)).toHaveLength(2);
    // Any other holds eight rows at most.
    expect(sizes.filter((size) => size > 0 && size < 192)).toEqual([]);
  });

  test('with a row that cannot be used sets the row aside and uses the others', () => {
    fill(3);
    const database = new DatabaseSync(file());
    for (const [id, body] of [
      ['copy/0', '{"id": "copy/0"'],
      ['copy/1', '{"id":"copy/1","state":"dancing"}'],
    ]) {
      database.prepare('UPDATE run SET body = ? WHERE id = ?').run(body!, id!);
    }
    database.prepare("INSERT INTO hub_task VALUES ('t', 'null')").run();
    database.prepare("UPDATE metadata SET body = '[' WHERE id = 'agent'").run();
    database.prepare('INSERT INTO metadata VALUES (\'gates\', \'{"bootId":"boot-1"}\')').run();
    database.prepare("UPDATE timeline SET fields = '{' WHERE id = 1").run();
    database.close();
    const log = memoryLog();
    const store = open('boot-1', log);
    expect(store.takeGateLevels(NOW)).toBeUndefined();
    const state = store.load(NOW);
    expect([...state.runs.keys()]).toEqual(['copy/2']);
    expect(state.hubTasks.size).toBe(0);
    expect(state.metadata).toEqual({ streams: [] });
    expect(store.timeline('copy', 10).map(({ fields }) => fields)).toEqual([
      {},
      { exitCode: 0 },
      { exitCode: 0 },
    ]);
    expect(log.lines.map(({ event }) => event)).toEqual(Array(4).fill('store.row_damaged'));
    expect(store.problems()).toEqual([
      expect.stringMatching(/^4 rows of .* cannot be used: a run may be missing/),
    ]);
    store.close();
    const kept = new DatabaseSync(file()).prepare('SELECT source, id, body FROM damaged_row').all();
    expect(kept.map((row) => `${String(row['source'])} ${String(row['id'])}`)).toEqual([
      'hub_task t',
      'run copy/0',
      'run copy/1',
      'metadata agent',
    ]);
    const next = memoryLog();
    open('boot-1', next).load(NOW);
    expect(next.lines).toEqual([]);
  });

  test('that becomes damaged under a running agent is rebuilt from the agent’s memory', () => {
    fill();
    const log = memoryLog();
    const store = open('boot-1', log);
    const state = store.load(NOW);
    const size = statSync(file()).size;
    writeFileSync(file(), Buffer.alloc(size, 0xff));
    rmSync(`${file()}-wal`, { force: true });
    const added = run({ id: 'new/1', job: 'new' });
    state.saveRun(added);
    // SQLite notices once its cache is of no use: here with a table that it has not read.
    for (let i = 0; i < 3 && log.lines.length === 0; i += 1) {
      store.timeline(`job-${i}`, 1);
      store.commit(changes({ runs: [added], events: [] }));
    }
    expect(log.lines).toEqual([{ level: 'error', event: 'store.damaged' }]);
    expect(store.problems()).toEqual([
      expect.stringMatching(/^the state file could not be used .* written anew from memory; it is/),
    ]);
    store.commit(changes({ runs: [added] }));
    store.close();
    expect(open().load(NOW).runs.size).toBe(201);
  });

  test('keeps five copies of a store that is damaged again and again', () => {
    for (let i = 0; i < 8; i += 1) {
      writeFileSync(file(), `damaged ${i} `.repeat(100));
      open().close();
    }
    expect(copies().sort()).toEqual([4, 5, 6, 7, 8].map((n) => `state.db.damaged-${n}`));
  });

  test('of an older version is set aside as a copy, and the agent starts', () => {
    const database = new DatabaseSync(file());
    database.exec('CREATE TABLE run (id TEXT); PRAGMA user_version = 1');
    database.close();
    const log = memoryLog();
    const store = open('boot-1', log);
    expect(store.load(NOW).runs.size).toBe(0);
    expect(log.lines).toEqual([{ level: 'error', event: 'store.outdated' }]);
    expect(copies()).toEqual(['state.db.version-1-1']);
    expect(store.isNew()).toBe(false);
  });

  test('of a newer version is left alone', () => {
    const database = new DatabaseSync(file());
    database.exec('CREATE TABLE run (id TEXT); PRAGMA user_version = 99');
    database.close();
    expect(() => open()).toThrow(UnreadableStore);
    expect(copies()).toEqual([]);
  });

  test('is readable by its owner only', () => {
    writeFileSync(join(directory, 'state.db'), '', { mode: 0o644 });
    const store = open();
    store.load(NOW);
    store.commit(changes({ runs: [run()] }));
    const modes = readdirSync(directory).map(
      (name) => statSync(join(directory, name)).mode & 0o077,
    );
    expect(modes.every((mode) => mode === 0)).toBe(true);
    store.close();
    chmodSync(file(), 0o644);
    open().close();
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });
});

test('a timeline keeps 500 events of each job', () => {
  const store = open();
  store.load(NOW);
  const event = (i: number) => ({
    event: 'job.exited' as const,
    at: NOW,
    job: 'copy',
    fields: { i },
  });
  for (let i = 0; i < 1000; i += 1) store.commit(changes({ events: [event(i)] }));
  const kept = store.timeline('copy', 10_000).map(({ fields }) => fields['i']);
  expect(kept).toEqual(Array.from({ length: 500 }, (_, i) => i + 500));
});

test('the persistent state returns each change once', () => {
  const state = new PersistentState();
  const one = run();
  state.saveRun(one);
  state.saveRun(one);
  expect([...state.takeChanges().runs]).toEqual([one]);
  expect([...state.takeChanges().runs]).toEqual([]);
});

test('removing a run removes its timeline, and the last run of a job every row with its name; the file shrinks', () => {
  const store = open();
  const state = store.load(NOW);
  expect(state.runs.size).toBe(0);
  const file = join(directory, 'state.db');
  const pages = () => {
    const database = new DatabaseSync(file);
    const count = Number(database.prepare('PRAGMA page_count').get()?.['page_count']);
    database.close();
    return count;
  };
  const id = (i: number) => `once-${i}/1`;
  const count = 2_000;
  store.commit(changes({ runs: [run()] }));
  const before = pages();
  for (let i = 0; i < count; i += 100) {
    const batch = Array.from({ length: 100 }, (_, at) => i + at);
    store.commit(
      changes({
        runs: batch.map((n) => run({ id: id(n), job: `once-${n}`, state: 'succeeded' })),
        events: batch.flatMap((n) => [
          { event: 'job.started', at: NOW, job: `once-${n}`, run: id(n), fields: { pid: 1 } },
          { event: 'run.skipped', at: NOW, job: `once-${n}`, fields: { reason: 'of the job' } },
        ]),
      }),
    );
  }
  const full = pages();
  expect(full).toBeGreaterThan(4 * before);

  for (let i = 0; i < count; i += 100) {
    const batch = Array.from({ length: 100 }, (_, at) => id(i + at));
    store.commit(changes({ droppedRuns: batch }));
  }
  for (let i = 0; i < 10; i++) store.commit(changes({ runs: [run()] }));
  const database = new DatabaseSync(file);
  for (const table of ['run', 'timeline', 'hub_task', 'metadata']) {
    const rows = database.prepare(`SELECT * FROM ${table}`).all();
    expect(JSON.stringify(rows)).not.toContain('once-');
  }
  database.close();
  expect(pages()).toBeLessThan(1.2 * before + 4);
  store.close();
});

test('what a copied host left is written anew with the rest', () => {
  const log = memoryLog();
  const store = open('boot-1', log);
  const state = store.load(NOW);
  const copied = { name: 'copied', imported: true, lastStampS: 1, finalReports: [], links: [] };
  state.copiedHostHubTasks.set('copied', { ...copied, copiedHost: true });
  state.copiedHostRuns.set('copied/1', run({ id: 'copied/1', job: 'copied', copiedHost: true }));
  const many = Array.from({ length: 200 }, (_, i) => run({ id: `copy/${i}`, number: i }));
  for (const one of many) state.saveRun(one);
  store.commit(state.takeChanges());
  store.close();
  const file = join(directory, 'state.db');
  writeFileSync(file, Buffer.alloc(statSync(file).size, 0xff));
  // It is opened again, is damaged, and is made anew from what is in memory.
  store.commit(changes({ runs: [run({ id: 'new/1', job: 'new' })] }));
  store.close();
  expect(log.lines).toContainEqual({ level: 'error', event: 'store.damaged' });
  const { hubTasks, runs: found } = open().load(NOW);
  expect([...hubTasks.keys()]).toEqual(['copied']);
  expect([found.has('copied/1'), found.has('copy/7'), found.has('new/1')]).toEqual([
    true,
    true,
    true,
  ]);
});

test('after it has caught up, a commit writes only its own changes', () => {
  const first = open();
  first.load(NOW);
  first.commit(changes({ runs: [run(), run({ id: 'other/1', job: 'other' })] }));
  first.close();
  const second = open('boot-2');
  second.load(NOW);
  const database = new DatabaseSync(join(directory, 'state.db'));
  database.exec("DELETE FROM run WHERE id = 'other/1'");
  second.commit(changes({ runs: [run()] }));
  const left = database.prepare('SELECT id FROM run').all();
  database.close();
  expect(left.map((row) => row['id'])).toEqual(['copy/1']);
});

describe('gate levels', () => {
  const taken = (levels: unknown, more: object = {}) => {
    const store = open();
    store.load(NOW);
    store.saveGateLevels(new Map(), NOW);
    const saved = JSON.stringify({ bootId: 'boot-1', at: NOW, levels, ...more });
    const database = new DatabaseSync(join(directory, 'state.db'));
    database.prepare("UPDATE metadata SET body = ? WHERE id = 'gates'").run(saved);
    database.close();
    return store.takeGateLevels(NOW)?.levels;
  };

  test.each([
    ['no list', {}],
    ['a name that is none', [[5, 1]]],
    ['a number that is none', [['PollForTask', 'many']]],
    ['a number that JSON has not', [['PollForTask', null]]],
    ['one of two that is wrong', [['PollForTask', 1], 'SetTaskStatus']],
  ])('with %s are not used', (_what, levels) => {
    expect(taken(levels)).toBeUndefined();
  });

  test('without their time are not used', () => {
    expect(taken([['PollForTask', 1]], { at: undefined })).toBeUndefined();
    expect(taken([['PollForTask', 1]])).toEqual(new Map([['PollForTask', 1]]));
  });

  test('of the same moment are as old as that', () => {
    const store = open();
    store.load(NOW);
    const age = (ms: number) => {
      store.saveGateLevels(new Map(), NOW);
      return store.takeGateLevels({ ...NOW, bootMs: NOW.bootMs + ms })?.ageMs;
    };
    expect([age(0), age(7), age(-5)]).toEqual([0, 7, 0]);
  });
});

test('dropping what is not there is no error', () => {
  const store = open();
  store.load(NOW);
  store.commit(changes({ droppedRuns: ['none/1'], droppedHubTasks: ['none'], runs: [run()] }));
  expect(store.load(NOW).runs.size).toBe(1);
});

test('within a boot a start writes nothing of what it read', () => {
  const first = open();
  first.load(NOW);
  first.commit(changes({ runs: [run(), run({ id: 'other/1', job: 'other' })] }));
  first.close();
  const second = open();
  second.load(NOW);
  const database = new DatabaseSync(join(directory, 'state.db'));
  database.exec("DELETE FROM run WHERE id = 'other/1'");
  second.commit(changes({ runs: [run()] }));
  expect(database.prepare('SELECT id FROM run').all()).toEqual([{ id: 'copy/1' }]);
  database.close();
});

test('after a reboot the metadata is written on the new clock, once', () => {
  const first = open('boot-1');
  first.load(NOW);
  first.commit(changes({ metadata: { streams: ['s'], clock: { offsetMs: 1, at: NOW } } }));
  first.close();
  const later = { wallMs: NOW.wallMs + 60_000, bootMs: 100 };
  open('boot-2').load(later);
  const at = { wallMs: NOW.wallMs, bootMs: 100 - 60_000 };
  expect(open('boot-2').load({ wallMs: 0, bootMs: 0 }).metadata).toEqual({
    ...{ streams: ['s'], clock: { offsetMs: 1, at } },
  });
});

test('one row that cannot be used is a problem already', () => {
  const store = open();
  store.load(NOW);
  expect(store.problems()).toEqual([]);
  const database = new DatabaseSync(join(directory, 'state.db'));
  database.exec("INSERT INTO hub_task VALUES ('t', 'null')");
  database.close();
  store.load(NOW);
  expect(store.problems()).toEqual([expect.stringMatching(/^1 rows of /)]);
});

test('after a reboot tasks are written on the new clock', () => {
  const before = { wallMs: Date.UTC(2026, 0, 1), bootMs: 5_000 };
  const first = open('boot-1');
  first.load(before);
  const task: HubTask = {
    ...{ name: 'copy', imported: true, lastStampS: 7, links: [] },
    finalReports: [
      { run: 'copy/0', kind: 'end', payload: { status: 'FAILED' }, stampS: 6, since: before },
    ],
  };
  first.commit(changes({ hubTasks: [task] }));
  first.close();
  open('boot-2').load({ wallMs: before.wallMs + 60_000, bootMs: 100 });
  const { hubTasks } = open('boot-2').load({ wallMs: 0, bootMs: 0 });
  const since = { wallMs: before.wallMs, bootMs: 100 - 60_000 };
  expect(hubTasks.get('copy')?.finalReports[0]?.since).toEqual(since);
});

test('what a full disk does not explain is an error, and leaves no transaction open', () => {
  const store = open();
  store.load(NOW);
  const levels = new Map([['PollForTask', 1n as unknown as number]]) as never;
  expect(() => store.saveGateLevels(levels, NOW)).toThrow(/BigInt/);
  store.commit(changes({ runs: [run()] }));
  expect(store.load(NOW).runs.size).toBe(1);
});

test('what a commit could not write at its very end is written with the next one', () => {
  const before = { wallMs: Date.UTC(2026, 0, 1), bootMs: 5_000 };
  const first = open('boot-1');
  first.load(before);
  first.commit(changes({ runs: [run({ startedAt: before })] }));
  first.close();
  const second = open('boot-2');
  const database = new DatabaseSync(join(directory, 'state.db'));
  // A rule that SQLite checks only at COMMIT.
  database.exec(`
    CREATE TABLE parent (id INTEGER PRIMARY KEY);
    CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER refuse_insert AFTER INSERT ON run BEGIN INSERT INTO child VALUES (1); END;
    CREATE TRIGGER refuse_update AFTER UPDATE ON run BEGIN INSERT INTO child VALUES (1); END;`);
  expect(() => second.load({ wallMs: before.wallMs + 60_000, bootMs: 100 })).toThrow(/FOREIGN KEY/);
  database.exec('DROP TRIGGER refuse_insert; DROP TRIGGER refuse_update;');
  database.close();
  second.commit(changes({}));
  second.close();
  const third = open('boot-2');
  const { runs } = third.load({ wallMs: 0, bootMs: 0 });
  third.close();
  const startedAt = { wallMs: before.wallMs, bootMs: 100 - 60_000 };
  expect(runs.get('copy/1')?.startedAt).toEqual(startedAt);
});
