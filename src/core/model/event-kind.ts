/** What the event tables say of an event. */
export interface EventKind {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** An error instead, if the field `state` is one of these. */
  readonly errorIfState?: readonly string[];
  /** The static `msg` of the log line. */
  readonly msg: string;
  /** True: the event is kept in the job's timeline, too. */
  readonly persisted: boolean;
  /** The fields that an event may have, and what each contains. Units are in the names. */
  readonly fields: Readonly<Record<string, string>>;
}
