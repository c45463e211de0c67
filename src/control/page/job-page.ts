/** What the status page shows of one job: its timeline in sentences, and its reports with their deadlines. */
import { defined } from '../../core/lib/defined.ts';
import { iso } from '../../core/lib/time.ts';
import type { Operator } from '../../ports.ts';
import type { JobPageDocument } from './documents.ts';
import { eventSentence } from './event-sentences.ts';

const EVENTS_MAX = 100;

/** For `/jobs/NAME.json`; `undefined` if there is no such job. */
export function jobPageDocument(operator: Operator, name: string): JobPageDocument | undefined {
  const job = operator.jobDetail(name);
  if (job === undefined) return undefined;
  return {
    schema: 1,
    now: operator.agent().now,
    job,
    events: operator.timeline(job.name, EVENTS_MAX).map(({ at, event, fields }) => ({
      at: iso(at.wallMs),
      event,
      message: eventSentence(event, fields) ?? event.replaceAll(/[._]/g, ' '),
    })),
    reports: operator.reports(job.name).map(({ atMs, holdsUntilMs, ...rest }) => ({
      at: iso(atMs),
      ...rest,
      ...defined({ holdsUntil: holdsUntilMs === undefined ? undefined : iso(holdsUntilMs) }),
    })),
  };
}
