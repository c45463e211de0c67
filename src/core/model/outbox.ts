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
  /** Number of the run; absent where the run is no longer known. */
  readonly run?: number;
  readonly destination: DestinationName;
  readonly operation: Operation;
  /** MigrationTaskName, or the pipeline task's id. */
  readonly task: string;
  /** What is to be told, in one line. */
  readonly message: string;
  /** ISO 8601. */
  readonly since?: string;
  /** Failed tries since it came to the head of its task's line. */
  readonly attempts: number;
  /** When it is tried next; absent: as soon as it can be, or not by itself. */
  readonly nextTryAt?: string;
  readonly lastError?: string;
  /** Refused for good: it holds up nothing, and waits for `outbox retry` or `outbox drop`. */
  readonly quarantined: boolean;
}
