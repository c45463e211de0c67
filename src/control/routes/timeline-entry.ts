/** A timeline entry as the outside sees it: its time in ISO 8601, the rest as the agent recorded it. */
import { defined } from '../../core/lib/defined.ts';
import { iso } from '../../core/lib/time.ts';
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
    at: iso(entry.at.wallMs),
    ...defined({ job: entry.job, run: entry.run }),
    event: entry.event,
    fields: entry.fields,
  };
}
