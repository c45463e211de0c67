/**
 * The typed timeline: every fact that an operator may want to read, under a documented name.
 * A note goes to the log, and, where `kept`, into the job's timeline as well. Nothing at `info` repeats
 * with every heartbeat.
 */
import type { Now } from './time.ts';

interface Kind {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly msg: string;
  readonly kept: boolean;
}

export const EVENTS = {
  'run.queued': { level: 'info', msg: 'run queued', kept: true },
  'run.skipped': { level: 'warn', msg: 'scheduled start skipped', kept: true },
  'run.ended': { level: 'info', msg: 'run ended', kept: true },
  'job.starting': { level: 'info', msg: 'starting the job', kept: true },
  'job.started': { level: 'info', msg: 'job started', kept: true },
  'job.adopted': { level: 'info', msg: 'job of an earlier agent found', kept: true },
  'job.start_failed': { level: 'error', msg: 'job could not be started', kept: true },
  'job.exited': { level: 'info', msg: 'job exited', kept: true },
  'job.lost': { level: 'error', msg: 'job is gone and left no exit record', kept: true },
  'job.stalled': { level: 'warn', msg: 'job shows no progress', kept: true },
  'job.timeout': { level: 'warn', msg: 'job ran longer than its timeout', kept: true },
  'cancel.received': { level: 'info', msg: 'cancel received', kept: true },
  'cancel.incomplete': { level: 'error', msg: 'processes outlived SIGKILL', kept: true },
  'tree.signalled': { level: 'info', msg: 'process tree signalled', kept: true },
  'tree.empty': { level: 'info', msg: 'process tree is empty', kept: true },
  'task.received': { level: 'info', msg: 'pipeline task received', kept: true },
  'task.refused': { level: 'warn', msg: 'pipeline task not allowed here', kept: true },
  'task.rebound': { level: 'warn', msg: 'attempt handed out again', kept: true },
  'lease.acknowledged': { level: 'info', msg: 'pipeline task acknowledged', kept: true },
  'lease.fenced': { level: 'error', msg: 'ownership window ending; run fenced', kept: true },
  'lease.gone': { level: 'warn', msg: 'pipeline task is no longer ours', kept: true },
  'report.accepted': { level: 'debug', msg: 'report accepted', kept: false },
  'report.delivered': { level: 'info', msg: 'last word delivered', kept: true },
  'report.throttled': { level: 'warn', msg: 'service asked to slow down', kept: false },
  'report.failed': { level: 'debug', msg: 'report not accepted; will be repeated', kept: false },
  'report.reduced': { level: 'warn', msg: 'report refused; trying status alone', kept: true },
  'report.refused': { level: 'error', msg: 'report refused for good', kept: true },
  'promise.broken': { level: 'warn', msg: 'a promised report is late', kept: true },
  'promise.stretched': { level: 'warn', msg: 'budget too small for all promises', kept: false },
  'hub.home_region': { level: 'info', msg: 'home region known', kept: false },
  'hub.homeless': { level: 'error', msg: 'no home region is set in this account', kept: false },
  'hub.stream_ready': { level: 'info', msg: 'progress update stream is ready', kept: false },
  'service.failing': { level: 'warn', msg: 'an operation fails; jobs go on', kept: false },
  'service.recovered': { level: 'info', msg: 'an operation works again', kept: false },
  'clock.offset': { level: 'warn', msg: 'clock differs from the service', kept: false },
  'clock.jumped': { level: 'warn', msg: 'clock was stepped or host slept', kept: false },
  'agent.draining': { level: 'info', msg: 'no more pipeline tasks are taken', kept: false },
  'agent.resumed': { level: 'info', msg: 'pipeline tasks are taken again', kept: false },
  'agent.terminated': { level: 'warn', msg: 'service told the runner to end', kept: false },
  'settings.changed': { level: 'info', msg: 'settings applied', kept: false },
} as const satisfies Record<string, Kind>;

export type EventName = keyof typeof EVENTS;

export interface Note {
  readonly event: EventName;
  readonly at: Now;
  readonly job?: string;
  readonly run?: string;
  /** Units in the names; secrets masked by whoever made the text. */
  readonly fields: Readonly<Record<string, unknown>>;
}
