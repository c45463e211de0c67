/**
 * The typed timeline: every fact that an operator may want to read, under a documented name, with the fields that
 * it may have. A note goes to the log, and, where `kept`, into the job's timeline as well. Nothing at `info` repeats
 * with every heartbeat. config/events.md is made from this table.
 */
import type { Now } from '../lib/time.ts';

interface Kind {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly msg: string;
  readonly persisted: boolean;
  /** What each field holds; a note has no other, and may lack some. Units are in the names. */
  readonly fields: Readonly<Record<string, string>>;
}

const reason = { reason: 'Why, in words' };
const operation = { operation: 'Operation of the service' };
const taskId = { taskId: 'Beginning of the pipeline task’s id' };
const hubTask = { task: 'MigrationTaskName' };
const pid = { pid: 'Process id of the leader of the run' };
const seen = { ...pid, invocation: 'Invocation of the systemd unit (tracked work)' };

export const EVENTS = {
  'run.queued': {
    level: 'info',
    msg: 'run queued',
    persisted: true,
    fields: { origin: 'Who wanted it: operator, autostart, schedule, ad-hoc' },
  },
  'run.missed': {
    level: 'warn',
    msg: 'scheduled start missed',
    persisted: true,
    fields: {
      dueAt: 'When it should have started',
      lateS: 'How long ago that was when it was seen',
      starts: 'How many starts went by, 100 at most',
      policy: 'missedStart of the job: skip, or once to make up for it now',
    },
  },
  'run.skipped': { level: 'warn', msg: 'scheduled start skipped', persisted: true, fields: reason },
  'run.tracked': {
    level: 'info',
    msg: 'work of somebody else is tracked',
    persisted: true,
    fields: {
      by: 'What is looked at: pid, unit, status-file, or report',
      ...pid,
      unit: 'The systemd unit',
      path: 'The status file',
    },
  },
  'run.ended': {
    level: 'info',
    msg: 'run ended',
    persisted: true,
    fields: { state: 'Its final state', message: 'How it ended, as the services are told' },
  },
  'job.starting': { level: 'info', msg: 'starting the job', persisted: true, fields: {} },
  'job.started': { level: 'info', msg: 'job started', persisted: true, fields: seen },
  'job.adopted': {
    level: 'info',
    msg: 'job of an earlier agent found',
    persisted: true,
    fields: seen,
  },
  'job.start_failed': {
    level: 'error',
    msg: 'job could not be started',
    persisted: true,
    fields: reason,
  },
  'job.exited': {
    level: 'info',
    msg: 'job exited',
    persisted: true,
    fields: { exitCode: 'Its exit code', signal: 'Signal that ended it' },
  },
  'job.lost': {
    level: 'error',
    msg: 'job is gone and left no exit record',
    persisted: true,
    fields: reason,
  },
  'job.orphaned': {
    level: 'error',
    msg: 'shim of the job died; its processes go on',
    persisted: true,
    fields: { ...reason, pids: 'Processes of the run that are alive' },
  },
  'job.left_processes': {
    level: 'warn',
    msg: 'program ended; processes that it started go on',
    persisted: true,
    fields: {
      pids: 'Processes of the run that are alive',
      waitFor: 'leader: the run has ended; tree: it ends with its last process',
    },
  },
  'job.stalled': {
    level: 'warn',
    msg: 'job shows no progress',
    persisted: true,
    fields: { noProgressForS: 'For how long' },
  },
  'job.reported': {
    level: 'info',
    msg: 'final word reported',
    persisted: true,
    fields: { status: 'completed or failed', detail: 'What was said with it' },
  },
  'job.unreadable': {
    level: 'warn',
    msg: 'tracked work cannot be seen',
    persisted: true,
    fields: reason,
  },
  'job.readable': { level: 'info', msg: 'tracked work is seen again', persisted: true, fields: {} },
  'job.timeout': {
    level: 'warn',
    msg: 'job ran longer than its timeout',
    persisted: true,
    fields: { timeoutS: 'The timeout' },
  },
  'cancel.received': {
    level: 'info',
    msg: 'cancel received',
    persisted: true,
    fields: {
      cause: 'operator, service, timeout, fence or gone',
      detail: 'Who asked, or what happened',
    },
  },
  'cancel.incomplete': {
    level: 'error',
    msg: 'processes outlived SIGKILL',
    persisted: true,
    fields: { survivors: 'Their process ids' },
  },
  'tree.signalled': {
    level: 'info',
    msg: 'process tree signalled',
    persisted: true,
    fields: { signal: 'The signal', processes: 'How many processes got it' },
  },
  'tree.empty': { level: 'info', msg: 'process tree is empty', persisted: true, fields: {} },
  'task.received': {
    level: 'info',
    msg: 'pipeline task received',
    persisted: true,
    fields: {
      ...taskId,
      workerGroup: 'Worker group that it came from',
      attemptId: 'Attempt of the activity',
    },
  },
  'task.left': {
    level: 'warn',
    msg: 'task received while the agent ends; another host gets it',
    persisted: false,
    fields: {
      ...taskId,
      workerGroup: 'Worker group that it came from',
      attemptId: 'Attempt of the activity',
    },
  },
  'poll.abandoned': {
    level: 'warn',
    msg: 'agent ends during a poll, which may bring a task for another host',
    persisted: false,
    fields: { polls: 'How many polls are in flight' },
  },
  'task.refused': {
    level: 'warn',
    msg: 'pipeline task not allowed here',
    persisted: true,
    fields: reason,
  },
  'task.field_unreadable': {
    level: 'warn',
    msg: 'pipeline field cannot be read',
    persisted: true,
    fields: { field: 'The field', value: 'Its text', used: 'What is used instead' },
  },
  'task.rebound': {
    level: 'warn',
    msg: 'attempt handed out again',
    persisted: true,
    fields: taskId,
  },
  'lease.acknowledged': {
    level: 'info',
    msg: 'pipeline task acknowledged',
    persisted: true,
    fields: {},
  },
  'lease.fenced': {
    level: 'error',
    msg: 'ownership window ending; run fenced',
    persisted: true,
    fields: {
      silentS: 'How long no report had been accepted',
      policy: 'dataPipeline.onFence: stop or continue',
    },
  },
  'lease.gone': {
    level: 'warn',
    msg: 'pipeline task is no longer ours',
    persisted: true,
    fields: reason,
  },
  'report.accepted': {
    level: 'debug',
    msg: 'report accepted',
    persisted: false,
    fields: {
      ...hubTask,
      ...taskId,
      status: 'Status that was told',
      percent: 'Percent that was told',
      nextUpdateS: 'The promise: the next report comes within',
      windowS: 'How long the pipeline task stays ours without another report',
    },
  },
  'report.delivered': {
    level: 'info',
    msg: 'last word delivered',
    persisted: true,
    fields: {
      ...hubTask,
      ...taskId,
      status: 'Status that was told',
      percent: 'Percent that was told',
      to: 'migrationHub or dataPipeline',
      afterS: 'How long after the end of the run',
    },
  },
  'report.throttled': {
    level: 'warn',
    msg: 'service asked to slow down',
    persisted: false,
    fields: {
      ...operation,
      ...reason,
      outcome: 'Kind of the answer',
      pausedForMs: 'How long no call of the operation is made',
    },
  },
  'report.failed': {
    level: 'debug',
    msg: 'report not accepted; will be repeated',
    persisted: false,
    fields: {
      ...operation,
      ...reason,
      outcome: 'Kind of the answer',
      pausedForMs: 'How long no call of the operation is made',
    },
  },
  'report.reduced': {
    level: 'warn',
    msg: 'report refused; trying status alone',
    persisted: true,
    fields: { ...hubTask, ...reason },
  },
  'report.refused': {
    level: 'error',
    msg: 'report refused for good',
    persisted: true,
    fields: { ...hubTask, ...operation, ...reason },
  },
  'report.dropped': {
    level: 'warn',
    msg: 'report given up by an operator',
    persisted: true,
    fields: {
      to: 'Destination: migrationHub or dataPipeline',
      ...operation,
      by: 'Who gave it up',
    },
  },
  'promise.broken': {
    level: 'warn',
    msg: 'a promised report is late',
    persisted: true,
    fields: { ...hubTask, lateS: 'How late it was accepted' },
  },
  'promise.unconfirmed': {
    level: 'info',
    msg: 'promise ended before this agent started, kept or not',
    persisted: false,
    fields: hubTask,
  },
  'promise.stretched': {
    level: 'warn',
    msg: 'budget too small for all promises',
    persisted: false,
    fields: { promised: 'Jobs that a promise was made for', live: 'Jobs that run' },
  },
  'hub.home_region': {
    level: 'info',
    msg: 'home region known',
    persisted: false,
    fields: { region: 'The home region of the account' },
  },
  'hub.no_home_region': {
    level: 'error',
    msg: 'no home region is set in this account',
    persisted: false,
    fields: reason,
  },
  'hub.stream_ready': {
    level: 'info',
    msg: 'progress update stream is ready',
    persisted: false,
    fields: { stream: 'Its name', region: 'The region it is in' },
  },
  'hub.feature_disabled': {
    level: 'warn',
    msg: 'a policy is missing; this operation rests, all else goes on',
    persisted: false,
    fields: { ...operation, ...reason },
  },
  'service.failing': {
    level: 'warn',
    msg: 'an operation fails; jobs go on',
    persisted: false,
    fields: { ...operation, ...reason, outcome: 'Kind of the answer' },
  },
  'service.recovered': {
    level: 'info',
    msg: 'an operation works again',
    persisted: false,
    fields: operation,
  },
  'clock.offset': {
    level: 'warn',
    msg: 'clock differs from the service',
    persisted: false,
    fields: { offsetS: 'The service’s clock less this host’s' },
  },
  'clock.jumped': {
    level: 'warn',
    msg: 'clock was stepped or host slept',
    persisted: false,
    fields: { stepS: 'By how much' },
  },
  'host.copied': {
    level: 'error',
    msg: 'state of another host; what it was doing is withheld here',
    persisted: true,
    fields: { withheld: 'How many runs are withheld', state: 'State that the run had' },
  },
  'host.claimed': {
    level: 'warn',
    msg: 'an operator says that the state was moved here',
    persisted: false,
    fields: { runs: 'How many runs are this host’s again', by: 'Who said so' },
  },
  'host.woke': {
    level: 'warn',
    msg: 'host slept or agent stood still; pipeline tasks are reported first',
    persisted: false,
    fields: { asleepS: 'For how long nothing was done' },
  },
  'agent.draining': {
    level: 'info',
    msg: 'no more pipeline tasks are taken',
    persisted: false,
    fields: {},
  },
  'agent.resumed': {
    level: 'info',
    msg: 'pipeline tasks are taken again',
    persisted: false,
    fields: {},
  },
  'agent.terminated': {
    level: 'warn',
    msg: 'service told the runner to end',
    persisted: false,
    fields: { policy: 'dataPipeline.onTerminate: drain or stop' },
  },
  'settings.changed': {
    level: 'info',
    msg: 'settings applied',
    persisted: false,
    fields: { jobs: 'How many jobs the configuration has' },
  },
} as const satisfies Record<string, Kind>;

export type EventName = keyof typeof EVENTS;

type FieldName<Event extends EventName> = Event extends EventName
  ? keyof (typeof EVENTS)[Event]['fields']
  : never;

/** The fields that a note of this event may have. */
export type FieldsOf<Event extends EventName> = Event extends EventName
  ? Readonly<Partial<Record<FieldName<Event>, unknown>>>
  : never;

/** Refuses fields that the table does not have, also those of an object that was made elsewhere. */
export type NoOther<Fields, Event extends EventName> = Readonly<
  Record<Exclude<keyof Fields, FieldName<Event>>, never>
>;

export interface TimelineEvent<Event extends EventName = EventName> {
  readonly event: Event;
  readonly at: Now;
  readonly job?: string;
  readonly run?: string;
  /** Secrets masked by whoever made the text. */
  readonly fields: FieldsOf<Event>;
}
