/** A timeline entry as the outside sees it: its time in ISO 8601, the rest as the agent noted it. */
import type { TimelineEntry } from '../../ports.ts';

export interface TimelineEntryDocument {
  readonly at: string;
  readonly job?: string;
  readonly run?: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function timelineEntryDocument(
  entry: TimelineEntry & { readonly job?: string },
): TimelineEntryDocument {
  return {
    at: new Date(entry.at.wallMs).toISOString(),
    ...(entry.job === undefined ? {} : { job: entry.job }),
    ...(entry.run === undefined ? {} : { run: entry.run }),
    event: entry.event,
    fields: entry.fields,
  };
}
