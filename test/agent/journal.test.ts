/** What the journal holds while the disk takes no changes, and how it is written afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Journal } from '../../src/agent/journal.ts';
import type { HubTask } from '../../src/core/model/hub-task.ts';
import type { Run } from '../../src/core/model/job.ts';
import type { TimelineEvent } from '../../src/core/model/timeline.ts';
import { HeldChanges } from '../../src/core/state/held-changes.ts';
import { PersistentState } from '../../src/core/state/persistent-state.ts';
import type { Changes } from '../../src/core/state/persistent-state.ts';
import type { Store } from '../../src/ports.ts';
import { openStore } from '../../src/store/store.ts';
import { definition } from '../support/settings.ts';

const NOW = { wallMs: Date.UTC(2026, 0, 1), bootMs: 0 };
const later = (ms: number) => ({ wallMs: NOW.wallMs + ms, bootMs: ms });
const quiet = { write: () => undefined };

function newRun(number = 1): Run {
  return {
    id: `copy/${number}`,
    job: 'copy',
    number,
    definition: definition('copy'),
    origin: 'operator',
    state: 'running',
    requestedAt: NOW,
    spawn: 1,
    hub: { task: 'copy', delivery: { state: 'pending' } },
  };
}

function newTask(run: Run): HubTask {
  return {
    ...{ name: 'copy', imported: true, run: run.id, lastStampS: 1 },
    ...{ finalReports: [], links: [] },
  };
}

function newStore() {
  const directory = mkdtempSync(join(tmpdir(), 'journal-'));
  const open = () => openStore(directory, 'boot-1', quiet);
  const store = open();
  onTestFinished(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  let isFull = false;
  /** What the next agent would load after each commit. */
  const afterCommits: { readonly state: string; readonly finals: number }[] = [];
  const journal = new Journal(
    {
      ...{ load: (now) => store.load(now), timeline: () => [], close: () => undefined },
      ...{ takeGateLevels: () => undefined, saveGateLevels: () => undefined, problems: () => [] },
      commit: (changes) => {
        if (isFull) throw new Error('database or disk is full');
        store.commit(changes);
        const next = open();
        const { runs, hubTasks } = next.load(NOW);
        next.close();
        const finals = hubTasks.get('copy')?.finalReports.length ?? 0;
        afterCommits.push({ state: runs.get('copy/1')?.state ?? 'none', finals });
      },
    },
    quiet,
    () => undefined,
  );
  store.load(NOW);
  return { journal, afterCommits, fill: (full: boolean) => (isFull = full) };
}

describe('P5 changes that the disk refused', () => {
  test('reach the disk in one transaction: no crash leaves a run ended without its final report', () => {
    const { journal, afterCommits, fill } = newStore();
    const state = new PersistentState();
    const run = newRun();
    const task = newTask(run);
    state.saveRun(run);
    state.saveHubTask(task);
    expect(journal.commit(state.takeChanges(), later(0))).toBe(true);

    fill(true);
    run.percent = 48;
    state.saveRun(run);
    expect(journal.commit(state.takeChanges(), later(1_000))).toBe(false);
    run.state = 'succeeded';
    const payload = { status: 'COMPLETED', percent: 100 } as const;
    task.finalReports.push({ run: run.id, kind: 'end', payload, stampS: 2, since: NOW });
    delete task.run;
    state.saveRun(run);
    state.saveHubTask(task);
    expect(journal.commit(state.takeChanges(), later(2_000))).toBe(false);

    fill(false);
    expect(journal.commit(state.takeChanges(), later(10_000))).toBe(true);
    expect(afterCommits).toEqual([
      { state: 'running', finals: 0 },
      { state: 'succeeded', finals: 1 },
    ]);
    // All changes are written: the next turn without changes writes nothing.
    expect(journal.commit(state.takeChanges(), later(20_000))).toBe(true);
    expect(afterCommits).toHaveLength(2);
  });

  test('the last change of each run and task counts: saved, dropped or saved again', () => {
    const held = new HeldChanges();
    const state = new PersistentState();
    const [first, second] = [newRun(1), newRun(2)];
    const old = newTask(first);
    state.saveRun(first);
    state.saveHubTask(old);
    held.add(state.takeChanges());
    state.dropRun(first);
    state.dropHubTask(old);
    held.add(state.takeChanges());
    const fresh = newTask(second);
    state.saveRun(second);
    state.saveHubTask(fresh);
    held.add(state.takeChanges());
    expect([...held.runs]).toEqual([second]);
    expect([...held.droppedRuns]).toEqual([first.id]);
    expect([...held.hubTasks]).toEqual([fresh]);
    expect([...held.droppedHubTasks]).toEqual([]);
  });

  test('do not grow with the length of the refusal', () => {
    const held = new HeldChanges();
    const state = new PersistentState();
    const run = newRun();
    for (let i = 0; i < 100_000; i++) {
      state.saveRun(run);
      state.addEvent({ event: 'job.starting', at: later(i), job: 'copy', run: run.id, fields: {} });
      held.add(state.takeChanges());
    }
    expect([...held.runs]).toEqual([run]);
    const events = [...held.events];
    expect(events.length).toBeLessThanOrEqual(10_000);
    expect(events.at(-1)?.at).toEqual(later(99_999));
  });
});

describe('while the disk refuses', () => {
  /** A store that is full until the test says otherwise, and what is logged and published. */
  function refusing() {
    const written: string[][] = [];
    const logged: [string, string, object][] = [];
    const published: string[] = [];
    const store = {
      isFull: true,
      tries: 0,
      commit(changes: Changes): void {
        this.tries += 1;
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- a library may throw anything
        if (this.isFull) throw this.tries === 1 ? new Error('disk is full') : 'a text';
        written.push([...changes.runs].map(({ id }) => id));
      },
    };
    const log = {
      write: (level: string, event: string, _msg: string, fields: object) =>
        logged.push([level, event, fields]),
    };
    const publish = ({ event }: TimelineEvent): number => published.push(event);
    const journal = new Journal(store as unknown as Store, log, publish);
    const state = new PersistentState();
    const commit = (ms: number): boolean => journal.commit(state.takeChanges(), later(ms));
    return { commit, journal, logged, published, state, store, written };
  }

  test('a commit is tried every five seconds, and says so once, at its beginning and at its end', () => {
    const { commit, journal, logged, state, store, written } = refusing();
    state.saveRun(newRun(1));
    expect(commit(1_000)).toBe(false);
    expect([journal.failure, journal.retryAtMs]).toEqual(['disk is full', 6_000]);
    state.saveRun(newRun(2));
    expect([commit(5_999), store.tries]).toEqual([false, 1]);
    expect([commit(6_000), store.tries]).toEqual([false, 2]);
    expect([journal.failure, journal.retryAtMs]).toEqual(['a text', 11_000]);
    expect(logged).toEqual([
      ['error', 'store.failing', { reason: 'disk is full', retryInMs: 5_000 }],
    ]);
    store.isFull = false;
    expect(commit(11_000)).toBe(true);
    expect(written).toEqual([['copy/1', 'copy/2']]);
    expect(logged.slice(1)).toEqual([['info', 'store.recovered', {}]]);
    expect([journal.failure, journal.retryAtMs]).toEqual([undefined, undefined]);
    state.saveRun(newRun(3));
    expect([commit(11_001), written.at(-1)]).toEqual([true, ['copy/3']]);
    expect(logged).toHaveLength(2);
  });

  test('events go to the log and to who watches, each once and in time', () => {
    const { commit, logged, published, state, store } = refusing();
    const add = (event: 'job.starting' | 'job.started') =>
      state.addEvent({ event, at: NOW, job: 'copy', run: 'copy/1', fields: {} });
    add('job.starting');
    commit(0);
    add('job.started');
    commit(1);
    expect(published).toEqual(['job.starting', 'job.started']);
    store.isFull = false;
    commit(5_000);
    expect(published).toHaveLength(2);
    const names = logged.map(([, event]) => event);
    expect(names).toEqual(['job.starting', 'store.failing', 'job.started', 'store.recovered']);
    expect(logged[0]?.[2]).toEqual({ job: 'copy', run: 'copy/1' });
  });

  test('what writes no row is no commit', () => {
    const { commit, state, store } = refusing();
    state.addEvent({ event: 'report.accepted', at: NOW, job: 'copy', fields: { task: 't' } });
    expect([commit(0), store.tries]).toEqual([true, 0]);
  });
});

test.each(['succeeded', 'failed', 'lost', 'canceled', 'fenced'])(
  'the end of a run is logged as an error if it needs an operator: %s',
  (state) => {
    const levels: string[] = [];
    const journal = new Journal(
      { commit: () => undefined } as unknown as Store,
      { write: (level) => levels.push(level) },
      () => undefined,
    );
    const event = { event: 'run.ended', at: NOW, fields: { state, message: 'x' } } as const;
    const none = { runs: [], hubTasks: [], droppedRuns: [], droppedHubTasks: [] };
    journal.commit({ ...none, events: [event] }, NOW);
    expect(levels).toEqual([['failed', 'lost', 'fenced'].includes(state) ? 'error' : 'info']);
  },
);
