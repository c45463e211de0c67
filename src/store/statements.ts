/** The statements of the store, prepared once for each connection. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export interface Statements {
  readonly putRun: StatementSync;
  readonly getJob: StatementSync;
  readonly dropRun: StatementSync;
  readonly dropRunEvents: StatementSync;
  readonly dropJobEvents: StatementSync;
  readonly putHubTask: StatementSync;
  readonly dropHubTask: StatementSync;
  readonly putMetadata: StatementSync;
  readonly getMetadata: StatementSync;
  readonly dropMetadata: StatementSync;
  readonly putEvent: StatementSync;
  readonly timeline: StatementSync;
  readonly trimEvents: StatementSync;
  readonly putDamagedRow: StatementSync;
}

export function prepareStatements(database: DatabaseSync): Statements {
  return {
    // Not REPLACE: that deletes the row and makes another, which changes every index with it.
    putRun: database.prepare(
      'INSERT INTO run (id, job, state, body) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET job = excluded.job, state = excluded.state, body = excluded.body',
    ),
    getJob: database.prepare('SELECT job FROM run WHERE id = ?'),
    dropRun: database.prepare('DELETE FROM run WHERE id = ?'),
    dropRunEvents: database.prepare('DELETE FROM timeline WHERE job = ? AND run = ?'),
    dropJobEvents: database.prepare(
      'DELETE FROM timeline WHERE job = ?1 AND NOT EXISTS (SELECT 1 FROM run WHERE job = ?1)',
    ),
    putHubTask: database.prepare(
      'INSERT INTO hub_task (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body',
    ),
    dropHubTask: database.prepare('DELETE FROM hub_task WHERE id = ?'),
    putMetadata: database.prepare(
      'INSERT INTO metadata (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body',
    ),
    getMetadata: database.prepare('SELECT body FROM metadata WHERE id = ?'),
    dropMetadata: database.prepare('DELETE FROM metadata WHERE id = ?'),
    putEvent: database.prepare(
      'INSERT INTO timeline (job, run, event, wall_ms, boot_ms, fields) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    timeline: database.prepare(
      'SELECT run, event, wall_ms, boot_ms, fields FROM timeline WHERE job = ? ORDER BY id DESC LIMIT ?',
    ),
    trimEvents: database.prepare(
      'DELETE FROM timeline WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY job ORDER BY id DESC) AS place FROM timeline) WHERE place > ?)',
    ),
    putDamagedRow: database.prepare(
      'INSERT OR REPLACE INTO damaged_row (source, id, body) VALUES (?, ?, ?)',
    ),
  };
}
