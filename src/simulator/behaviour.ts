/**
 * Everything that the AWS documents leave open or say in two ways, as a named switch. The agent is
 * tested under more than one answer. Windows and waits that the documents do name are here as well,
 * with their source, so that a test can shorten them.
 *
 * DPG: AWS Data Pipeline Developer Guide; API: the API reference and the service models.
 */

export interface Behaviour {
  // Migration Hub
  /** CreateProgressUpdateStream of a stream that exists. No AlreadyExists error is modelled; public callers repeat it. */
  readonly createExistingStream: 'accept' | 'refuse';
  /** ImportMigrationTask of a task that exists. Not stated; public callers repeat it. */
  readonly importExistingTask: 'accept' | 'refuse';
  /** NotifyMigrationTaskState whose UpdateDateTime is not later than the last one. Not stated. */
  readonly outOfOrderUpdate: 'accept' | 'keep-newest' | 'refuse';
  /** A state after COMPLETED or FAILED. Not stated. */
  readonly updateAfterFinal: 'accept' | 'refuse';
  /** UpdateDateTime later than the service's clock by more than this is refused. Not stated: no bound. */
  readonly futureUpdateMsMax: number;
  /** DeleteProgressUpdateStream works "asynchronously" (API): how long the stream lingers. */
  readonly streamDeletionMs: number;
  /** NotifyApplicationState for an application never seen. There is no Application Discovery Service here. */
  readonly unknownApplication: 'accept' | 'not-found';
  /** "Each pagination token expires after 24 hours" (API, ListMigrationTaskUpdates). */
  readonly pageTokenMs: number;

  // Data Pipeline
  /** PollForTask holds a connection "for up to 90 seconds" (API). */
  readonly pollMs: number;
  /** The acknowledgement is due "within 2 minutes" (API, ReportTaskProgress). */
  readonly acknowledgeMs: number;
  /** Afterwards a report is due "every 15 minutes"; the same page also says 5 minutes (API). */
  readonly progressMs: number;
  /** After a missed progress report the task is "reassigned" (API) or "retried" (DPG, reportProgressTimeout). */
  readonly progressLapse: 'hand-out-again' | 'new-attempt';
  /** Whether a task that is handed out again carries a new taskId. Not stated. */
  readonly taskIdAfterLapse: 'new' | 'same';
  /** A report for a taskId that lapsed. Not stated. */
  readonly reportAfterLapse: 'not-found' | 'canceled';
  /** A report for a taskId that ended by SetTaskStatus. Not stated. */
  readonly reportAfterEnd: 'not-found' | 'accept';
  /** A report for a task of a deleted pipeline. PipelineDeletedException is modelled for it. */
  readonly reportAfterDelete: 'deleted' | 'canceled';
  /** A report for an attempt that ran into its attemptTimeout. Not stated. */
  readonly reportAfterAttemptTimeout: 'canceled' | 'not-found';
  /** SetTaskStatus for a canceled task: the runner "does not need to" (API); what happens is not stated. */
  readonly statusAfterCancel: 'ignore' | 'not-found';
  /** A task that would go to a poll whose client has hung up: it stays, or it is lost until its window lapses. */
  readonly pollOfGoneClient: 'skip' | 'hand-out';
  /** ShellCommandActivity without maximumRetries. The FAQ of the service said three; the DPG names no number. */
  readonly maximumRetriesDefault: number;
  /** "Retries of a pipeline activity: 5 per task" (DPG, limits). */
  readonly maximumRetriesMax: number;
  /** "Minimum delay between retry attempts: 2 minutes" (DPG, limits). The default is not stated: the minimum. */
  readonly retryDelayMsMin: number;
  /** "Number of pipelines: 100, adjustable" (DPG, limits). */
  readonly pipelinesMax: number;
  /** "Number of active instances per object: 5" (DPG, limits). */
  readonly maxActiveInstances: number;
  /** How many past intervals of a schedule are run at once; activation more than a day late is blocked (DPG, Schedule). */
  readonly backfillMsMax: number;
  /** The name of the throttling error. None is modelled for Data Pipeline. */
  readonly throttlingName: string;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const DEFAULT_BEHAVIOUR: Behaviour = {
  createExistingStream: 'accept',
  importExistingTask: 'accept',
  outOfOrderUpdate: 'accept',
  updateAfterFinal: 'accept',
  futureUpdateMsMax: Infinity,
  streamDeletionMs: 5 * SECOND,
  unknownApplication: 'accept',
  pageTokenMs: 24 * HOUR,

  pollMs: 90 * SECOND,
  acknowledgeMs: 2 * MINUTE,
  progressMs: 15 * MINUTE,
  progressLapse: 'hand-out-again',
  taskIdAfterLapse: 'new',
  reportAfterLapse: 'not-found',
  reportAfterEnd: 'not-found',
  reportAfterDelete: 'deleted',
  reportAfterAttemptTimeout: 'canceled',
  statusAfterCancel: 'ignore',
  pollOfGoneClient: 'skip',
  maximumRetriesDefault: 3,
  maximumRetriesMax: 5,
  retryDelayMsMin: 2 * MINUTE,
  pipelinesMax: 100,
  maxActiveInstances: 5,
  backfillMsMax: 24 * HOUR,
  throttlingName: 'ThrottlingException',
};
