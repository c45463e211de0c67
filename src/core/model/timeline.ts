/**
 * The typed timeline: everything that an operator may want to read, under a documented name, with documented fields. An
 * event goes to the log and, if it is `persisted`, into the job's timeline. No event at `info` repeats with every
 * heartbeat. config/events.md is generated from these tables.
 */
import type { Now } from '../lib/time.ts';
import { AGENT_EVENTS } from './agent-events.ts';
import type { EventKind } from './event-kind.ts';
import { REPORT_EVENTS } from './report-events.ts';
import { RUN_EVENTS } from './run-events.ts';

export const EVENTS = {
  ...RUN_EVENTS,
  ...REPORT_EVENTS,
  ...AGENT_EVENTS,
} as const satisfies Record<string, EventKind>;

export type EventName = keyof typeof EVENTS;

type FieldName<Event extends EventName> = Event extends EventName
  ? keyof (typeof EVENTS)[Event]['fields']
  : never;

/** The fields that this event may have. */
export type FieldsOf<Event extends EventName> = Event extends EventName
  ? Readonly<Partial<Record<FieldName<Event>, unknown>>>
  : never;

/** Rejects fields that the table does not have, also if they come with an object of another type. */
export type NoOther<Fields, Event extends EventName> = Readonly<
  Record<Exclude<keyof Fields, FieldName<Event>>, never>
>;

export interface TimelineEvent<Event extends EventName = EventName> {
  readonly event: Event;
  readonly at: Now;
  readonly job?: string;
  readonly run?: string;
  /** Secrets are masked where the text is made. */
  readonly fields: FieldsOf<Event>;
}
