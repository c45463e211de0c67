/** When a job is started by the clock, and what is kept of that. Plain values. */

/** As in the configuration: an expression, in the host's time zone where none is given. */
export interface JobSchedule {
  readonly cron: string;
  readonly timezone?: string;
  /** A start that was missed is told; `once`: and made up for, once for however many there were. */
  readonly missedStart: 'skip' | 'once';
}

/** What is kept of a schedule. A plain value. */
export interface ScheduleRecord {
  readonly cron: string;
  readonly timezone?: string;
  /** By the host's clock, ms since 1970. */
  readonly dueMs: number;
  /** When a start was last taken note of: a clock that is set back does not bring it again. */
  readonly doneMs?: number;
}
