/** A copied machine wakes with the state of another: two agents must not report the same task. */
import { expect, test } from 'vitest';
import { isSameHost } from '../../src/core/state/host-identity.ts';
import { snapshot } from '../../src/core/operator/status-document.ts';
import type { Status } from '../../src/core/model/status.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/core/lib/time.ts';
import { polledTask } from '../support/polled-task.ts';
import { PIPELINE, definition, settings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const ORIGINAL = { machine: 'a1', hardware: 'b1' };
const COPY = { machine: 'a1', hardware: 'b2' };

/** A host that works for a task, runs a job of its own, and owes the end of a third. */
function original(): World {
  const names = ['task', 'own', 'ended', 'idle'];
  const { taskRunnerId, ...pipeline } = PIPELINE;
  expect(taskRunnerId).toBeDefined();
  const made = new World({
    seed: 1,
    failing: 0,
    jobs: {
      durationMs: (run) => (run.job === 'ended' ? 5 * MINUTE_MS : 10 * HOUR_MS),
      exitCode: () => 0,
      progressEveryMs: MINUTE_MS,
    },
    settings: settings({
      jobs: new Map(names.map((name) => [name, definition(name)])),
      dataPipeline: {
        ...pipeline,
        activities: names.map((name) => ({ match: { name }, job: name })),
      },
    }),
    isOut: (call, ms) => 'task' in call && call.task === 'ended' && ms < 2 * HOUR_MS,
  });
  made.identity = ORIGINAL;
  made.crash();
  made.calls = [];
  made.service.offer(polledTask('task'));
  for (const job of ['own', 'ended']) {
    made.post({ type: 'start-requested', job, origin: 'operator' });
  }
  made.runUntil(10 * MINUTE_MS);
  return made;
}

function wakeAs(made: World, identity: typeof ORIGINAL): void {
  made.identity = identity;
  made.crash();
  made.calls = [];
  made.notes.length = 0;
}

function status(made: World): Status {
  const startedAt = made.time.now();
  const facts = { version: '0', pid: 1, startedAt, nextStartMs: new Map<string, number>() };
  return snapshot(made.planner.view(), { ...facts, problems: [] }, made.time.now());
}

function tasksSpokenOf(made: World): string[] {
  const reports = (made.calls ?? []).flatMap(({ call }) => {
    if ('taskId' in call) return [call.taskId];
    return 'task' in call ? [call.task] : [];
  });
  return [...new Set(reports)].sort();
}

test('the copy adopts, fences and reports no run of the original, does not poll, and logs it', () => {
  const made = original();
  wakeAs(made, COPY);
  made.runUntil(3 * HOUR_MS);
  expect(tasksSpokenOf(made)).toEqual([]);
  expect(new Set((made.calls ?? []).map(({ call }) => call.operation))).toEqual(
    new Set(['ReportTaskRunnerHeartbeat']),
  );
  const runners = (made.calls ?? []).flatMap(({ call }) =>
    call.operation === 'ReportTaskRunnerHeartbeat' ? [call.taskRunnerId] : [],
  );
  expect(new Set(runners)).toEqual(new Set(['runner-of-b2']));
  expect(made.running()).toBe(2);
  const copied = made.notes.filter((note) => note.event === 'host.copied');
  expect(copied.map(({ job }) => job)).toEqual(['own', 'ended', 'task', undefined]);
  const { agent, jobs } = status(made);
  expect(agent.problems.join()).toContain('copied from another host, 3 of its runs are withheld');
  expect(jobs.find(({ name }) => name === 'own')?.reason).toContain('belongs to the host');
});

test('also after a restart of the copy; the original is not affected', () => {
  const made = original();
  wakeAs(made, COPY);
  made.runUntil(20 * MINUTE_MS);
  wakeAs(made, COPY);
  made.runUntil(22 * MINUTE_MS);
  expect(tasksSpokenOf(made)).toEqual([]);
  const other = original();
  wakeAs(other, ORIGINAL);
  other.runUntil(12 * MINUTE_MS);
  expect(other.notes.map((note) => note.event)).not.toContain('host.copied');
  expect(tasksSpokenOf(other)).toEqual(['ended', 'own', 'task', 'task-1']);
});

test('its own work continues under its own names; what may run elsewhere is refused', () => {
  const made = original();
  wakeAs(made, COPY);
  made.runUntil(11 * MINUTE_MS);
  for (const [request, job] of ['own', 'ended', 'idle'].entries()) {
    made.post({ type: 'start-requested', job, origin: 'operator', request });
  }
  made.runUntil(13 * MINUTE_MS);
  expect(made.replies.map(({ ok }) => ok)).toEqual([false, true, true]);
  expect(made.replies[0]?.message).toContain('migration-agent claim');
  expect(tasksSpokenOf(made)).toEqual(['ended-b2', 'idle']);
});

test('an operator who moved the state claims it: everything continues with the old runner id', () => {
  const made = original();
  const before = made.state.metadata.taskRunnerId;
  wakeAs(made, COPY);
  made.runUntil(11 * MINUTE_MS);
  made.post({ type: 'claim-requested', by: 'anna', request: 1 });
  made.runUntil(3 * HOUR_MS);
  expect(made.replies.at(-1)).toMatchObject({ ok: true });
  expect(made.state.metadata).toMatchObject({ taskRunnerId: before, hostIdentity: COPY });
  expect(made.running()).toBe(2);
  expect(made.service.lastNotify('ended')?.status).toBe('COMPLETED');
  expect(made.service.lastNotify('own')?.status).toBe('IN_PROGRESS');
  expect(made.service.close()).toMatchObject({ lapses: 0, afterFinal: 0, stampsNotRising: 0 });
  expect(status(made).agent.problems).toEqual([]);
  wakeAs(made, COPY);
  made.runUntil(3 * HOUR_MS + MINUTE_MS);
  expect(made.notes.map((note) => note.event)).not.toContain('host.copied');
});

test('hosts are distinguished by the identities that both have', () => {
  expect(isSameHost({ machine: 'a' }, { machine: 'a', hardware: 'b' })).toBe(true);
  expect(isSameHost({}, COPY)).toBe(true);
  expect(isSameHost(ORIGINAL, COPY)).toBe(false);
  expect(isSameHost({ machine: 'a' }, { machine: 'b' })).toBe(false);
});
