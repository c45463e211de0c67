/** One job in full, as `systemctl status` shows a unit: what it runs, where its output lies, earlier runs, pending reports. */
import { defined } from '../lib/defined.ts';
import { maskCommand } from '../lib/secrets.ts';
import { iso } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import { isFinal } from '../model/job.ts';
import type { Run } from '../model/job.ts';
import { elapsedSeconds } from '../model/run-time.ts';
import type { EarlierRun, JobDetail, LogPaths } from '../model/status.ts';
import { outboxOf } from './outbox.ts';
import type { PlannerView } from './planner-view.ts';
import { jobStatusOf, reasonOf } from './status-document.ts';

/** More are in the timeline. */
const EARLIER_RUNS_MAX = 10;

/** What only the adapter knows that starts jobs. */
export interface JobSurroundings {
  /** Whom a job runs as that names no user. */
  readonly ownUser?: string;
  readonly logs?: (job: string, run: number) => LogPaths;
}

/** `undefined` if there is no job of this name. */
export function jobDetailOf(
  view: PlannerView,
  name: string,
  { logs, ownUser }: JobSurroundings,
  now: Now,
): JobDetail | undefined {
  const status = jobStatusOf(view, name, now);
  if (status === undefined) return undefined;
  const runs = view.runs.of(name);
  const configured = view.settings.jobs.get(name);
  // What runs is shown, if a reload has changed the job since.
  const definition = runs.find(({ number }) => number === status.run)?.definition ?? configured;
  const isOurs = definition !== undefined && definition.tracked === undefined;
  return {
    ...status,
    ...defined({
      command: isOurs ? maskCommand(definition.command) : undefined,
      workingDirectory: isOurs ? (definition.workingDirectory ?? '/') : undefined,
      user: isOurs ? (definition.user ?? ownUser) : undefined,
      schedule: scheduleOf(view, name),
      logs: isOurs && status.run !== undefined ? logs?.(name, status.run) : undefined,
    }),
    earlierRuns: runs
      .filter(({ number, state }) => isFinal(state) && number !== status.run)
      .slice(-EARLIER_RUNS_MAX)
      .reverse()
      .map((run) => earlierRun(run, now)),
    pending: outboxOf(view, name, now),
  };
}

function scheduleOf({ settings }: PlannerView, name: string): JobDetail['schedule'] {
  const schedule = settings.jobs.get(name)?.schedule;
  if (schedule === undefined) return undefined;
  const { cron, timezone } = schedule;
  return { cron, ...defined({ timezone }) };
}

function earlierRun(run: Run, now: Now): EarlierRun {
  const { endedAt, exitCode, exitSignal, number, startedAt, state } = run;
  return {
    run: number,
    state,
    ...defined({
      startedAt: startedAt && iso(startedAt.wallMs),
      endedAt: endedAt && iso(endedAt.wallMs),
      elapsedSeconds: elapsedSeconds(run, now),
      exitCode,
      exitSignal,
      reason: reasonOf(run),
    }),
  };
}
