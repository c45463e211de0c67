/** Events of pipeline tasks, reports and promises. */
import type { EventKind } from './event-kind.ts';

const reason = { reason: 'Why' };
const operation = { operation: 'Operation of the service' };
const taskId = { taskId: 'First characters of the pipeline task’s id' };
const hubTask = { task: 'MigrationTaskName' };

export const REPORT_EVENTS = {
  'task.received': {
    level: 'debug',
    msg: 'pipeline task received',
    persisted: true,
    fields: {
      ...taskId,
      workerGroup: 'Worker group of the poll',
      attemptId: 'Attempt of the activity',
    },
  },
  'task.left': {
    level: 'warn',
    msg: 'task received during shutdown and not acknowledged; AWS gives it to another host',
    persisted: false,
    fields: {
      ...taskId,
      workerGroup: 'Worker group of the poll',
      attemptId: 'Attempt of the activity',
    },
  },
  'poll.abandoned': {
    level: 'warn',
    msg: 'agent stops during a poll; a task that it brings goes to another host',
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
    msg: 'attempt received again',
    persisted: true,
    fields: taskId,
  },
  'lease.acknowledged': {
    level: 'debug',
    msg: 'pipeline task acknowledged',
    persisted: true,
    fields: {},
  },
  'lease.fenced': {
    level: 'error',
    msg: 'ownership window ends; run fenced',
    persisted: true,
    fields: {
      silentS: 'Time since the last accepted report',
      policy: 'dataPipeline.onFence: stop or continue',
    },
  },
  'lease.gone': {
    level: 'warn',
    msg: 'pipeline task no longer belongs to this agent',
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
      status: 'Reported status',
      percent: 'Reported percent',
      nextUpdateS: 'The promise: the next report comes within',
      windowS: 'How long AWS waits for the next report of the pipeline task',
    },
  },
  'report.delivered': {
    level: 'info',
    msg: 'final report delivered',
    persisted: true,
    fields: {
      ...hubTask,
      ...taskId,
      status: 'Reported status',
      percent: 'Reported percent',
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
      outcome: 'Kind of outcome',
      pausedForMs: 'How long the operation is paused',
    },
  },
  'report.failed': {
    level: 'debug',
    msg: 'report failed; it will be repeated',
    persisted: false,
    fields: {
      ...operation,
      ...reason,
      outcome: 'Kind of outcome',
      pausedForMs: 'How long the operation is paused',
    },
  },
  'report.reduced': {
    level: 'warn',
    msg: 'report refused; repeated with the status only',
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
    msg: 'report dropped by an operator',
    persisted: true,
    fields: {
      to: 'Destination: migrationHub or dataPipeline',
      ...operation,
      by: 'Who dropped it',
    },
  },
  'promise.broken': {
    level: 'warn',
    msg: 'promised report was late',
    persisted: true,
    fields: { ...hubTask, lateS: 'How long after the promise it was accepted' },
  },
  'promise.unconfirmed': {
    level: 'info',
    msg: 'an earlier agent made the promise; unknown whether it renewed it in time',
    persisted: false,
    fields: hubTask,
  },
  'promise.stretched': {
    level: 'warn',
    msg: 'budget too small for all promises',
    persisted: false,
    fields: { promised: 'Jobs with a promise', live: 'Live jobs' },
  },
} as const satisfies Record<string, EventKind>;
