/** What it costs to have a turn on disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Changes } from '../../src/core/state/persistent-state.ts';
import { createClock } from '../../src/system/clock.ts';
import { openStore } from '../../src/store/store.ts';
import { amount } from './figure.ts';
import type { Benchmark, Figure } from './figure.ts';
import { storedRows } from './left-jobs.ts';
import { cpuUs, paired } from './rounds.ts';
import type { Paired } from './rounds.ts';

/** Many short ones: what a disk takes for a flush changes from one moment to the next. */
const ROUNDS = 25;
const COMMITS = 20;
const SILENT = { write: () => undefined };

export const store: Benchmark = {
  name: 'store',
  method: `A turn with 1, 10 or 100 changed rows (runs and Hub tasks by turns) is committed to a SqliteStore
in the temporary directory (a real file system is what counts: on a memory disk the figure means little). Baseline: a bare
node:sqlite loop that puts as many rows of the same text, made beforehand, with the same durability (WAL, synchronous=FULL,
one transaction). Medians of ${ROUNDS} paired rounds of ${COMMITS}
commits each; CPU is the mean of the same commits.`,
  async run() {
    const figures: Figure[] = [];
    for (const rows of [1, 10, 100]) figures.push(...(await commitsOf(rows)));
    return figures;
  },
};

async function commitsOf(rows: number): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-bench-store-'));
  const clock = createClock();
  const ours = openStore(directory, clock.bootId, SILENT);
  const bare = openBare(join(directory, 'bare.db'));
  try {
    const { runs, hubTasks } = storedRows(Math.ceil(rows / 2), clock.now());
    const changes: Changes = {
      runs,
      hubTasks: hubTasks.slice(0, rows - runs.length),
      droppedRuns: [],
      droppedHubTasks: [],
      events: [],
    };
    const texts = [...changes.runs, ...changes.hubTasks].map((row) => JSON.stringify(row));
    const commit = (): void => ours.commit(changes);
    const put = (): void => bare.put(texts);
    commit();
    put();
    const cpu = { ours: 0, bare: 0 };
    const wall = await paired(
      ROUNDS,
      () => timed(commit, (us) => (cpu.ours += us)),
      () => timed(put, (us) => (cpu.bare += us)),
    );
    const message = `${rows} changed ${rows === 1 ? 'row' : 'rows'}`;
    const perCommit = 1000 * COMMITS * ROUNDS;
    return [
      {
        ...figureOf(`time a commit, ${message}`, wall),
        measured: `${amount(wall.measured, 'ms')} (${Math.round(1000 / wall.measured)}/s)`,
      },
      figureOf(`CPU a commit, ${message}`, {
        measured: cpu.ours / perCommit,
        baseline: cpu.bare / perCommit,
        ratio: cpu.ours / cpu.bare,
      }),
    ];
  } finally {
    ours.close();
    bare.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function openBare(file: string): { put(texts: readonly string[]): void; close(): void } {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  database.exec('CREATE TABLE entry (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT');
  const insert = database.prepare('INSERT OR REPLACE INTO entry (id, body) VALUES (?, ?)');
  return {
    put(texts) {
      database.exec('BEGIN IMMEDIATE');
      for (const [index, text] of texts.entries()) insert.run(`row-${index}`, text);
      database.exec('COMMIT');
    },
    close: () => database.close(),
  };
}

function figureOf(name: string, { measured, baseline, ratio }: Paired): Figure {
  return {
    name,
    measured: amount(measured, 'ms'),
    baseline: `${amount(baseline, 'ms')} (bare node:sqlite)`,
    ratio,
  };
}

/** Milliseconds for each commit; its CPU time in microseconds goes to `addCpu`. */
function timed(commit: () => void, addCpu: (us: number) => void): number {
  const beginUs = cpuUs();
  const beginMs = performance.now();
  for (let i = 0; i < COMMITS; i++) commit();
  const endMs = performance.now();
  addCpu(cpuUs() - beginUs);
  return (endMs - beginMs) / COMMITS;
}
