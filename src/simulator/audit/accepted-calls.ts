/** Passes accepted calls of Migration Hub on to the audit, as the entry of the journal has them. */
import type { Auditor } from './audit.ts';
import type { JournalEntry } from './journal.ts';
import { readRequest } from '../lib/constraints.ts';
import { hubShapes } from '../hub/shapes.ts';

export function recordAccepted(
  audit: Auditor,
  operation: string,
  entry: JournalEntry,
  at: number,
  answered: boolean,
): void {
  if (operation === 'NotifyMigrationTaskState') {
    const read = readRequest(hubShapes.NotifyMigrationTaskState, entry.request);
    if (!('value' in read)) return;
    const { value } = read;
    audit.hubAccepted({
      stream: value.ProgressUpdateStream,
      task: value.MigrationTaskName,
      status: value.Task.Status,
      percent: value.Task.ProgressPercent,
      detail: value.Task.StatusDetail,
      updateMs: value.UpdateDateTime,
      nextUpdateSeconds: value.NextUpdateSeconds,
      at,
      answered,
    });
  }
  if (operation === 'DeleteProgressUpdateStream') {
    const read = readRequest(hubShapes.DeleteProgressUpdateStream, entry.request);
    if ('value' in read) audit.hubStreamDeleted(read.value.ProgressUpdateStreamName, at);
  }
}
