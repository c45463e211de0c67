/**
 * Timeline events as sentences: "SIGTERM to 14 processes", "FAILED delivered 42 s later". An event without a sentence is
 * shown by its name and its fields.
 */
import type { EventName } from '../../core/model/timeline.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One line, or `undefined` if there is no sentence for the event. */
export function eventSentence(event: string, fields: Fields): string | undefined {
  return SENTENCES[event as EventName]?.(fields);
}

const DESTINATIONS: Readonly<Record<string, string>> = {
  migrationHub: 'Migration Hub',
  dataPipeline: 'Data Pipeline',
};

const ORIGINS: Readonly<Record<string, string>> = {
  operator: ' by the operator',
  autostart: ' at the start of the agent',
  schedule: ' by its schedule',
  'ad-hoc': ', ad hoc',
};

const CAUSES: Readonly<Record<string, string>> = {
  operator: 'cancel received from the operator',
  service: 'cancel received from Data Pipeline',
  timeout: 'cancel: timeout',
  fence: 'cancel: fenced',
  gone: 'cancel: pipeline task gone',
};

const SENTENCES: Partial<Record<EventName, (fields: Fields) => string>> = {
  'run.queued': ({ origin }) => `run queued${ORIGINS[String(origin)] ?? ''}`,
  'run.skipped': ({ reason }) => `scheduled start skipped: ${text(reason)}`,
  'run.missed': ({ dueAt, starts, policy }) =>
    `scheduled start of ${text(dueAt)} missed${starts === 1 ? '' : `, ${text(starts)} in all`}; ${policy === 'once' ? 'made up for now' : 'skipped'}`,
  'run.tracked': ({ by, pid, unit, path }) =>
    by === 'report'
      ? 'tracked, by its reports alone'
      : `tracked by ${text(by)} ${text(pid ?? unit ?? path)}`,
  'job.reported': ({ status, detail }) =>
    `reported as ${text(status)}${detail === undefined ? '' : `: ${text(detail)}`}`,
  'job.unreadable': ({ reason }) => `its state cannot be read: ${text(reason)}`,
  'run.ended': ({ message }) => `run ended: ${text(message)}`,
  'job.started': ({ pid }) => `job started${pid === undefined ? '' : `, pid ${text(pid)}`}`,
  'job.adopted': ({ pid }) =>
    `job of an earlier agent found${pid === undefined ? '' : `, pid ${text(pid)}`}`,
  'job.start_failed': ({ reason }) => `job could not be started: ${text(reason)}`,
  'job.exited': ({ exitCode, signal }) =>
    signal === undefined
      ? `job exited with code ${text(exitCode)}`
      : `job ended by ${text(signal)}`,
  'job.lost': ({ reason }) => `job is gone and left no exit record: ${text(reason)}`,
  'job.stalled': ({ noProgressForS }) => `no progress for ${seconds(noProgressForS)}`,
  'job.timeout': ({ timeoutS }) => `job ran longer than its timeout of ${seconds(timeoutS)}`,
  'cancel.received': ({ cause, detail }) =>
    // Shows who canceled. For the service the detail would only repeat "canceled".
    cause === 'service'
      ? text(CAUSES['service'])
      : `${CAUSES[String(cause)] ?? 'cancel received'}: ${text(detail)}`,
  'cancel.incomplete': ({ survivors, reason }) =>
    reason === undefined
      ? `processes outlived SIGKILL: ${text(survivors)}`
      : `the end of all processes could not be proven: ${text(reason)}`,
  'tree.signalled': ({ signal, processes }) =>
    `${text(signal)} to ${text(processes)} process${processes === 1 ? '' : 'es'}`,
  'tree.empty': () => 'tree empty',
  'task.received': ({ workerGroup, attemptId }) =>
    `pipeline task received from ${text(workerGroup)}: ${text(attemptId)}`,
  'task.refused': ({ reason }) => `pipeline task not allowed here: ${text(reason)}`,
  'lease.acknowledged': () => 'pipeline task acknowledged',
  'lease.fenced': ({ silentS, policy }) =>
    `no report accepted for ${seconds(silentS)}; ${policy === 'continue' ? 'going on all the same' : 'stopping the job'}`,
  'lease.gone': ({ reason }) => `pipeline task is no longer ours: ${text(reason)}`,
  'report.delivered': ({ status, to, afterS }) =>
    `${status === undefined ? 'final report' : text(status)} delivered ${afterS === 0 ? 'at once' : `${seconds(afterS)} later`} to ${DESTINATIONS[String(to)] ?? text(to)}`,
  'report.reduced': ({ reason }) => `report refused, trying status alone: ${text(reason)}`,
  'report.refused': ({ operation, reason }) =>
    `${operation === undefined ? 'report' : text(operation)} refused for good: ${text(reason)}`,
  'promise.broken': ({ lateS }) => `promised report ${seconds(lateS)} late`,
};

/** `42 s`, `30 min`, `2 h 5 min`. */
function seconds(value: unknown): string {
  if (typeof value !== 'number') return text(value);
  if (value < 120) return `${value} s`;
  const minutes = Math.floor(value / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function text(value: unknown): string {
  if (Array.isArray(value)) return value.map(text).join(', ');
  if (value === undefined) return '?';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
