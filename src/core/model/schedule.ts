/** A job's schedule and the record that is kept of it. Plain values. */

/** As in the configuration: an expression, in the host's time zone if none is given. */
export interface JobSchedule {
  readonly cron: string;
  readonly timezone?: string;
  /** `skip`: log missed starts. `once`: log them and start the job once, however many starts were missed. */
  readonly missedStart: 'skip' | 'once';
}

/** What is kept of a schedule. A plain value. */
export interface ScheduleRecord {
  readonly cron: string;
  readonly timezone?: string;
  /** By the host's clock, ms since 1970. */
  readonly dueMs: number;
  /** The newest start that was made or missed: it does not come again when the clock is set back. */
  readonly doneMs?: number;
  /** Planned while the host's clock was known to be wrong by a day or more. */
  readonly isByWrongClock?: true;
}
