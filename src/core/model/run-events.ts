/** Events of runs: how they start, go on, are canceled and end. */
import type { EventKind } from './event-kind.ts';

const reason = { reason: 'Why' };
const pid = { pid: 'Process id of the leader of the run' };
const seen = { ...pid, invocation: 'Invocation of the systemd unit (tracked work)' };

export const RUN_EVENTS = {
  'run.queued': {
    level: 'debug',
    msg: 'run queued',
    persisted: true,
    fields: {
      origin: 'What started it: operator, autostart, schedule, ad-hoc, pipeline or tracked',
    },
  },
  'run.missed': {
    level: 'warn',
    msg: 'scheduled start missed',
    persisted: true,
    fields: {
      dueAt: 'When it should have started',
      lateS: 'How late the agent noticed it',
      starts: 'How many starts were missed, 100 at most',
      policy: 'missedStart of the job: skip, or once to make up for it now',
    },
  },
  'run.skipped': { level: 'warn', msg: 'scheduled start skipped', persisted: true, fields: reason },
  'run.recovered': {
    level: 'warn',
    msg: 'a run that the store did not have is adopted',
    persisted: true,
    fields: {},
  },
  'run.tracked': {
    level: 'info',
    msg: 'tracking began',
    persisted: true,
    fields: {
      by: 'What is watched: pid, unit, status-file, or report',
      ...pid,
      unit: 'The systemd unit',
      path: 'The status file',
    },
  },
  'run.ended': {
    level: 'info',
    // A run that ended so needs an operator.
    errorIfState: ['failed', 'lost', 'fenced'],
    msg: 'run ended',
    persisted: true,
    fields: { state: 'Its final state', message: 'How it ended, as it is reported' },
  },
  'job.starting': { level: 'debug', msg: 'starting the job', persisted: true, fields: {} },
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
    level: 'debug',
    msg: 'job exited',
    persisted: true,
    fields: { exitCode: 'Its exit code', signal: 'Signal that ended it' },
  },
  'job.lost': {
    level: 'error',
    msg: 'job is gone without an exit record',
    persisted: true,
    fields: reason,
  },
  'job.orphaned': {
    level: 'error',
    msg: 'shim of the job died; its processes are alive',
    persisted: true,
    fields: { ...reason, pids: 'Processes of the run that are alive' },
  },
  'job.left_processes': {
    level: 'warn',
    msg: 'program ended; processes that it started are alive',
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
    msg: 'end of tracked work reported',
    persisted: true,
    fields: { status: 'completed or failed', detail: 'Detail of the report' },
  },
  'job.unreadable': {
    level: 'warn',
    msg: 'tracked work cannot be seen',
    persisted: true,
    fields: reason,
  },
  'job.readable': {
    level: 'info',
    msg: 'tracked work can be seen again',
    persisted: true,
    fields: {},
  },
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
    fields: {
      survivors: 'Their process ids',
      reason: 'Why they are counted, if they were not seen to be of the run',
    },
  },
  'tree.signalled': {
    level: 'info',
    msg: 'process tree signalled',
    persisted: true,
    fields: { signal: 'The signal', processes: 'How many processes got it' },
  },
  'tree.empty': { level: 'info', msg: 'process tree is empty', persisted: true, fields: {} },
} as const satisfies Record<string, EventKind>;
