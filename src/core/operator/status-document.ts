/** Makes the document behind `status` from the planner's state. Reads, changes nothing. */
import type { Operation } from '../model/call.ts';
import { hubTaskKey } from '../scheduling/reporter-keys.ts';
import { HubTaskReporter } from '../hub/task-reporter.ts';
import { copiedHostRefusal, isFinal } from '../model/job.ts';
import type { Delivery, Run } from '../model/job.ts';
import { oldestPendingMs, outboxSize } from './outbox.ts';
import { endCause } from '../model/report.ts';
import { runnerId } from '../pipeline/runner-heartbeat.ts';
import { PipelineTaskReporter } from '../pipeline/task-reporter.ts';
import { pipelineTaskKey } from '../scheduling/reporter-keys.ts';
import type { PlannerView } from './planner-view.ts';
import type {
  AgentStatus,
  BudgetStatus,
  FleetStatus,
  HubDestination,
  JobStatus,
  PipelineDestination,
  Status,
} from '../model/status.ts';
import { SECOND_MS, iso } from '../lib/time.ts';
import type { Instant, Now } from '../lib/time.ts';

/** What only the shell knows of the agent. */
export interface AgentDetails {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: Now;
  /** Troubles outside the planner: a disk that refuses, for one. */
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

function agentStatus(view: PlannerView, agent: AgentDetails, now: Now): AgentStatus {
  const { context } = view;
  const { metadata: facts } = context.state;
  const nearestMs = nearestDeadlineMs(view);
  const taskRunnerId = runnerId(context);
  return {
    version: agent.version,
    pid: agent.pid,
    host: context.settings.hostname,
    startedAt: iso(agent.startedAt.wallMs),
    now: iso(now.wallMs),
    state: view.isDraining ? 'draining' : 'running',
    clockOffsetSeconds: context.offset.ms / SECOND_MS,
    ...(facts.homeRegion === undefined ? {} : { homeRegion: facts.homeRegion }),
    ...(taskRunnerId === undefined ? {} : { taskRunnerId }),
    ...(agent.credentialsExpireAtMs === undefined
      ? {}
      : { credentialsExpireAt: iso(agent.credentialsExpireAtMs) }),
    waitingForBudget: context.waitingHubTasks.size,
    outbox: outboxSize(view),
    ...outboxAge(view, now),
    ...(nearestMs === undefined
      ? {}
      : { nearestDeadlineSeconds: Math.round((nearestMs - now.bootMs) / SECOND_MS) }),
    ...(agent.fleet === undefined ? {} : { fleet: agent.fleet }),
    problems: [...agent.problems, ...problems(view, now)],
  };
}

function outboxAge(view: PlannerView, now: Now): { outboxAgeSeconds?: number } {
  const sinceMs = oldestPendingMs(view);
  if (sinceMs === undefined) return {};
  return { outboxAgeSeconds: Math.round((now.bootMs - sinceMs) / SECOND_MS) };
}

export function nearestDeadlineMs(view: PlannerView): number | undefined {
  let nearestMs = Infinity;
  for (const run of view.context.state.liveRuns.values()) {
    nearestMs = Math.min(nearestMs, hubDeadline(view, run)?.bootMs ?? Infinity);
    const { pipeline } = run;
    if (pipeline?.acceptedAt !== undefined) {
      nearestMs = Math.min(nearestMs, pipeline.acceptedAt.bootMs + pipeline.task.windowMs);
    }
  }
  return nearestMs === Infinity ? undefined : nearestMs;
}

function problems(view: PlannerView, now: Now): string[] {
  const found: string[] = [];
  for (const [operation, pace] of view.pacing.all()) {
    if (pace.problems > 2 && pace.because !== undefined) {
      found.push(`${operation} fails: ${pace.because}`);
    }
  }
  const { disabled, hubObstacle } = view.context;
  if (hubObstacle !== undefined) found.push(hubObstacle);
  for (const [operation, { reason, untilMs }] of disabled) {
    if (untilMs > now.bootMs) found.push(`${operation} rests, a policy is missing: ${reason}`);
  }
  const { copiedHostRuns: foreignRuns } = view.context.state;
  if (foreignRuns.size > 0) {
    found.push(
      `this state was copied from another host: ${foreignRuns.size} of its runs are withheld; if it was moved here, migration-agent claim; else see "A copied host" in the README`,
    );
  }
  const aside = quarantined(view);
  if (aside > 0) found.push(`${aside} reports were refused for good: see migration-agent outbox`);
  const waiting = view.context.waitingHubTasks.size;
  if (waiting > 0) {
    found.push(
      `the budget of NotifyMigrationTaskState keeps ${view.context.promisedHubTasks} promises; ${waiting} jobs wait untold`,
    );
  }
  for (const run of view.context.state.liveRuns.values()) {
    const deadline = hubDeadline(view, run);
    if (deadline !== undefined && deadline.bootMs < now.bootMs) {
      found.push(`${run.job} is stale in Migration Hub`);
    }
  }
  return found;
}

/** Reports that wait for an operator's word. */
function quarantined(view: PlannerView): number {
  let aside = 0;
  for (const task of view.context.state.hubTasks.values()) aside += task.quarantine?.length ?? 0;
  for (const { pipeline } of view.context.state.runs.values()) {
    if (pipeline?.delivery.state === 'refused' && pipeline.delivery.isRetained === true) aside++;
  }
  return aside;
}

function jobStatuses(view: PlannerView, now: Now): JobStatus[] {
  const names = new Set([...view.context.settings.jobs.keys(), ...view.runs.all().keys()]);
  return [...names].map((name) => {
    const runs = view.runs.all().get(name) ?? [];
    const run = runs.find((one) => !isFinal(one.state) && one.state !== 'queued') ?? runs.at(-1);
    const next = view.schedules.due(name);
    const nextStart = next === undefined ? {} : { nextStartAt: iso(next) };
    if (run === undefined) return { name, state: 'idle', destinations: {}, ...nextStart };
    return { ...jobStatus(view, run, now), ...nextStart };
  });
}

function jobStatus(view: PlannerView, run: Run, now: Now): JobStatus {
  const hub = hubDestination(view, run, now);
  const pipeline = pipelineDestination(view, run, now);
  return {
    name: run.job,
    run: run.number,
    state: run.state,
    origin: run.origin,
    ...(run.process === undefined ? {} : { pid: run.process.pid }),
    ...watchedOf(run),
    ...(run.exitCode === undefined ? {} : { exitCode: run.exitCode }),
    ...(run.exitSignal === undefined ? {} : { exitSignal: run.exitSignal }),
    ...(run.percent === undefined ? {} : { percent: run.percent }),
    ...(run.detail === undefined ? {} : { detail: run.detail }),
    ...reasonOf(run),
    ...(run.survivors === undefined || !isFinal(run.state)
      ? {}
      : { cancelIncomplete: true, survivors: run.survivors }),
    ...(run.processesLeft === undefined ? {} : { processesLeft: run.processesLeft }),
    ...(run.stalled === true ? { stalled: true } : {}),
    ...(run.problem === undefined ? {} : { problem: run.problem }),
    ...(run.startedAt === undefined ? {} : { startedAt: iso(run.startedAt.wallMs) }),
    ...(run.endedAt === undefined ? {} : { endedAt: iso(run.endedAt.wallMs) }),
    destinations: {
      ...(hub === undefined ? {} : { migrationHub: hub }),
      ...(pipeline === undefined ? {} : { dataPipeline: pipeline }),
    },
  };
}

function watchedOf({ definition: { tracked } }: Run): { unit?: string; statusFile?: string } {
  if (tracked?.by === 'unit') return { unit: tracked.unit };
  return tracked?.by === 'status-file' ? { statusFile: tracked.path } : {};
}

function reasonOf(run: Run): { reason?: string } {
  if (run.copiedHost === true) return { reason: copiedHostRefusal(run) };
  if (run.ending !== undefined) return { reason: `${endCause(run.ending)}: ${run.ending.detail}` };
  return run.reason === undefined ? {} : { reason: run.reason };
}

function hubDestination(view: PlannerView, run: Run, now: Now): HubDestination | undefined {
  if (run.hub === undefined) return undefined;
  const promise = view.context.state.hubTasks.get(run.hub.task)?.promise;
  const told = promise?.run === run.id ? promise : undefined;
  const speaker = view.context.reporter(hubTaskKey(run.hub.task));
  const own = speaker instanceof HubTaskReporter ? speaker.trouble?.reason : undefined;
  return {
    task: run.hub.task,
    ...delivery(run.hub.delivery, own ?? hubObstacle(view)),
    ...(told === undefined
      ? {}
      : {
          lastStatus: told.payload.status,
          lastAcceptedAt: iso(told.madeAt.wallMs),
          nextUpdateSeconds: told.nextUpdateS,
          ...(isFinal(run.state) ? {} : deadline(told.until, now)),
        }),
  };
}

/** The steps before a report to the Hub, and the report itself: while one of them fails, no report arrives. */
const HUB_STEPS = [
  'GetHomeRegion',
  'CreateProgressUpdateStream',
  'ImportMigrationTask',
  'NotifyMigrationTaskState',
] as const;

function hubObstacle({ context, pacing }: PlannerView): string | undefined {
  const paces = new Map(pacing.all());
  const because = HUB_STEPS.map((step) => paces.get(step)?.because);
  return context.hubObstacle ?? because.find((reason) => reason !== undefined);
}

function pipelineDestination(
  view: PlannerView,
  run: Run,
  now: Now,
): PipelineDestination | undefined {
  const { pipeline } = run;
  if (pipeline === undefined) return undefined;
  const speaker = view.context.reporter(pipelineTaskKey(run.id));
  const obstacle = speaker instanceof PipelineTaskReporter ? speaker.obstacle : undefined;
  const { task, acceptedAt } = pipeline;
  return {
    taskId: task.taskId,
    pipelineId: task.pipelineId,
    attemptId: task.attemptId,
    workerGroup: task.workerGroup,
    ...delivery(pipeline.delivery, obstacle),
    ...(acceptedAt === undefined ? {} : { lastAcceptedAt: iso(acceptedAt.wallMs) }),
    ...(acceptedAt === undefined || pipeline.delivery.state !== 'pending'
      ? {}
      : deadline(
          {
            wallMs: acceptedAt.wallMs + task.windowMs,
            bootMs: acceptedAt.bootMs + task.windowMs,
          },
          now,
        )),
  };
}

function delivery(
  of: Delivery,
  obstacle: string | undefined,
): { delivery: Delivery['state']; reason?: string } {
  const reason = 'reason' in of ? of.reason : of.state === 'pending' ? obstacle : undefined;
  return { delivery: of.state, ...(reason === undefined ? {} : { reason }) };
}

function deadline(until: Instant, now: Now): { deadlineAt: string; slackSeconds: number } {
  return {
    deadlineAt: iso(until.wallMs),
    slackSeconds: Math.round((until.bootMs - now.bootMs) / SECOND_MS),
  };
}

function hubDeadline(view: PlannerView, run: Run): Instant | undefined {
  const promise = view.context.state.hubTasks.get(run.hub?.task ?? '')?.promise;
  return promise?.run === run.id ? promise.until : undefined;
}

function budgets(view: PlannerView, { gateLevels }: AgentDetails, now: Now): BudgetStatus[] {
  const { rates } = view.context.settings;
  return [...view.pacing.all()].map(([operation, pace]) => ({
    operation,
    perSecond: rates[operation].perSecond,
    burst: rates[operation].burst,
    ...available(gateLevels?.get(operation)),
    accepted: pace.accepted,
    throttled: pace.throttled,
    failed: pace.failed,
    ...(pace.pausedUntilMs > now.bootMs && pace.because !== undefined
      ? {
          pausedUntil: iso(now.wallMs + pace.pausedUntilMs - now.bootMs),
          pausedBecause: pace.because,
        }
      : {}),
  }));
}

function available(level: number | undefined): { available?: number } {
  return level === undefined ? {} : { available: Math.max(0, Math.floor(level)) };
}
