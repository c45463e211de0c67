/**
 * Whether the agent does all of its work, and what to do if not: decided here for `status`, the log, /readyz, metrics, the
 * page and `systemctl status`. A problem is one sentence: what fails, the reason in the words of AWS, the remedy.
 */
import { HUB_OPERATIONS } from '../model/call.ts';
import type { Operation } from '../model/call.ts';
import { isFailing } from '../scheduling/pacing.ts';
import type { OperationHealth } from '../scheduling/pacing.ts';
import { hasDestination } from '../model/settings.ts';
import { hubTaskKey } from '../scheduling/reporter-keys.ts';
import { SECOND_MS, iso } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { PlannerView } from './planner-view.ts';

export type Health = 'healthy' | 'degraded';

/** Names in one sentence; a host may run thousands of jobs. */
const NAMES_MAX = 3;

export function healthOf(problems: readonly string[]): Health {
  return problems.length === 0 ? 'healthy' : 'degraded';
}

/** `healthy`, or `degraded: ` with the first problem and the number of others. */
export function healthLine(problems: readonly string[]): string {
  const [first, ...others] = problems;
  if (first === undefined) return 'healthy';
  return `degraded: ${first}${others.length === 0 ? '' : ` (and ${others.length} more)`}`;
}

/** What keeps the agent from doing its work. Problems that an operator has to fix come before passing ones. */
export function problems(view: PlannerView, now: Now): string[] {
  return [
    ...noDestination(view),
    ...heldSchedules(view, now),
    ...hubProblems(view, now),
    ...failingOperations(view),
    ...missingStream(view),
    ...copiedHost(view),
    ...late(view, now),
    ...quarantined(view),
    ...waiting(view),
  ];
}

function noDestination({ settings }: PlannerView): string[] {
  if (hasDestination(settings)) return [];
  return [
    'no destination is configured, nothing is reported to AWS: add migrationHub or dataPipeline to the configuration',
  ];
}

function heldSchedules({ schedules }: PlannerView, now: Now): string[] {
  if (!schedules.isHeld) return [];
  return [
    `scheduled starts wait: the clock of this host shows ${iso(now.wallMs)}, and no answer of AWS has confirmed it; set the clock (timedatectl), or see with migration-agent doctor why AWS does not answer`,
  ];
}

/** Operations that fail for the same reason are one problem: without credentials all of them do. */
function failingOperations({ pacing }: PlannerView): string[] {
  const byReason = new Map<string, [Operation, OperationHealth][]>();
  for (const [operation, health] of pacing.all()) {
    if (!isFailing(health)) continue;
    const reason = health.because ?? 'for an unknown reason';
    byReason.set(reason, [...(byReason.get(reason) ?? []), [operation, health]]);
  }
  return [...byReason].flatMap(([reason, failing]) => {
    const operations = failing.map(([operation]) => operation);
    const fail = operations.length === 1 ? 'fails' : 'fail';
    const remedy = remedyFor(failing[0]?.[1], reason, operations);
    return [`${operations.join(', ')} ${fail}: ${reason}${remedy}`];
  });
}

function remedyFor(
  health: OperationHealth | undefined,
  reason: string,
  operations: readonly Operation[],
): string {
  if (health?.lastFailure !== 'denied') return '';
  if (/CredentialsProviderError|TokenProviderError/.test(reason)) {
    return '; give the agent credentials (an instance role, aws.profile, or keys in its environment), then check with migration-agent doctor';
  }
  if (/AccessDenied|UnauthorizedOperation|NotAuthorized/.test(reason)) {
    return `; add to the IAM policy of the agent's identity: ${JSON.stringify(statement(operations))}`;
  }
  return '; check the credentials and the clock of this host with migration-agent doctor';
}

/** The least that allows these operations; `doctor` prints the whole policy with its resources. */
function statement(operations: readonly Operation[]): object {
  const actions = operations.map((operation) =>
    HUB_OPERATIONS.some((one) => one === operation)
      ? `mgh:${operation}`
      : `datapipeline:${operation}`,
  );
  return { Effect: 'Allow', Action: actions.length === 1 ? actions[0] : actions, Resource: '*' };
}

function hubProblems({ hub }: PlannerView, now: Now): string[] {
  const disabled = [...hub.disabled]
    .filter(([, { untilMs }]) => untilMs > now.bootMs)
    .map(
      ([operation, { reason }]) =>
        `${operation} is not called, a policy is missing: ${reason}; grant it, then migration-agent outbox retry`,
    );
  return hub.obstacle === undefined ? disabled : [hub.obstacle, ...disabled];
}

/** What the keys of the reporters of Hub tasks begin with. */
const HUB_TASKS = hubTaskKey('');

/** With `createStream` the agent makes a missing stream again; it is a problem if that did not help. */
function missingStream({ settings: { migrationHub }, hub, reporters }: PlannerView): string[] {
  if (migrationHub === undefined) return [];
  const missingMin = migrationHub.createStream ? 2 : 1;
  for (const reporter of reporters.all()) {
    if (!reporter.key.startsWith(HUB_TASKS)) continue;
    const { missing = [], reason = '' } = reporter.blockedBy?.() ?? {};
    const operation = missing.length < missingMin ? undefined : missing.at(-1);
    if (operation === undefined) continue;
    return [
      `${operation} fails: ${reason}; create the stream ${migrationHub.stream} in ${hub.region ?? 'the home region'}, or set migrationHub.createStream: true`,
    ];
  }
  return [];
}

function copiedHost({ state: { copiedHostRuns } }: PlannerView): string[] {
  if (copiedHostRuns.size === 0) return [];
  return [
    `this state was copied from another host, ${copiedHostRuns.size} of its runs are withheld: if it was moved here, migration-agent claim; else see "A copied host" in the operator's guide`,
  ];
}

/** Reports that wait until an operator retries or drops them. */
function quarantined({ state }: PlannerView): string[] {
  let count = 0;
  for (const task of state.outboxHubTasks) count += task.quarantine?.length ?? 0;
  for (const { pipeline } of state.outboxRuns) if (pipeline?.delivery.state === 'refused') count++;
  if (count === 0) return [];
  const reports = count === 1 ? '1 report was' : `${count} reports were`;
  return [`${reports} refused for good: migration-agent outbox shows why, outbox retry or drop`];
}

function waiting({ promises }: PlannerView): string[] {
  if (promises.waiting === 0) return [];
  const jobs = promises.waiting === 1 ? '1 job is' : `${promises.waiting} jobs are`;
  return [
    `${jobs} not reported to Migration Hub, the budget keeps ${promises.promised} promises: raise migrationHub.rate or nextUpdateMax`,
  ];
}

/** Tasks whose promise or window has ended without a report. */
function late({ state }: PlannerView, now: Now): string[] {
  const stale: string[] = [];
  const expired: string[] = [];
  for (const { promise, run } of state.promisedHubTasks) {
    if (promise === undefined || promise.run !== run || promise.until.bootMs >= now.bootMs)
      continue;
    const job = state.liveRuns.get(run)?.job;
    if (job !== undefined) stale.push(`${job} by ${seconds(now.bootMs - promise.until.bootMs)}`);
  }
  for (const id of state.livePipelineRuns) {
    const { job, pipeline } = state.liveRuns.get(id) ?? {};
    if (job === undefined || pipeline?.acceptedAt === undefined) continue;
    if (pipeline.delivery.state !== 'pending') continue;
    const lateMs = now.bootMs - pipeline.acceptedAt.bootMs - pipeline.task.windowMs;
    if (lateMs > 0) expired.push(`${job} by ${seconds(lateMs)}`);
  }
  return [
    ...named(stale, 'late in Migration Hub, which shows them as stale'),
    ...named(expired, 'past the window of their pipeline tasks, which another host may run'),
  ];
}

function named(names: readonly string[], what: string): string[] {
  if (names.length === 0) return [];
  const left = names.length - NAMES_MAX;
  const first = names.slice(0, NAMES_MAX).join(', ');
  return [`reports are ${what}: ${first}${left > 0 ? ` and ${left} more` : ''}`];
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / SECOND_MS)} s`;
}
