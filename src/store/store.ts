/**
 * The agent's persistent state in one SQLite file. One transaction a turn, on disk when it returns (WAL with
 * synchronous=FULL). Rows are the core's plain values as JSON, each with its key in a column of its own.
 *
 * A file or a row that is damaged, empty, old or read-only never stops the agent: see connection.ts for the file. A damaged
 * row is kept in the table `damaged_row`, logged, and the others are used. If the damage shows while the agent runs, the
 * file is made anew from what the agent holds in memory.
 */
import { join } from 'node:path';
import { defined } from '../core/lib/defined.ts';
import type { Operation } from '../core/model/call.ts';
import type { HubTask } from '../core/model/hub-task.ts';
import type { Run } from '../core/model/job.ts';
import { EVENTS } from '../core/model/timeline.ts';
import type { TimelineEvent } from '../core/model/timeline.ts';
import { PersistentState } from '../core/state/persistent-state.ts';
import type { AgentMetadata, Changes } from '../core/state/persistent-state.ts';
import type { Now } from '../core/lib/time.ts';
import type { GateLevels, Log, Store, TimelineEntry } from '../ports.ts';
import { openConnection, openWritable, replaceDamaged, replaceOrCopy } from './connection.ts';
import type { Connection, Replaced } from './connection.ts';
import { rebaseHubTask, rebaseMetadata, rebaseRun } from '../core/state/rebase.ts';
import { readHubTask, readMetadata, readObject, readRun } from './row-values.ts';
import { TABLES } from './schema.ts';
import type { Table } from './schema.ts';
import { isDamage, isFull } from './sqlite-errors.ts';

/** Events kept for each job: a timeline is for reading, not an archive. */
const EVENTS_PER_JOB_MAX = 500;
/** Pages of 4 KiB that one commit gives back to the file system. */
const PAGES_FREED_MAX = 256;
/** Trimming reads the whole timeline, so it is done once in so many commits. */
const COMMITS_PER_TRIM = 1000;

const MAY_BE_MISSING = 'a run may be missing here while its job goes on';

/** Keys of the table `metadata`. */
const AGENT = 'agent';
const BOOT = 'boot';
const GATES = 'gates';

/** Opens the store in `directory`; creates it if there is none. Throws `UnreadableStore` for a newer version's file. */
export function openStore(directory: string, bootId: string, log: Log): SqliteStore {
  return new SqliteStore(join(directory, 'state.db'), bootId, log);
}

export class SqliteStore implements Store {
  readonly #file: string;
  readonly #bootId: string;
  readonly #log: Log;
  #connection: Connection | undefined;
  /** What the planner works with, once it is loaded. */
  #state: PersistentState | undefined;
  /** The file lacks something that is in memory: the next commit writes everything. */
  #isBehind = false;
  /** The file was made anew from what is in memory. */
  #isRebuilt = false;
  #commits = 0;
  /** Rows that could not be used, since this agent started. */
  #rowsSetAside = 0;
  /** Rows were deleted: the file can shrink. */
  #hasFreePages = false;

  constructor(file: string, bootId: string, log: Log) {
    this.#file = file;
    this.#bootId = bootId;
    this.#log = log;
    this.#connection = openConnection(file, log);
  }

  load(now: Now): PersistentState {
    const loaded = this.#reading((connection) => this.#load(connection, now));
    this.#state = loaded.state;
    if (loaded.isMoved || loaded.connection.isCopy) {
      // From here on every instant on disk is on this boot's clock.
      this.#isBehind = true;
      this.#unlessRefused(() => this.#transaction(() => undefined));
    }
    return loaded.state;
  }

  commit(changes: Changes): void {
    const write = (): void => this.#transaction((connection) => this.#put(connection, changes));
    try {
      write();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#replace(error);
      write();
    }
    if (++this.#commits % COMMITS_PER_TRIM === 0) this.#trim();
    if (this.#hasFreePages) this.#shrink();
  }

  timeline(job: string, limit: number): readonly TimelineEntry[] {
    const rows = this.#reading(({ timeline }) => timeline.all(job, limit));
    return rows
      .map((row) =>
        defined({
          at: { wallMs: Number(row['wall_ms']), bootMs: Number(row['boot_ms']) },
          run: row['run'] === null ? undefined : String(row['run']),
          event: String(row['event']),
          fields: readObject(String(row['fields'])) ?? {},
        }),
      )
      .reverse();
  }

  takeGateLevels(now: Now): GateLevels | undefined {
    const text = this.#metadata(GATES);
    // Taken, not read: an agent that crashes later must not find them again.
    const isTaken = this.#unlessRefused(() =>
      this.#transaction(({ dropMetadata }) => void dropMetadata.run(GATES)),
    );
    const saved = readObject(text ?? '');
    const { at, bootId, levels } = (saved ?? {}) as Partial<SavedLevels>;
    if (!isTaken || bootId !== this.#bootId || at === undefined) return undefined;
    if (!Array.isArray(levels) || !levels.every(isLevel)) return undefined;
    return { levels: new Map(levels), ageMs: Math.max(0, now.bootMs - at.bootMs) };
  }

  saveGateLevels(levels: ReadonlyMap<Operation, number>, now: Now): void {
    const saved: SavedLevels = { bootId: this.#bootId, at: now, levels: [...levels] };
    // If the disk is full the next agent finds nothing, as after a crash.
    this.#unlessRefused(() =>
      this.#transaction(({ putMetadata }) => void putMetadata.run(GATES, JSON.stringify(saved))),
    );
  }

  problems(): readonly string[] {
    const { replaced } = this.#connection ?? {};
    const found: string[] = [];
    if (replaced !== undefined) {
      const { keptAs, reason, rows } = replaced;
      const lost = this.#isRebuilt
        ? 'it was written anew from memory'
        : `${rows} of its rows were read; ${MAY_BE_MISSING}`;
      found.push(
        `the state file could not be used (${reason}): ${lost}; it is kept as ${keptAs}: check the disk, then restart the agent`,
      );
    }
    if (this.#rowsSetAside > 0) {
      found.push(
        `${this.#rowsSetAside} rows of ${this.#file} cannot be used: ${MAY_BE_MISSING}; they are kept in its table damaged_row: check the disk, then restart the agent`,
      );
    }
    return found;
  }

  /** True if no agent ever ran with this store. */
  isNew(): boolean {
    // Reading may find the damage, and then the file is a replacement.
    const boot = this.#metadata(BOOT);
    return boot === undefined && this.#connection?.replaced === undefined;
  }

  close(): void {
    this.#connection?.database.close();
    this.#connection = undefined;
  }

  #load(connection: Connection, now: Now): Loaded {
    const state = new PersistentState();
    const isSameBoot = readText(this.#metadataOf(connection, BOOT)) === this.#bootId;
    for (const task of this.#rows(connection, 'hub_task', readHubTask)) {
      state.recoverHubTask(isSameBoot ? task : rebaseHubTask(task, now));
    }
    for (const run of this.#rows(connection, 'run', readRun)) {
      state.recoverRun(isSameBoot ? run : rebaseRun(run, now));
    }
    const text = this.#metadataOf(connection, AGENT);
    const metadata = text === undefined ? undefined : readMetadata(text);
    if (metadata !== undefined) {
      state.metadata = isSameBoot ? metadata : rebaseMetadata(metadata, now);
    } else if (text !== undefined) {
      this.#setRowAside(connection, 'metadata', AGENT, text);
    }
    return { state, isMoved: !isSameBoot, connection };
  }

  /** The readable rows of a table. The others are set aside. */
  *#rows<Value>(
    connection: Connection,
    table: 'run' | 'hub_task',
    read: (text: string) => Value | undefined,
  ): Generator<Value> {
    const damaged: [string, string][] = [];
    const rows = connection.database.prepare(`SELECT id, body FROM ${table}`);
    // An array for each row is made faster than an object with names: a restart reads all of them.
    rows.setReturnArrays(true);
    for (const [id, body] of rows.iterate() as Iterable<unknown> as Iterable<readonly unknown[]>) {
      const text = String(body);
      const value = read(text);
      if (value === undefined) damaged.push([String(id), text]);
      else yield value;
    }
    for (const [id, text] of damaged) this.#setRowAside(connection, table, id, text);
  }

  #setRowAside(connection: Connection, table: Table, id: string, text: string): void {
    this.#rowsSetAside += 1;
    this.#log.write(
      'error',
      'store.row_damaged',
      'a row of the store is damaged; it is set aside',
      {
        file: this.#file,
        table,
        id,
        keptIn: 'damaged_row',
      },
    );
    this.#unlessRefused(() => {
      connection.putDamagedRow.run(table, id, text);
      connection.database.prepare(`DELETE FROM ${table} WHERE id = ?`).run(id);
    });
  }

  #metadata(id: string): string | undefined {
    return this.#reading((connection) => this.#metadataOf(connection, id));
  }

  #metadataOf({ getMetadata }: Connection, id: string): string | undefined {
    const row = getMetadata.get(id);
    return row === undefined ? undefined : String(row['body']);
  }

  /** Reads; if the file turns out to be damaged, reads again from what could be saved. */
  #reading<Value>(read: (connection: Connection) => Value): Value {
    try {
      return read(this.#open());
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#replace(error);
      return read(this.#open());
    }
  }

  #put(connection: Connection, changes: Changes): void {
    for (const run of changes.runs) putRun(connection, run);
    for (const id of changes.droppedRuns) this.#dropRun(connection, id);
    for (const task of changes.hubTasks) putHubTask(connection, task);
    for (const name of changes.droppedHubTasks) connection.dropHubTask.run(name);
    if (changes.metadata !== undefined) putMetadata(connection, changes.metadata);
    for (const event of changes.events) {
      if (EVENTS[event.event].persisted) putEvent(connection, event);
    }
  }

  /** Its timeline goes with it, and with the last run of a job the rest of the job's. */
  #dropRun({ dropJobEvents, dropRun, dropRunEvents, getJob }: Connection, id: string): void {
    const job = getJob.get(id)?.['job'];
    dropRun.run(id);
    if (typeof job !== 'string') return;
    dropRunEvents.run(job, id);
    dropJobEvents.run(job);
    this.#hasFreePages = true;
  }

  #shrink(): void {
    const { database } = this.#open();
    this.#unlessRefused(() => database.exec(`PRAGMA incremental_vacuum(${PAGES_FREED_MAX})`));
    const left = database.prepare('PRAGMA freelist_count').get()?.['freelist_count'];
    this.#hasFreePages = Number(left) > PAGES_FREED_MAX;
  }

  /** Everything that is in memory, on this boot's clock. */
  #putAll(connection: Connection): void {
    const state = this.#state;
    if (state === undefined) return;
    for (const runs of [state.runs, state.copiedHostRuns]) {
      for (const run of runs.values()) putRun(connection, run);
    }
    for (const tasks of [state.hubTasks, state.copiedHostHubTasks]) {
      for (const task of tasks.values()) putHubTask(connection, task);
    }
    putMetadata(connection, state.metadata);
    connection.putMetadata.run(BOOT, JSON.stringify(this.#bootId));
  }

  #trim(): void {
    this.#unlessRefused(() =>
      this.#transaction(({ trimEvents }) => void trimEvents.run(EVENTS_PER_JOB_MAX)),
    );
  }

  /** Makes the damaged file anew. What the agent has in memory does not have to be read from the damaged one. */
  #replace(error: unknown): void {
    this.close();
    const opened = replaceOrCopy(this.#file, error, this.#tablesToRead(), this.#log);
    this.#isRebuilt = this.#isBehind = this.#state !== undefined;
    this.#connection = opened;
  }

  #tablesToRead(): readonly Table[] {
    return this.#state === undefined ? TABLES : ['timeline'];
  }

  /** The file, as soon as it can be written again. */
  #writable(): Connection {
    const connection = this.#connection;
    if (connection !== undefined && !connection.isCopy) return connection;
    const { replaced } = connection ?? {};
    const opened =
      replaced?.isDamaged === true
        ? replaceDamaged(this.#file, new Error(replaced.reason), this.#tablesToRead(), this.#log)
        : openWritable(this.#file, this.#tablesToRead(), this.#log);
    this.close();
    this.#isBehind = this.#state !== undefined;
    this.#connection = replacing(opened, replaced);
    return this.#connection;
  }

  #open(): Connection {
    return (this.#connection ??= openConnection(this.#file, this.#log));
  }

  /** False if the disk refused: the caller can do without. */
  #unlessRefused(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (this.#connection?.isCopy === true || isFull(error)) return false;
      throw error;
    }
  }

  #transaction(work: (connection: Connection) => void): void {
    const connection = this.#writable();
    const { database } = connection;
    database.exec('BEGIN IMMEDIATE');
    try {
      if (this.#isBehind) this.#putAll(connection);
      work(connection);
      database.exec('COMMIT');
      this.#isBehind = false;
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
}

/** What was read of a damaged file while it could not be written is what is known of it, wherever it lies now. */
function replacing(opened: Connection, before: Replaced | undefined): Connection {
  if (before === undefined) return opened;
  const keptAs = opened.replaced?.keptAs ?? before.keptAs;
  return { ...opened, replaced: { ...before, keptAs } };
}

interface Loaded {
  readonly state: PersistentState;
  /** Instants were moved onto this boot's clock. */
  readonly isMoved: boolean;
  readonly connection: Connection;
}

interface SavedLevels {
  readonly bootId: string;
  readonly at: Now;
  readonly levels: readonly (readonly [Operation, number])[];
}

function isLevel(entry: unknown): boolean {
  return Array.isArray(entry) && typeof entry[0] === 'string' && Number.isFinite(entry[1]);
}

function readText(json: string | undefined): string | undefined {
  return json === undefined ? undefined : json.replaceAll('"', '');
}

function putRun({ putRun: put }: Connection, run: Run): void {
  put.run(run.id, run.job, run.state, JSON.stringify(run));
}

function putHubTask({ putHubTask: put }: Connection, task: HubTask): void {
  put.run(task.name, JSON.stringify(task));
}

function putMetadata({ putMetadata: put }: Connection, metadata: AgentMetadata): void {
  put.run(AGENT, JSON.stringify(metadata));
}

function putEvent(
  { putEvent: put }: Connection,
  { at, event, fields, job, run }: TimelineEvent,
): void {
  put.run(job ?? null, run ?? null, event, at.wallMs, at.bootMs, JSON.stringify(fields));
}
