/** The documents that the status page loads. Types only: the page's script imports them too. */
import type { AgentStatus, BudgetStatus, JobDetail, JobStatus } from '../../core/model/status.ts';

/** `/overview.json`: the agent, counts of all jobs, and the rows that the page shows. */
export interface OverviewDocument {
  readonly schema: 1;
  /** Of what is shown: a client that names it with `since` gets only the rows, the order and the budgets that have changed. */
  readonly version: string;
  readonly agent: AgentStatus;
  /** Jobs by condition, what needs attention first. */
  readonly counts: readonly (readonly [condition: string, count: number])[];
  /** Jobs that match the filter; the first of them are in `jobs`. */
  readonly matching: number;
  /** Names of the rows. */
  readonly order?: readonly string[];
  readonly jobs?: readonly JobStatus[];
  readonly budgets?: readonly BudgetStatus[];
}

/** `/jobs/NAME.json`: the timeline of a job in sentences, and its reports with their deadlines. */
export interface JobPageDocument {
  readonly schema: 1;
  readonly now: string;
  readonly job: JobDetail;
  readonly events: readonly {
    readonly at: string;
    readonly event: string;
    readonly message: string;
  }[];
  readonly reports: readonly ReportOfPage[];
}

export interface ReportOfPage {
  readonly at: string;
  readonly to: 'migrationHub' | 'dataPipeline';
  readonly percent?: number;
  readonly status?: string;
  readonly holdsUntil?: string;
}

/** `/jobs/NAME/output.json`: what the latest run wrote to a stream, from a position on. */
export interface OutputDocument {
  readonly schema: 1;
  readonly run?: number;
  /** Whole lines, secrets masked. */
  readonly text: string;
  /** Where the next piece begins. */
  readonly next: number;
  /** Why there is no output. */
  readonly remark?: string;
}
