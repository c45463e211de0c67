/** Entries of the outbox, and how an operator chooses among them. */
import type { Operation } from './call.ts';

/** Which entries; absent: all. */
export interface OutboxChoice {
  readonly job?: string;
  readonly destination?: DestinationName;
}

export type DestinationName = 'migrationHub' | 'dataPipeline';

export interface OutboxEntry {
  readonly job: string;
  /** Number of the run; absent if the run is no longer known. */
  readonly run?: number;
  readonly destination: DestinationName;
  readonly operation: Operation;
  /** MigrationTaskName, or the pipeline task's id. */
  readonly task: string;
  /** What the report contains, in one line. */
  readonly message: string;
  /** ISO 8601. */
  readonly since?: string;
  /** Failed attempts since it became the first of its task's pending reports. */
  readonly attempts: number;
  /** When it is tried next; absent: as soon as it can be, or not by itself. */
  readonly nextTryAt?: string;
  readonly lastError?: string;
  /** Refused for good: it blocks no other report, and waits for `outbox retry` or `outbox drop`. */
  readonly quarantined: boolean;
}
