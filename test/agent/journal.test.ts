/** What the journal holds while the disk takes no changes, and how it is written afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Journal } from '../../src/agent/journal.ts';
import type { HubTask } from '../../src/core/model/hub-task.ts';
import type { Run } from '../../src/core/model/job.ts';
import { HeldChanges } from '../../src/core/state/held-changes.ts';
import { PersistentState } from '../../src/core/state/persistent-state.ts';
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
