/**
 * Everything that the AWS documents leave open or say in two ways, as a named switch, so that clients can be tested under
 * more than one answer. Windows and waits that the documents do name are here as well, with their source, so that a test
 * can shorten them. Set when a simulator is made, by `--set` or the fault file, or while it runs.
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
    'CreateProgressUpdateStream of a stream that exists. No AlreadyExists error is modelled; public callers repeat it.',
  ),
  importExistingTask: choice(
    ['accept', 'refuse'],
    'ImportMigrationTask of a task that exists. Not stated; public callers repeat it.',
  ),
  outOfOrderUpdate: choice(
    ['accept', 'keep-newest', 'refuse-older', 'refuse'],
    'NotifyMigrationTaskState whose UpdateDateTime is not later than the last one; refuse-older takes an equal one. Not stated.',
  ),
  updateAfterFinal: choice(
    ['accept', 'refuse'],
    'NotifyMigrationTaskState after COMPLETED or FAILED. Not stated.',
  ),
  futureUpdateMsMax: duration(
    Infinity,
    'UpdateDateTime later than the clock of the service by more than this is refused. Not stated: no bound.',
  ),
  staleAfterFinal: choice(
    ['never', 'as-promised'],
    'Whether the audit takes a COMPLETED or FAILED task for stale when its last promise has passed. Not stated.',
  ),
  streamDeletionMs: duration(
    5 * SECOND,
    'DeleteProgressUpdateStream works "asynchronously" (API): how long the stream lingers.',
  ),
  readWithoutHomeRegion: choice(
    ['refuse', 'accept'],
    'List and Describe while no home region is set. Their models name HomeRegionNotSetException; the text names writes only.',
  ),
  dataAfterHomeRegionChange: choice(
    ['stays', 'moves'],
    'Streams and tasks when the home region changes. The user guide: old data does not move.',
  ),
  attributeMatchMs: duration(
    Infinity,
    'When PutResourceAttributes shows in ListDiscoveredResources. "Asynchronously" (API); there is no Discovery Service here: never.',
  ),
  unknownApplication: choice(
    ['accept', 'not-found', 'policy-error'],
    'NotifyApplicationState for an application never seen. There is no Application Discovery Service here.',
  ),
  pageTokenMs: duration(
    24 * HOUR,
    '"Each pagination token expires after 24 hours" (API, ListMigrationTaskUpdates).',
  ),
  badTokenName: errorName(
    'InvalidToken',
    'The error for a bad or old NextToken. Stated for ListMigrationTaskUpdates and ListSourceResources only.',
  ),
  retryAfterSeconds: choice(
    ['told', 'zero'],
    'RetryAfterSeconds of the ThrottlingException of the Hub: the wait, or its default. Whether it is ever set is not known.',
  ),

  // Data Pipeline
  pollMs: duration(90 * SECOND, 'PollForTask holds a connection "for up to a 90 seconds" (API).'),
  acknowledgeMs: duration(
    2 * MINUTE,
    'The acknowledgement is due "within 2 minutes" (API, ReportTaskProgress).',
  ),
  progressMs: duration(
    15 * MINUTE,
    'Afterwards a report is due "every 15 minutes"; the same page says 5 minutes as well (API).',
  ),
  progressLapse: choice(
    ['hand-out-again', 'new-attempt'],
    'After a missed report the task is "reassigned" (API) or "retried" (DPG, reportProgressTimeout).',
  ),
  taskIdAfterLapse: choice(
    ['new', 'same'],
    'Whether a task that is handed out again carries a new taskId. Not stated.',
  ),
  reportAfterLapse: choice(
    ['not-found', 'canceled'],
    'ReportTaskProgress for a task that lapsed. Not stated.',
  ),
  reportAfterEnd: choice(
    ['not-found', 'accept'],
    'A report for a task that ended by SetTaskStatus. Not stated.',
  ),
  reportAfterDelete: choice(
    ['deleted', 'canceled', 'not-found'],
    'ReportTaskProgress for a task of a deleted pipeline. PipelineDeletedException and PipelineNotFoundException are modelled.',
  ),
  reportAfterAttemptTimeout: choice(
    ['canceled', 'not-found'],
    'ReportTaskProgress for an attempt that ran into its attemptTimeout. Not stated.',
  ),
  statusAfterCancel: choice(
    ['ignore', 'not-found'],
    'SetTaskStatus for a canceled task: the runner "does not need to" (API); what happens is not stated.',
  ),
  serviceErrorId: choice(
    ['accept', 'refuse'],
    'SetTaskStatus with an errorId that begins with Service_: it "should not" (API).',
  ),
  pollOfGoneClient: choice(
    ['skip', 'hand-out'],
    'A task that would go to a poll whose client has hung up: it stays, or is lost until its window lapses. Not stated.',
  ),
  preconditionFalse: choice(
    ['retry', 'fail'],
    'After FALSE a precondition is checked again as a failed attempt is, until preconditionTimeout; or it has failed. Not stated.',
  ),
  preconditionFailed: choice(
    ['fail', 'wait'],
    'What becomes of the activity whose precondition has failed: it fails, or waits for ever. Not stated.',
  ),
  systemPrecondition: choice(
    ['met', 'unmet'],
    'How the preconditions end that the service itself checks (S3KeyExists and its like): there is nothing to look at here.',
  ),
  maximumRetriesDefault: count(
    3,
    'Retries of an activity without maximumRetries. The FAQ of the service said three; the DPG names no number.',
  ),
  maximumRetriesMax: count(5, '"Retries of a pipeline activity: 5 per task" (DPG, limits).'),
  retryDelayMsMin: duration(
    2 * MINUTE,
    '"Minimum delay between retry attempts: 2 minutes" (DPG, limits). Without retryDelay it is taken, too: not stated.',
  ),
  pipelinesMax: count(100, '"Number of pipelines: 100, adjustable" (DPG, limits).'),
  maxActiveInstances: count(5, '"Number of active instances per object: 5" (DPG, limits).'),
  backfillMsMax: duration(
    24 * HOUR,
    'A schedule that began longer ago cannot be activated without a startTimestamp (DPG, Schedule: one day).',
  ),
  describeObjectsPage: count(
    25,
    'Objects on a page of DescribeObjects, which takes 25 ids at most. No page size is stated.',
  ),
  throttlingName: errorName(
    'ThrottlingException',
    'The throttling error of Data Pipeline: "a throttling exception" (DPG, limits); none is modelled.',
  ),
} as const;

type Value<S> = S extends Switch<infer T> ? T : never;
export type SwitchName = keyof typeof SWITCHES;
/** What the switches stand at. One object for the whole simulator, changed while it runs: read, never copied. */
export type Behaviour = { readonly [K in SwitchName]: Value<(typeof SWITCHES)[K]> };

export const DEFAULT_BEHAVIOUR = Object.fromEntries(
  Object.entries(SWITCHES).map(([name, { fallback }]) => [name, fallback]),
) as unknown as Behaviour;

export interface SwitchProblem {
  readonly name: string;
  /** What is wrong, and what would be right. */
  readonly text: string;
}

/** Reads changes as they stand in a file, a flag or a request; all problems at once. */
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
        text: `${JSON.stringify(raw)} is none of its values: ${found.accepts}`,
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
  readonly says: string;
}

export function showSwitches(behaviour: Behaviour = DEFAULT_BEHAVIOUR): readonly SwitchShown[] {
  return Object.entries(behaviour).flatMap(([name, value]) => {
    const found = switchOf(name);
    if (found === undefined) return [];
    const { accepts, says, fallback } = found;
    return [{ name, value: found.show(value), fallback: found.show(fallback), accepts, says }];
  });
}

function switchOf(name: string): Switch<string | number> | undefined {
  return Object.hasOwn(SWITCHES, name) ? SWITCHES[name as SwitchName] : undefined;
}
