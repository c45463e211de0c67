/** What the status page shows of one job: its timeline in sentences, and its reports with their deadlines. */
import { defined } from '../../core/lib/defined.ts';
import { iso } from '../../core/lib/time.ts';
import type { JobStatus } from '../../core/model/status.ts';
import type { Operator } from '../../ports.ts';
import { eventSentence } from './event-sentences.ts';

const EVENTS_MAX = 100;

interface JobPageDocument {
  readonly schema: 1;
  readonly now: string;
  readonly job: JobStatus;
  readonly events: readonly {
    readonly at: string;
    readonly event: string;
    readonly message: string;
  }[];
  readonly reports: readonly {
    readonly at: string;
    readonly to: string;
    readonly percent?: number;
    readonly status?: string;
    readonly holdsUntil?: string;
  }[];
}

/** For `/jobs/NAME.json`; `undefined` if there is no such job. */
export function jobPageDocument(operator: Operator, path: string): JobPageDocument | undefined {
  const name = nameIn(path);
  const job = name === undefined ? undefined : operator.job(name);
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

function nameIn(path: string): string | undefined {
  const [, encoded] = /^\/jobs\/([^/]+)\.json$/.exec(path) ?? [];
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
