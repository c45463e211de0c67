/**
 * Calls to AWS and their outcomes, as plain values. Operations are named as in the API models; everything about the wire
 * is in src/aws.
 */

export const HUB_OPERATIONS = [
  'GetHomeRegion',
  'CreateProgressUpdateStream',
  'ImportMigrationTask',
  'NotifyMigrationTaskState',
  'PutResourceAttributes',
  'AssociateDiscoveredResource',
  'AssociateSourceResource',
  'AssociateCreatedArtifact',
  'NotifyApplicationState',
  'ListMigrationTaskUpdates',
] as const;

export const PIPELINE_OPERATIONS = [
  'PollForTask',
  'ReportTaskProgress',
  'SetTaskStatus',
  'ReportTaskRunnerHeartbeat',
] as const;

export type HubOperation = (typeof HUB_OPERATIONS)[number];
export type PipelineOperation = (typeof PIPELINE_OPERATIONS)[number];
export type Operation = HubOperation | PipelineOperation;

/** Status of a MigrationTask (MODEL Status). There is no state for canceled. */
export type HubStatus = 'NOT_STARTED' | 'IN_PROGRESS' | 'FAILED' | 'COMPLETED';

interface InRegion {
  /** The region of the call: the home region, unless the configuration names another. */
  readonly region: string;
}

interface Write extends InRegion {
  /**
   * True: the service only checks the caller's permission, and nothing takes effect (MODEL DryRun). `accepted` means
   * that it is permitted.
   */
  readonly dryRun?: boolean;
}

interface OnTask extends Write {
  readonly stream: string;
  readonly task: string;
}

export interface NotifyCall extends OnTask {
  readonly operation: 'NotifyMigrationTaskState';
  readonly status: HubStatus;
  /** 0–100, whole (MODEL ProgressPercent). */
  readonly percent?: number;
  /** At most 2,500 code points on one line (MODEL StatusDetail). */
  readonly detail?: string;
  /**
   * How long the run has taken and will take, added to the detail if there is room. It changes all the time, so it is no part
   * of what is compared with the last report.
   */
  readonly timing?: string;
  /** UpdateDateTime in whole seconds since 1970 by the service's clock. */
  readonly stampS: number;
  /** The promise: the next report comes within so many seconds of the stamp. */
  readonly nextUpdateS: number;
}

export type HubCall =
  | { readonly operation: 'GetHomeRegion' }
  | ({ readonly operation: 'CreateProgressUpdateStream'; readonly stream: string } & Write)
  | ({ readonly operation: 'ImportMigrationTask' } & OnTask)
  | NotifyCall
  | ({
      readonly operation: 'PutResourceAttributes';
      readonly attributes: readonly { readonly type: string; readonly value: string }[];
    } & OnTask)
  | ({
      readonly operation: 'AssociateDiscoveredResource';
      readonly configurationId: string;
    } & OnTask)
  | ({
      readonly operation: 'AssociateSourceResource';
      readonly name: string;
      readonly description?: string;
      readonly statusDetail?: string;
    } & OnTask)
  | ({ readonly operation: 'AssociateCreatedArtifact'; readonly artifact: string } & OnTask)
  | ({
      readonly operation: 'NotifyApplicationState';
      readonly application: string;
      readonly status: 'NOT_STARTED' | 'IN_PROGRESS' | 'COMPLETED';
      readonly stampS: number;
    } & Write)
  | ({
      readonly operation: 'ListMigrationTaskUpdates';
      readonly stream: string;
      readonly task: string;
      /** Of the page before; absent: the first page. */
      readonly token?: string;
    } & InRegion);

export type PipelineCall =
  | { readonly operation: 'PollForTask'; readonly workerGroup: string; readonly hostname: string }
  | {
      readonly operation: 'ReportTaskProgress';
      readonly taskId: string;
      readonly percent?: number;
      readonly detail?: string;
    }
  | {
      readonly operation: 'SetTaskStatus';
      readonly taskId: string;
      readonly status: 'FINISHED' | 'FAILED' | 'FALSE';
      readonly errorId?: string;
      readonly errorMessage?: string;
      /** At most 1,024 characters (MODEL): the tail of stderr. */
      readonly errorStackTrace?: string;
    }
  | {
      readonly operation: 'ReportTaskRunnerHeartbeat';
      readonly taskRunnerId: string;
      readonly workerGroup?: string;
      readonly hostname: string;
    };

export type Call = HubCall | PipelineCall;

/** One field of a pipeline object. A key may occur several times: order and repetition carry meaning. */
export interface PipelineField {
  readonly key: string;
  readonly stringValue?: string;
  readonly refValue?: string;
}

export interface PipelineObject {
  readonly id: string;
  readonly name: string;
  readonly fields: readonly PipelineField[];
}

/** A task as PollForTask hands it out. */
export interface PolledTask {
  readonly taskId: string;
  readonly pipelineId: string;
  readonly attemptId: string;
  readonly objects: readonly PipelineObject[];
}

/** What the Hub recorded of one report (MODEL MigrationTaskUpdate). */
export interface TaskUpdate {
  /** UpdateDateTime in seconds since 1970; absent: not given. */
  readonly stampS?: number;
  readonly status: string;
  readonly percent?: number;
  readonly detail?: string;
}

/** The answer of an accepted call. Only the members of its operation are present. */
export interface Answer {
  /** GetHomeRegion; absent in an accepted answer: no home region is set. */
  readonly homeRegion?: string;
  /** PollForTask; absent: no work. */
  readonly task?: PolledTask;
  /** ReportTaskProgress. */
  readonly canceled?: boolean;
  /** ReportTaskRunnerHeartbeat. */
  readonly terminate?: boolean;
  /** ListMigrationTaskUpdates: one page. */
  readonly updates?: readonly TaskUpdate[];
  /** ListMigrationTaskUpdates; absent: this was the last page. */
  readonly nextToken?: string;
}

/** How a call ended. One table makes it from what the SDK throws (src/aws/outcomes.ts). */
export type Outcome = (
  | { readonly kind: 'accepted'; readonly answer: Answer }
  /** Too many calls. `retryAfterMs`: what the service asked for, if it did. */
  | { readonly kind: 'throttled'; readonly retryAfterMs?: number; readonly reason: string }
  /** The service or the connection to it failed; the payload is not to blame. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  /** Credentials or permissions. */
  | { readonly kind: 'denied'; readonly reason: string }
  /** The payload (or, for the Hub, the region) was not accepted. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Hub: the stream or the task is not known. */
  | { readonly kind: 'missing'; readonly reason: string }
  /** Data Pipeline: the task or its pipeline is gone, so the task no longer belongs to this agent. */
  | { readonly kind: 'gone'; readonly reason: string }
  /** Hub: the account has no home region. */
  | { readonly kind: 'no-home-region'; readonly reason: string }
  /** Hub: a feature lacks a policy of its own (Application Discovery Service); everything else works. */
  | { readonly kind: 'disabled'; readonly reason: string }
) & {
  /** The service's clock by the Date header of its answer, in ms since 1970. */
  readonly serverDateMs?: number;
};
