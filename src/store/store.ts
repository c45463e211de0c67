/**
 * Durable memory in one SQLite file. One transaction a turn, on disk when it returns (WAL with
 * synchronous=FULL). Rows are the core's plain values as JSON, each with its key in a column of its own.
 *
 * A file that cannot be read is put aside and the agent starts with an empty one, loudly: it never loops in
 * a crash, and never pretends that there were no jobs. A file of a newer version is left alone.
 *
 * A full disk does not keep an agent from starting: what is there is read, and what an agent writes only once is left out.
 */
import { defined } from '../core/lib/defined.ts';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Operation } from '../core/model/call.ts';
import type { HubTask } from '../core/model/hub-task.ts';
import type { Run } from '../core/model/job.ts';
import { PersistentState } from '../core/state/persistent-state.ts';
import type { Changes, AgentMetadata } from '../core/state/persistent-state.ts';
import { EVENTS } from '../core/model/timeline.ts';
import type { Now } from '../core/lib/time.ts';
import type { GateLevels, Log, Store, TimelineEntry } from '../ports.ts';
import { rebaseMetadata, rebaseHubTask, rebaseRun } from './rebase-rows.ts';

const SCHEMA_VERSION = 1;
/** Notes kept for each job: a timeline is for reading, not an archive. */
const NOTES_PER_JOB_MAX = 500;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS run (id TEXT PRIMARY KEY, job TEXT NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS hub_task (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS note (
    id INTEGER PRIMARY KEY, job TEXT, run TEXT, event TEXT NOT NULL, wall_ms REAL NOT NULL, boot_ms REAL NOT NULL, fields TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS note_by_job ON note (job, id);
`;

/** What an earlier boot left, on this boot's clock. */
interface Moved {
  readonly runs: readonly Run[];
  readonly hubTasks: readonly HubTask[];
  readonly metadata: AgentMetadata;
}

export class UnreadableStore extends Error {
  override readonly name = 'UnreadableStore';
}

/** Opens the store in `directory`, making it if need be. Throws `UnreadableStore` for a newer version's file. */
export function openStore(directory: string, bootId: string, log: Log): SqliteStore {
  const file = join(directory, 'state.db');
  try {
    return new SqliteStore(file, bootId);
  } catch (error) {
    // No room for the index of the log that connections share (state.db-shm): a single connection needs none.
    if (isRefused(error)) return new SqliteStore(file, bootId, 'alone');
    if (error instanceof UnreadableStore || !isCorrupt(error)) throw error;
    const aside = `${file}.unreadable-${process.pid}`;
    renameSync(file, aside);
    log.write('error', 'store.unreadable', 'the store is damaged; starting with an empty one', {
      file,
      keptAs: aside,
      reason: error instanceof Error ? error.message : String(error),
    });
    return new SqliteStore(file, bootId);
  }
}

export class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #bootId: string;
  readonly #statements;
  #commits = 0;
  /** What `load` moved onto this boot's clock and could not write: it goes onto the disk with the first commit. */
  #unwritten: (() => void) | undefined;

  constructor(file: string, bootId: string, access: 'shared' | 'alone' = 'shared') {
    this.#bootId = bootId;
    this.#database = openDatabase(file, access);
    const database = this.#database;
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
    if (version > SCHEMA_VERSION) {
      database.close();
      throw new UnreadableStore(
        `${file} was written by a newer migration-agent (state version ${version}, this one knows ${SCHEMA_VERSION}); install that version again, or move the file away`,
      );
    }
    if (version < SCHEMA_VERSION) {
      database.exec(SCHEMA);
      database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    }
    this.#statements = {
      putRun: database.prepare(
        'INSERT OR REPLACE INTO run (id, job, state, body) VALUES (?, ?, ?, ?)',
      ),
      dropRun: database.prepare('DELETE FROM run WHERE id = ?'),
      putHubTask: database.prepare('INSERT OR REPLACE INTO hub_task (name, body) VALUES (?, ?)'),
      dropHubTask: database.prepare('DELETE FROM hub_task WHERE name = ?'),
      putFact: database.prepare('INSERT OR REPLACE INTO fact (name, body) VALUES (?, ?)'),
      getFact: database.prepare('SELECT body FROM fact WHERE name = ?'),
      dropFact: database.prepare('DELETE FROM fact WHERE name = ?'),
      putEvent: database.prepare(
        'INSERT INTO note (job, run, event, wall_ms, boot_ms, fields) VALUES (?, ?, ?, ?, ?, ?)',
      ),
      timeline: database.prepare(
        'SELECT run, event, wall_ms, boot_ms, fields FROM note WHERE job = ? ORDER BY id DESC LIMIT ?',
      ),
      trimEvents: database.prepare(
        'DELETE FROM note WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY job ORDER BY id DESC) AS place FROM note) WHERE place > ?)',
      ),
    };
  }

  load(now: Now): PersistentState {
    const ledger = new PersistentState();
    const isSameBoot = this.#fact('boot') === this.#bootId;
    for (const row of this.#database.prepare('SELECT body FROM hub_task').all()) {
      const task = JSON.parse(String(row['body'])) as HubTask;
      ledger.recoverHubTask(isSameBoot ? task : rebaseHubTask(task, now));
    }
    for (const row of this.#database.prepare('SELECT body FROM run').all()) {
      const stored = JSON.parse(String(row['body'])) as Run;
      ledger.recoverRun(isSameBoot ? stored : rebaseRun(stored, now));
    }
    const metadata = this.#fact('facts') as AgentMetadata | undefined;
    if (metadata !== undefined)
      ledger.metadata = isSameBoot ? metadata : rebaseMetadata(metadata, now);
    if (!isSameBoot) {
      // From here on every instant on disk is on this boot's clock.
      const runs = [...ledger.runs.values()];
      const hubTasks = [...ledger.hubTasks.values()];
      const moved = { runs, hubTasks, metadata: ledger.metadata };
      if (!this.#unlessRefused(() => this.#transaction(() => this.#putMoved(moved)))) {
        const kept = structuredClone(moved);
        this.#unwritten = () => this.#putMoved(kept);
      }
    }
    return ledger;
  }

  commit(changes: Changes): void {
    this.#transaction(() => {
      for (const run of changes.runs) this.#putRun(run);
      for (const id of changes.droppedRuns) this.#statements.dropRun.run(id);
      for (const task of changes.hubTasks) this.#putHubTask(task);
      for (const name of changes.droppedHubTasks) this.#statements.dropHubTask.run(name);
      if (changes.metadata !== undefined) {
        this.#statements.putFact.run('facts', JSON.stringify(changes.metadata));
      }
      for (const note of changes.events) {
        if (!EVENTS[note.event].persisted) continue;
        const fields = JSON.stringify(note.fields);
        const { wallMs, bootMs } = note.at;
        this.#statements.putEvent.run(
          note.job ?? null,
          note.run ?? null,
          note.event,
          wallMs,
          bootMs,
          fields,
        );
      }
      if (++this.#commits % 1000 === 0) this.#statements.trimEvents.run(NOTES_PER_JOB_MAX);
    });
  }

  timeline(job: string, limit: number): readonly TimelineEntry[] {
    return this.#statements.timeline
      .all(job, limit)
      .map((row) =>
        defined({
          at: { wallMs: Number(row['wall_ms']), bootMs: Number(row['boot_ms']) },
          run: row['run'] === null ? undefined : String(row['run']),
          event: String(row['event']),
          fields: JSON.parse(String(row['fields'])) as Record<string, unknown>,
        }),
      )
      .reverse();
  }

  takeGateLevels(now: Now): GateLevels | undefined {
    const saved = this.#fact('gates') as
      { bootId: string; at: Now; levels: [Operation, number][] } | undefined;
    // Taken, not read: an agent that crashes later must not find them again.
    const isTaken = this.#unlessRefused(() => this.#statements.dropFact.run('gates'));
    if (!isTaken || saved?.bootId !== this.#bootId) return undefined;
    return { levels: new Map(saved.levels), ageMs: Math.max(0, now.bootMs - saved.at.bootMs) };
  }

  saveGateLevels(levels: ReadonlyMap<Operation, number>, now: Now): void {
    const body = JSON.stringify({ bootId: this.#bootId, at: now, levels: [...levels] });
    // Where there is no room the next agent finds nothing, as after a crash.
    this.#unlessRefused(() => this.#statements.putFact.run('gates', body));
  }

  /** True for a store that no agent ever wrote to. */
  isNew(): boolean {
    return this.#fact('boot') === undefined;
  }

  close(): void {
    this.#database.close();
  }

  #putMoved({ runs, hubTasks, metadata: metadata }: Moved): void {
    for (const run of runs) this.#putRun(run);
    for (const task of hubTasks) this.#putHubTask(task);
    this.#statements.putFact.run('facts', JSON.stringify(metadata));
    this.#statements.putFact.run('boot', JSON.stringify(this.#bootId));
  }

  #putRun(run: Run): void {
    this.#statements.putRun.run(run.id, run.job, run.state, JSON.stringify(run));
  }

  #putHubTask(task: HubTask): void {
    this.#statements.putHubTask.run(task.name, JSON.stringify(task));
  }

  #fact(name: string): unknown {
    const row = this.#statements.getFact.get(name);
    return row === undefined ? undefined : JSON.parse(String(row['body']));
  }

  /** False where the disk refused: whoever asks can do without. */
  #unlessRefused(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (!isRefused(error)) throw error;
      return false;
    }
  }

  #transaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      this.#unwritten?.();
      work();
      this.#database.exec('COMMIT');
      this.#unwritten = undefined;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

function openDatabase(file: string, access: 'shared' | 'alone'): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    if (access === 'alone') database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000;',
    );
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** SQLITE_CORRUPT (11) and SQLITE_NOTADB (26): the file itself is damaged. */
function isCorrupt(error: unknown): boolean {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return code === 11 || code === 26;
}

/** SQLITE_FULL (13), or SQLITE_IOERR_SHMSIZE (4874), which is what no room for state.db-shm is called. */
function isRefused(error: unknown): boolean {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return code === 13 || code === 4874;
}
