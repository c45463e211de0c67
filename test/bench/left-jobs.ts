/** What an agent that ended left in its store: running jobs whose promises are half over, so that each has a report due. */
import type { HubTask } from '../../src/core/model/hub-task.ts';
import type { Run } from '../../src/core/model/job.ts';
import { MINUTE_MS, after } from '../../src/core/lib/time.ts';
import type { Now } from '../../src/core/lib/time.ts';
import type { Clock } from '../../src/ports.ts';
import type { SqliteStore } from '../../src/store/store.ts';
import { trackedDefinition } from './tracked-jobs.ts';

const PROMISED_MS = 5 * MINUTE_MS;

export interface Left {
  readonly jobs: number;
  /** How long ago each was reported; the next report is due after half of five minutes. */
  readonly reportedMsAgo: number;
  /** Somebody else runs them, and says by `report` how they are. */
  readonly isTracked?: boolean;
  /** Progress update streams that were seen, as `REGION/STREAM`. */
  readonly streams?: string[];
}

export function leaveJobs(
  store: SqliteStore,
  clock: Clock,
  { jobs, reportedMsAgo, isTracked = false, streams }: Left,
): void {
  const rows = storedRows(jobs, after(clock.now(), -reportedMsAgo));
  const runs = isTracked ? rows.runs.map(trackedRun) : rows.runs;
  store.commit({
    ...{ ...rows, runs, droppedRuns: [], droppedHubTasks: [], events: [] },
    ...(streams === undefined ? {} : { metadata: { streams } }),
  });
}

function trackedRun(run: Run): Run {
  const definition = { ...run.definition, command: [], tracked: { by: 'report' } } as const;
  const tracked = { ...run, definition };
  delete tracked.process;
  return tracked;
}

/** So many running jobs that were reported at that time, as the store keeps them. */
export function storedRows(
  jobs: number,
  reportedAt: Now,
): { readonly runs: Run[]; readonly hubTasks: HubTask[] } {
  const runs = Array.from({ length: jobs }, (_, index) => runningRun(index, reportedAt));
  return { runs, hubTasks: runs.map((run) => reportedTask(run, reportedAt)) };
}

function runningRun(index: number, startedAt: Now): Run {
  const definition = trackedDefinition(index);
  return {
    id: `${definition.name}/1`,
    job: definition.name,
    number: 1,
    definition,
    origin: 'ad-hoc',
    state: 'running',
    requestedAt: startedAt,
    startedAt,
    spawn: 1,
    process: { pid: 1000 + index, bootId: 'none', startTicks: '1' },
    percent: index % 99,
    detail: `copying volume ${index}`,
    progressAt: startedAt,
    hub: { task: definition.name, delivery: { state: 'pending' } },
  };
}

function reportedTask(run: Run, reportedAt: Now): HubTask {
  return {
    name: run.job,
    imported: true,
    run: run.id,
    lastStampS: Math.floor(reportedAt.wallMs / 1000),
    promise: {
      run: run.id,
      payload: {
        status: 'IN_PROGRESS',
        ...(run.percent === undefined ? {} : { percent: run.percent }),
        ...(run.detail === undefined ? {} : { detail: run.detail }),
      },
      madeAt: reportedAt,
      until: after(reportedAt, PROMISED_MS),
      nextUpdateS: PROMISED_MS / 1000,
    },
    finalReports: [],
    links: [],
  };
}
