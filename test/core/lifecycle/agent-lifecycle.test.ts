/** The agent drains, is terminated, claims a state, and ends: what each is answered, and when the end comes. */
import { describe, expect, test } from 'vitest';
import { MINUTE_MS } from '../../../src/core/lib/time.ts';
import type { Call, Outcome } from '../../../src/core/model/call.ts';
import type { PipelineSettings } from '../../../src/core/model/settings.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import {
  Desk,
  PROCESS,
  REFUSED,
  UNAVAILABLE,
  accepted,
  aRun,
  aTask,
  failing,
} from '../../support/desk.ts';
import { polledTask } from '../../support/polled-task.ts';
import { PIPELINE, definition } from '../../support/settings.ts';

const POLL = 'PollForTask';
const ACTIVITIES = [{ match: { name: 'copy' }, job: 'copy' }];

function deskOf(over: Partial<PipelineSettings> = {}): Desk {
  return new Desk({
    jobs: [definition('copy')],
    settings: { dataPipeline: { ...PIPELINE, activities: ACTIVITIES, ...over } },
  });
}

const exits = (desk: Desk): number[] => desk.actionsOf('exit').map(({ code }) => code);

/** The next heartbeat of the runner is answered with `terminate`. */
function terminate(desk: Desk): void {
  desk.answers = (call: Call): Outcome | undefined =>
    call.operation === 'ReportTaskRunnerHeartbeat'
      ? { kind: 'accepted', answer: { terminate: true } }
      : accepted(call);
  // Not a moment longer: an agent that has asked for its end wants a turn each millisecond.
  const isTerminated = (): boolean => desk.planner.view().shutdown.isTerminated;
  for (let s = 0; s < 15 * 60 && !isTerminated(); s += 1) desk.pass(1_000);
  expect(isTerminated()).toBe(true);
}

describe('drain and resume', () => {
  test('are answered, and recorded when they are new', () => {
    const desk = deskOf();
    const drain = () => desk.post({ type: 'drain-requested', request: 1 });
    const reply = { ok: true, message: 'draining: no more pipeline tasks are accepted' };
    expect([drain(), drain()]).toEqual([reply, reply]);
    expect(desk.eventNames().filter((name) => name === 'agent.draining')).toHaveLength(1);
    const resumed = desk.post({ type: 'resume-requested', request: 1 });
    expect(resumed).toEqual({ ok: true, message: 'pipeline tasks are accepted again' });
    expect(desk.eventNames()).toContain('agent.resumed');
    expect(desk.planner.view().shutdown.isDraining).toBe(false);
  });

  test('without a pipeline there is nothing to drain', () => {
    const reply = new Desk().post({ type: 'drain-requested', request: 1 });
    expect(reply).toMatchObject({
      ok: true,
      message: expect.stringMatching(/^nothing to drain/) as string,
    });
  });

  test('a terminated agent cannot resume', () => {
    const desk = deskOf();
    terminate(desk);
    const reply = desk.post({ type: 'resume-requested', request: 1 });
    expect(reply).toMatchObject({ ok: false, code: 'conflict' });
    expect(desk.planner.view().shutdown.isDraining).toBe(true);
  });
});

describe('claim', () => {
  test('of a state that was made here is refused', () => {
    const reply = new Desk().post({ type: 'claim-requested', by: 'anna', request: 1 });
    expect(reply).toEqual({
      ok: false,
      code: 'conflict',
      message: 'this state was made on this host',
    });
  });

  test('takes over what was set aside: runs are found, tasks are reported', () => {
    const state = new PersistentState();
    state.metadata = { streams: [], copiedFrom: { identity: {}, taskRunnerId: 'first' } };
    const run = aRun({ copiedHost: true, hub: { task: 'copy', delivery: { state: 'pending' } } });
    state.copiedHostRuns.set(run.id, run);
    state.copiedHostHubTasks.set('copy', aTask({ run: run.id, copiedHost: true }));
    const desk = new Desk({ jobs: [definition('copy')], state });
    expect(desk.actionsOf('adopt-run')).toEqual([]);
    const reply = desk.post({ type: 'claim-requested', by: 'anna', request: 1 });
    expect(reply).toEqual({ ok: true, message: "1 runs are this host's again" });
    expect(desk.actionsOf('adopt-run')).toHaveLength(1);
    // Its first stamp is later than any that the other host may have sent until now.
    desk.pass(1_000);
    expect(desk.callsOf('NotifyMigrationTaskState')).toMatchObject([{ task: 'copy' }]);
    const event = desk.events.find(({ event: name }) => name === 'host.claimed');
    expect(event?.fields).toEqual({ runs: 1, by: 'anna' });
  });
});

describe('a stop', () => {
  test('of an idle agent ends at once, with 0', () => {
    const desk = deskOf();
    expect(exits(desk)).toEqual([]);
    desk.post({ type: 'stop-requested' });
    expect(exits(desk)[0]).toBe(0);
  });

  test('records polls in flight that nobody waits for', () => {
    const desk = deskOf({ workerGroups: ['one', 'two'] });
    desk.pass(2_000);
    desk.post({ type: 'stop-requested' });
    const event = desk.events.find(({ event: name }) => name === 'poll.abandoned');
    expect(event?.fields).toEqual({ polls: 2 });
    const one = deskOf();
    one.post({ type: 'stop-requested' });
    expect(one.eventNames()).toContain('poll.abandoned');
    const none = new Desk();
    none.post({ type: 'stop-requested' });
    expect(none.eventNames()).not.toContain('poll.abandoned');
  });

  test('waits for reports, for five seconds at most', () => {
    const desk = deskOf();
    desk.start('copy');
    desk.pass(10_000);
    desk.answers = () => undefined;
    desk.post({ type: 'stop-requested' });
    // The shutdown report is on its way.
    expect(desk.callsOf('NotifyMigrationTaskState').at(-1)?.nextUpdateS).toBe(3600);
    desk.pass(4_999);
    expect(exits(desk)).toEqual([]);
    desk.pass(1);
    expect(exits(desk)[0]).toBe(0);
  });

  test('ends when the last report is answered, and what it changed is on disk', () => {
    const desk = deskOf();
    desk.start('copy');
    desk.pass(10_000);
    desk.answers = () => undefined;
    desk.post({ type: 'stop-requested' });
    desk.isDiskFull = true;
    desk.settle('NotifyMigrationTaskState', { kind: 'accepted', answer: {} });
    expect(exits(desk)).toEqual([]);
    desk.isDiskFull = false;
    desk.pass(10);
    expect(exits(desk)[0]).toBe(0);
  });
});

describe('an agent that the service terminates', () => {
  test('ends with 75 once no poll is waited for', () => {
    const desk = deskOf();
    terminate(desk);
    expect(desk.events.find(({ event }) => event === 'agent.terminated')?.fields).toEqual({
      policy: 'drain',
    });
    expect(desk.eventNames()).toContain('agent.draining');
    desk.pass(5_000);
    expect(exits(desk)[0]).toBe(75);
  });

  test('waits five seconds for a poll that may bring a task, or until it is answered', () => {
    const desk = deskOf({ heartbeatEveryMs: 60_000 });
    desk.answers = (call: Call): Outcome | undefined =>
      call.operation === 'ReportTaskRunnerHeartbeat'
        ? { kind: 'accepted', answer: { terminate: true } }
        : accepted(call);
    while (!desk.planner.view().shutdown.isTerminated) desk.pass(100);
    expect(exits(desk)).toEqual([]);
    desk.settle(POLL, { kind: 'accepted', answer: {} });
    expect(exits(desk)[0]).toBe(75);
  });

  test('wakes up when nobody waits for the poll any more, to the millisecond', () => {
    const desk = deskOf({ heartbeatEveryMs: 60_000 });
    desk.answers = (call: Call): Outcome | undefined =>
      call.operation === 'ReportTaskRunnerHeartbeat'
        ? { kind: 'accepted', answer: { terminate: true } }
        : accepted(call);
    while (!desk.planner.view().shutdown.isTerminated) desk.pass(100);
    expect(desk.planner.wakeAtMs()).toBe(desk.now.bootMs + 5_000);
    desk.pass(4_999);
    expect(exits(desk)).toEqual([]);
    desk.pass(1);
    expect(exits(desk)[0]).toBe(75);
  });

  test.each([
    ['is not accepted: it waits', UNAVAILABLE, []],
    ['is refused for good: it ends', REFUSED, [75]],
  ])('whose last report %s', (_what, outcome, expected) => {
    const desk = deskOf();
    const task = { ...polledTask('copy'), taskId: 'task-1' };
    desk.settle(POLL, { kind: 'accepted', answer: { task } });
    const run = desk.runOf('copy');
    desk.post({ type: 'run-started', run: run.id, process: PROCESS });
    terminate(desk);
    const endedBy = desk.now.bootMs + MINUTE_MS;
    desk.answers = failing('SetTaskStatus', outcome);
    desk.exit(run);
    while (exits(desk).length === 0 && desk.now.bootMs < endedBy) desk.pass(1_000);
    expect(exits(desk).slice(0, 1)).toEqual(expected);
  });

  test('lets its pipeline jobs end first, and reports them', () => {
    const desk = deskOf();
    const task = { ...polledTask('copy'), taskId: 'task-1' };
    desk.settle(POLL, { kind: 'accepted', answer: { task } });
    const run = desk.runOf('copy');
    desk.post({ type: 'run-started', run: run.id, process: PROCESS });
    terminate(desk);
    desk.pass(MINUTE_MS);
    expect([exits(desk), run.state]).toEqual([[], 'running']);
    desk.answers = (call) => (call.operation === 'SetTaskStatus' ? undefined : accepted(call));
    desk.exit(run);
    expect(exits(desk)).toEqual([]);
    desk.settle('SetTaskStatus', { kind: 'accepted', answer: {} });
    desk.pass(10);
    expect(exits(desk)[0]).toBe(75);
  });

  test('stops its pipeline jobs, and no others, if the configuration says so', () => {
    const desk = new Desk({
      jobs: [definition('copy'), definition('plain')],
      settings: { dataPipeline: { ...PIPELINE, activities: ACTIVITIES, onTerminate: 'stop' } },
    });
    const plain = desk.start('plain');
    const task = { ...polledTask('copy'), taskId: 'task-1' };
    desk.settle(POLL, { kind: 'accepted', answer: { task } });
    desk.post({ type: 'run-started', run: 'copy/1', process: PROCESS });
    terminate(desk);
    expect([desk.runOf('copy').ending?.cause, plain.state]).toEqual(['operator', 'running']);
    expect(desk.runOf('copy').ending?.detail).toBe(
      'AWS Data Pipeline asked the task runner to terminate',
    );
  });
});
