/** Work that somebody else runs: what may be reported of it, and what is watched. */
import type { Run, TrackedSource } from './job.ts';

export type FinalStatus = 'completed' | 'failed';

/** A `report` about tracked work. `percent` is 0–100; `detail` is one line, secrets masked. */
export interface Report {
  readonly name: string;
  readonly percent?: number;
  readonly detail?: string;
  readonly status?: FinalStatus;
}

/** True if the agent watches a process, a unit or a status file. */
export function isWatched({ definition: { tracked } }: Run): boolean {
  return tracked !== undefined && tracked.by !== 'report';
}

/** What is watched, for the timeline. */
export function trackedFields(tracked: TrackedSource): {
  readonly by: string;
  readonly pid?: number;
  readonly unit?: string;
  readonly path?: string;
} {
  switch (tracked.by) {
    case 'report':
      return { by: tracked.by };
    case 'pid':
      return { by: tracked.by, pid: tracked.process.pid };
    case 'unit':
      return { by: tracked.by, unit: tracked.unit };
    case 'status-file':
      return { by: tracked.by, path: tracked.path };
  }
}
