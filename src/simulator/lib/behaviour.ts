/**
 * A named switch for everything that the AWS documents leave open or state in two ways, so that clients can be tested with
 * each possible behaviour. Windows and waits that the documents state are switches as well, with their source, so that a
 * test can shorten them. Switches are set when a simulator is created, by `--set`, by the fault file, or while it runs.
 *
 * DPG: AWS Data Pipeline Developer Guide; API: the API reference and the service models.
 */
import { choice, count, duration, errorName } from './switch-kinds.ts';
import type { Switch } from './switch-kinds.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const SWITCHES = {
  // Migration Hub
  createExistingStream: choice(
    ['accept', 'refuse'],
    'CreateProgressUpdateStream for an existing stream. No AlreadyExists error is modelled; public clients repeat the call.',
  ),
  importExistingTask: choice(
    ['accept', 'refuse'],
    'ImportMigrationTask for an existing task. Not stated; public clients repeat the call.',
  ),
  outOfOrderUpdate: choice(
    ['accept', 'keep-newest', 'refuse-older', 'refuse'],
    'NotifyMigrationTaskState with an UpdateDateTime that is not later than the last one; refuse-older accepts an equal one. Not stated.',
  ),
  updateAfterFinal: choice(
    ['accept', 'refuse'],
    'NotifyMigrationTaskState after COMPLETED or FAILED. Not stated.',
  ),
  futureUpdateMsMax: duration(
    Infinity,
    'How far UpdateDateTime may be ahead of the service’s clock. Not stated: no limit.',
  ),
  staleAfterFinal: choice(
    ['never', 'as-promised'],
    'Whether the audit counts a COMPLETED or FAILED task as stale after its last promise (NextUpdateSeconds). Not stated.',
  ),
  streamDeletionMs: duration(
    5 * SECOND,
    'DeleteProgressUpdateStream works "asynchronously" (API): how long the deletion takes.',
  ),
  readWithoutHomeRegion: choice(
    ['refuse', 'accept'],
    'List and Describe while no home region is set. Their models have HomeRegionNotSetException; the text mentions writes only.',
  ),
  dataAfterHomeRegionChange: choice(
    ['stays', 'moves'],
    'Whether streams and tasks move when the home region changes. The user guide says that old data does not move.',
  ),
  attributeMatchMs: duration(
    Infinity,
    'After what time ListDiscoveredResources shows what PutResourceAttributes put. "Asynchronously" (API). The simulator has no Discovery Service: never.',
  ),
  unknownApplication: choice(
    ['accept', 'not-found', 'policy-error'],
    'NotifyApplicationState for an unknown application. The simulator has no Application Discovery Service.',
  ),
  pageTokenMs: duration(
    24 * HOUR,
    '"Each pagination token expires after 24 hours" (API, ListMigrationTaskUpdates).',
  ),
  badTokenName: errorName(
    'InvalidToken',
    'The error for an invalid or expired NextToken. Stated for ListMigrationTaskUpdates and ListSourceResources only.',
  ),
  retryAfterSeconds: choice(
    ['told', 'zero'],
    'RetryAfterSeconds in the ThrottlingException of the Hub: the wait, or 0. Whether AWS ever sets it is not known.',
  ),

  // Data Pipeline
  pollMs: duration(
    90 * SECOND,
    'How long PollForTask waits for a task: "for up to a 90 seconds" (API).',
  ),
  acknowledgeMs: duration(
    2 * MINUTE,
    'The first report of a task is due "within 2 minutes" (API, ReportTaskProgress).',
  ),
  progressMs: duration(
    15 * MINUTE,
    'After that, a report is due "every 15 minutes"; the same page also says 5 minutes (API).',
  ),
  progressLapse: choice(
    ['hand-out-again', 'new-attempt'],
    'If a report is missing, the task is "reassigned" (API) or "retried" (DPG, reportProgressTimeout).',
  ),
  taskIdAfterLapse: choice(
    ['new', 'same'],
    'Whether a task that is handed out again has a new taskId. Not stated.',
  ),
  reportAfterLapse: choice(
    ['not-found', 'canceled'],
    'ReportTaskProgress for a lapsed task. Not stated.',
  ),
  reportAfterEnd: choice(
    ['not-found', 'accept'],
    'ReportTaskProgress after SetTaskStatus has ended the task. Not stated.',
  ),
  reportAfterDelete: choice(
    ['deleted', 'canceled', 'not-found'],
    'ReportTaskProgress for a task of a deleted pipeline. PipelineDeletedException and PipelineNotFoundException are modelled.',
  ),
  reportAfterAttemptTimeout: choice(
    ['canceled', 'not-found'],
    'ReportTaskProgress after the attemptTimeout of the attempt. Not stated.',
  ),
  statusAfterCancel: choice(
    ['ignore', 'not-found'],
    'SetTaskStatus for a canceled task: the runner "does not need to" call it (API). What happens if it does is not stated.',
  ),
  serviceErrorId: choice(
    ['accept', 'refuse'],
    'SetTaskStatus with an errorId that begins with Service_, which it "should not" (API).',
  ),
  pollOfGoneClient: choice(
    ['skip', 'hand-out'],
    'If the client of a poll has hung up, its task stays in the queue, or is handed out and lost until its window ends. Not stated.',
  ),
  preconditionFalse: choice(
    ['retry', 'fail'],
    'After FALSE, a precondition is checked again like a failed attempt until its preconditionTimeout, or it fails at once. Not stated.',
  ),
  preconditionFailed: choice(
    ['fail', 'wait'],
    'If a precondition has failed, its activity fails, or waits for ever. Not stated.',
  ),
  systemPrecondition: choice(
    ['met', 'unmet'],
    'The result of preconditions that AWS itself checks, such as S3KeyExists: the simulator has nothing to check.',
  ),
  maximumRetriesDefault: count(
    3,
    'Retries of an activity without maximumRetries. The FAQ of the service said three; the DPG states no number.',
  ),
  maximumRetriesMax: count(5, '"Retries of a pipeline activity: 5 per task" (DPG, limits).'),
  retryDelayMsMin: duration(
    2 * MINUTE,
    '"Minimum delay between retry attempts: 2 minutes" (DPG, limits). It also applies without retryDelay, which is not stated.',
  ),
  pipelinesMax: count(100, '"Number of pipelines: 100, adjustable" (DPG, limits).'),
  maxActiveInstances: count(5, '"Number of active instances per object: 5" (DPG, limits).'),
  backfillMsMax: duration(
    24 * HOUR,
    'A schedule that began longer ago than this cannot be activated without a startTimestamp (DPG, Schedule: one day).',
  ),
  describeObjectsPage: count(
    25,
    'Objects on a page of DescribeObjects, which takes at most 25 ids. No page size is stated.',
  ),
  throttlingName: errorName(
    'ThrottlingException',
    'The name of the throttling error of Data Pipeline: "a throttling exception" (DPG, limits). No such error is modelled.',
  ),
} as const;

type Value<S> = S extends Switch<infer T> ? T : never;
export type SwitchName = keyof typeof SWITCHES;
/** The values of the switches. The whole simulator reads one object, which changes while it runs: never copy it. */
export type Behaviour = { readonly [K in SwitchName]: Value<(typeof SWITCHES)[K]> };

export const DEFAULT_BEHAVIOUR = Object.fromEntries(
  Object.entries(SWITCHES).map(([name, { fallback }]) => [name, fallback]),
) as unknown as Behaviour;

export interface SwitchProblem {
  readonly name: string;
  /** What is wrong, and which values are allowed. */
  readonly text: string;
}

/** Reads changes of a file, a flag or a request. Returns all problems at once. */
export function readSwitches(changes: Readonly<Record<string, unknown>>): {
  readonly values: Partial<Behaviour>;
  readonly problems: readonly SwitchProblem[];
} {
  const problems: SwitchProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, raw] of Object.entries(changes)) {
    const found = switchOf(name);
    if (found === undefined) {
      problems.push({ name, text: 'no such switch; `simulate switches` lists them' });
      continue;
    }
    const value = found.read(raw);
    if (value === undefined) {
      problems.push({
        name,
        text: `${JSON.stringify(raw)} is not one of its values: ${found.accepts}`,
      });
    } else values[name] = value;
  }
  return { values: values, problems };
}

export interface SwitchShown {
  readonly name: string;
  readonly value: string;
  readonly fallback: string;
  readonly accepts: string;
  readonly description: string;
}

export function showSwitches(behaviour: Behaviour = DEFAULT_BEHAVIOUR): readonly SwitchShown[] {
  return Object.entries(behaviour).flatMap(([name, value]) => {
    const found = switchOf(name);
    if (found === undefined) return [];
    const { accepts, description, fallback } = found;
    return [
      { name, value: found.show(value), fallback: found.show(fallback), accepts, description },
    ];
  });
}

function switchOf(name: string): Switch<string | number> | undefined {
  return Object.hasOwn(SWITCHES, name) ? SWITCHES[name as SwitchName] : undefined;
}
