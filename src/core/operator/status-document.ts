/** Makes the document behind `status` from the planner's state. Reads, changes nothing. */
import { defined } from '../lib/defined.ts';
import { SECOND_MS, after, iso } from '../lib/time.ts';
import type { Instant, Now } from '../lib/time.ts';
import type { Operation } from '../model/call.ts';
import { copiedHostRefusal, isFinal } from '../model/job.ts';
import type { Delivery, Run } from '../model/job.ts';
import { endCause } from '../model/report.ts';
import { elapsedSeconds, etaSeconds } from '../model/run-time.ts';
import type {
  AgentStatus,
  BudgetStatus,
  FleetStatus,
  HubDestination,
  JobStatus,
  PipelineDestination,
  Status,
} from '../model/status.ts';
import { runnerId } from '../pipeline/runner-heartbeat.ts';
import { hubTaskKey, pipelineTaskKey } from '../scheduling/reporter-keys.ts';
import { oldestPendingMs, outboxSize } from './outbox.ts';
import type { PlannerView } from './planner-view.ts';
import { healthOf, problems } from './health.ts';

/** What the planner does not know of the agent. */
export interface AgentDetails {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: Now;
  /** Problems outside the planner: a disk that is full, for example. */
  readonly problems: readonly string[];
  readonly fleet?: FleetStatus;
  /** Calls that could be made at once, by operation. */
  readonly gateLevels?: ReadonlyMap<Operation, number>;
  /** When the credentials in use end; absent: never, or not known yet. */
  readonly credentialsExpireAtMs?: number;
}

export function snapshot(view: PlannerView, agent: AgentDetails, now: Now): Status {
  return {
    schema: 1,
    agent: agentStatus(view, agent, now),
    jobs: jobStatuses(view, now),
    budgets: budgets(view, agent, now),
  };
}

export function agentStatus(view: PlannerView, agent: AgentDetails, now: Now): AgentStatus {
  const { clock, promises, settings, shutdown, state } = view;
  const { credentialsExpireAtMs: expireAtMs, fleet } = agent;
  const nearestMs = nearestDeadlineMs(view);
  const pendingSinceMs = oldestPendingMs(view);
  const seconds = (ms: number): number => Math.round(ms / SECOND_MS);
  const found = [...agent.problems, ...problems(view, now)];
  return {
    version: agent.version,
    pid: agent.pid,
    host: settings.hostname,
    startedAt: iso(agent.startedAt.wallMs),
    now: iso(now.wallMs),
    state: shutdown.isDraining ? 'draining' : 'running',
    clockOffsetSeconds: clock.offsetMs / SECOND_MS,
    ...defined({
      homeRegion: state.metadata.homeRegion,
      taskRunnerId: runnerId({ state, settings: { current: settings } }),
      credentialsExpireAt: expireAtMs === undefined ? undefined : iso(expireAtMs),
    }),
    waitingForBudget: promises.waiting,
    outbox: outboxSize(view),
    ...defined({
      outboxAgeSeconds:
        pendingSinceMs === undefined ? undefined : seconds(now.bootMs - pendingSinceMs),
      nearestDeadlineSeconds: nearestMs === undefined ? undefined : seconds(nearestMs - now.bootMs),
      fleet,
    }),
    health: healthOf(found),
    problems: found,
  };
}

export function nearestDeadlineMs(view: PlannerView): number | undefined {
  let nearestMs = Infinity;
  const { livePipelineRuns, liveRuns, promisedHubTasks } = view.state;
  for (const { promise, run } of promisedHubTasks) {
    if (promise?.run === run) nearestMs = Math.min(nearestMs, promise?.until.bootMs ?? Infinity);
  }
  for (const id of livePipelineRuns) {
    const pipeline = liveRuns.get(id)?.pipeline;
    if (pipeline?.acceptedAt !== undefined) {
      nearestMs = Math.min(nearestMs, pipeline.acceptedAt.bootMs + pipeline.task.windowMs);
    }
  }
  return nearestMs === Infinity ? undefined : nearestMs;
}

function jobStatuses(view: PlannerView, now: Now): JobStatus[] {
  return jobNames(view).map((name) => statusOf(view, name, now));
}

/** All jobs: those of the configuration, then those that are known by their runs. */
export function jobNames(view: PlannerView): string[] {
  return [...new Set([...view.settings.jobs.keys(), ...view.runs.all().keys()])];
}

/** The status of one job; `undefined` if there is none of this name. */
export function jobStatusOf(view: PlannerView, name: string, now: Now): JobStatus | undefined {
  const isKnown = view.settings.jobs.has(name) || view.runs.all().has(name);
  return isKnown ? statusOf(view, name, now) : undefined;
}

function statusOf(view: PlannerView, name: string, now: Now): JobStatus {
  const runs = view.runs.all().get(name) ?? [];
  const run = runs.find((one) => !isFinal(one.state) && one.state !== 'queued') ?? runs.at(-1);
  const dueMs = view.schedules.due(name);
  const next = defined({ nextStartAt: dueMs === undefined ? undefined : iso(dueMs) });
  if (run === undefined) return { name, state: 'idle', destinations: {}, ...next };
  return { ...runStatus(view, run, now), ...next };
}

function runStatus(view: PlannerView, run: Run, now: Now): JobStatus {
  const { startedAt, endedAt, survivors } = run;
  const isIncomplete = survivors !== undefined && isFinal(run.state);
  return {
    name: run.job,
    run: run.number,
    state: run.state,
    origin: run.origin,
    ...defined({
      elapsedSeconds: elapsedSeconds(run, now),
      etaSeconds: etaSeconds(run, now),
      pid: run.process?.pid,
      ...trackedOf(run),
      exitCode: run.exitCode,
      exitSignal: run.exitSignal,
      percent: run.percent,
      detail: run.detail,
      reason: reasonOf(run),
      processesLeft: run.processesLeft,
      cancelIncomplete: isIncomplete ? true : undefined,
      survivors: isIncomplete ? survivors : undefined,
      stalled: run.stalled,
      problem: run.problem,
      startedAt: startedAt && iso(startedAt.wallMs),
      endedAt: endedAt && iso(endedAt.wallMs),
    }),
    destinations: defined({
      migrationHub: hubDestination(view, run, now),
      dataPipeline: pipelineDestination(view, run, now),
    }),
  };
}

function trackedOf({ definition: { tracked } }: Run): { unit?: string; statusFile?: string } {
  if (tracked?.by === 'unit') return { unit: tracked.unit };
  return tracked?.by === 'status-file' ? { statusFile: tracked.path } : {};
}

/** Why the run ended as it did. */
export function reasonOf(run: Run): string | undefined {
  if (run.copiedHost === true) return copiedHostRefusal(run);
  if (run.ending === undefined) return run.reason;
  const doubt = run.survivorsDoubt !== undefined && isFinal(run.state) ? run.survivorsDoubt : '';
  return [`${endCause(run.ending)}: ${run.ending.detail}`, doubt].filter(Boolean).join('; ');
}

function hubDestination(view: PlannerView, run: Run, now: Now): HubDestination | undefined {
  if (run.hub === undefined) return undefined;
  const { task } = run.hub;
  const promise = view.state.hubTasks.get(task)?.promise;
  const blockedBy = view.reporters.get(hubTaskKey(task))?.blockedBy?.();
  const status = { task, ...delivery(run.hub.delivery, blockedBy?.reason ?? hubObstacle(view)) };
  if (promise?.run !== run.id) return status;
  return {
    ...status,
    lastStatus: promise.payload.status,
    lastAcceptedAt: iso(promise.madeAt.wallMs),
    nextUpdateSeconds: promise.nextUpdateS,
    ...(isFinal(run.state) ? {} : deadline(promise.until, now)),
  };
}

/** The steps before a report to Migration Hub, and the report itself: while one of them fails, no report arrives. */
const HUB_STEPS = [
  'GetHomeRegion',
  'CreateProgressUpdateStream',
  'ImportMigrationTask',
  'NotifyMigrationTaskState',
] as const;

function hubObstacle({ hub, pacing }: PlannerView): string | undefined {
  const because = HUB_STEPS.map((step) => pacing.failureOf(step));
  return hub.obstacle ?? because.find((reason) => reason !== undefined);
}

function pipelineDestination(
  view: PlannerView,
  run: Run,
  now: Now,
): PipelineDestination | undefined {
  const { pipeline } = run;
  if (pipeline === undefined) return undefined;
  const { task, acceptedAt } = pipeline;
  const blockedBy = view.reporters.get(pipelineTaskKey(run.id))?.blockedBy?.();
  const status = {
    taskId: task.taskId,
    pipelineId: task.pipelineId,
    attemptId: task.attemptId,
    workerGroup: task.workerGroup,
    ...delivery(pipeline.delivery, blockedBy?.reason),
  };
  if (acceptedAt === undefined) return status;
  const isPending = pipeline.delivery.state === 'pending';
  return {
    ...status,
    lastAcceptedAt: iso(acceptedAt.wallMs),
    ...(isPending ? deadline(after(acceptedAt, task.windowMs), now) : {}),
  };
}

function delivery(
  of: Delivery,
  obstacle: string | undefined,
): { delivery: Delivery['state']; reason?: string } {
  const reason = 'reason' in of ? of.reason : of.state === 'pending' ? obstacle : undefined;
  return { delivery: of.state, ...defined({ reason }) };
}

function deadline(until: Instant, now: Now): { deadlineAt: string; slackSeconds: number } {
  const slackSeconds = Math.round((until.bootMs - now.bootMs) / SECOND_MS);
  return { deadlineAt: iso(until.wallMs), slackSeconds };
}

export function budgets(
  view: PlannerView,
  { gateLevels }: Pick<AgentDetails, 'gateLevels'>,
  now: Now,
): BudgetStatus[] {
  const { rates } = view.settings;
  return [...view.pacing.all()].map(([operation, health]) => {
    const level = gateLevels?.get(operation);
    const pauseMs = health.pausedUntilMs - now.bootMs;
    const isPaused = pauseMs > 0 && health.because !== undefined;
    return {
      operation,
      perSecond: rates[operation].perSecond,
      burst: rates[operation].burst,
      ...defined({ available: level === undefined ? undefined : Math.max(0, Math.floor(level)) }),
      accepted: health.accepted,
      throttled: health.throttled,
      failed: health.failed,
      ...defined({
        pausedUntil: isPaused ? iso(now.wallMs + pauseMs) : undefined,
        pausedBecause: isPaused ? health.because : undefined,
      }),
    };
  });
}
