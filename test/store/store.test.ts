/** The SQLite store by its port: what is committed is there for the next agent, whatever happened to the last one. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HubTask } from '../../src/core/model/hub-task.ts';
import type { Run } from '../../src/core/model/job.ts';
import { PersistentState } from '../../src/core/state/persistent-state.ts';
import type { Changes } from '../../src/core/state/persistent-state.ts';
import { StateInUse, lockState } from '../../src/store/state-lock.ts';
import { UnreadableStore, openStore } from '../../src/store/store.ts';
import { memoryLog } from '../support/ports.ts';
import { definition } from '../support/settings.ts';

const NOW = { wallMs: 1_000_000, bootMs: 5_000 };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'migration-agent-store-'));
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

test('runs, Hub tasks and facts are there for the next agent, exactly as they were', () => {
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
  const ledger = second.load(NOW);
  expect(ledger.runs.get('copy/1')).toEqual(run());
  expect([...ledger.liveRuns.keys()]).toEqual(['copy/1']);
  expect(ledger.hubTasks.get('copy')).toEqual(task);
  expect(ledger.metadata).toEqual({ streams: ['eu/x'] });
  second.commit(changes({ droppedRuns: ['copy/1'], droppedHubTasks: ['copy'] }));
  second.close();
  expect(open().load(NOW).runs.size).toBe(0);
});

test('after a reboot every instant is moved onto the new boot clock, by how long ago it was', () => {
  const first = open('boot-1');
  first.load(NOW);
  first.commit(changes({ runs: [run({ startedAt: { wallMs: 900_000, bootMs: 4_000 } })] }));
  first.close();
  const later = { wallMs: 1_600_000, bootMs: 100 };
  const ledger = open('boot-2').load(later);
  expect(ledger.runs.get('copy/1')?.startedAt).toEqual({ wallMs: 900_000, bootMs: 100 - 700_000 });
});

test('the timeline of a job is kept in order, the newest of it', () => {
  const store = open();
  store.load(NOW);
  const notes = Array.from({ length: 30 }, (_, i) => ({
    event: 'job.exited' as const,
    at: { wallMs: i, bootMs: i },
    job: 'copy',
    run: 'copy/1',
    fields: { i },
  }));
  store.commit(changes({ events: [...notes, { ...notes[0]!, event: 'report.accepted' }] }));
  const entries = store.timeline('copy', 10);
  expect(entries.map((entry) => entry.fields['i'])).toEqual([
    20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
  ]);
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

test('gate levels are given once, and not over a reboot', () => {
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

test('a damaged file is put aside with a word, and the agent begins anew', () => {
  writeFileSync(
    join(directory, 'state.db'),
    'this is no database, and long enough to be read as one'.repeat(100),
  );
  const log = memoryLog();
  const store = open('boot-1', log);
  expect(store.load(NOW).runs.size).toBe(0);
  expect(log.lines).toEqual([{ level: 'error', event: 'store.unreadable' }]);
  expect(readdirSync(directory).some((name) => name.includes('unreadable'))).toBe(true);
});

test('a file of a newer version is left alone', () => {
  const database = new DatabaseSync(join(directory, 'state.db'));
  database.exec('PRAGMA user_version = 99');
  database.close();
  expect(() => open()).toThrow(UnreadableStore);
});

test('one agent to a state directory; the lock goes with its owner', () => {
  const unlock = lockState(directory);
  expect(() => lockState(directory)).toThrow(StateInUse);
  unlock();
  lockState(directory)();
});

test('what the ledger hands over is each change once', () => {
  const ledger = new PersistentState();
  const one = run();
  ledger.saveRun(one);
  ledger.saveRun(one);
  expect([...ledger.takeChanges().runs]).toEqual([one]);
  expect([...ledger.takeChanges().runs]).toEqual([]);
});
