/** What is kept in a job's timeline: what an operator looks for in it afterwards. The rest goes to the log alone. */
import { expect, test } from 'vitest';
import { EVENTS } from '../../../src/core/model/timeline.ts';

const KEPT = [
  ...['cancel.incomplete', 'cancel.received', 'host.copied'],
  ...['job.adopted', 'job.exited', 'job.left_processes', 'job.lost', 'job.orphaned'],
  ...['job.readable', 'job.reported', 'job.stalled', 'job.start_failed', 'job.started'],
  ...['job.starting', 'job.timeout', 'job.unreadable'],
  ...['lease.acknowledged', 'lease.fenced', 'lease.gone', 'promise.broken'],
  ...['report.delivered', 'report.dropped', 'report.reduced', 'report.refused'],
  ...['run.ended', 'run.missed', 'run.queued', 'run.recovered', 'run.skipped', 'run.tracked'],
  ...['task.field_unreadable', 'task.rebound', 'task.received', 'task.refused'],
  ...['tree.empty', 'tree.signalled'],
];

test('the events of a job are kept in its timeline, those of the agent and of each report are not', () => {
  const kept = Object.entries(EVENTS).filter(([, { persisted }]) => persisted);
  expect(kept.map(([event]) => event).sort()).toEqual(KEPT);
});

test.each(['job.lost', 'job.start_failed', 'promise.broken', 'report.refused', 'lease.fenced'])(
  '%s stands out in the log',
  (event) => {
    expect(['warn', 'error']).toContain(EVENTS[event as keyof typeof EVENTS].level);
  },
);

test.each(['report.accepted', 'promise.stretched', 'report.throttled'])(
  '%s comes with every heartbeat, and is none of the lines that an operator reads',
  (event) => {
    expect(EVENTS[event as keyof typeof EVENTS].level).not.toBe('error');
  },
);
