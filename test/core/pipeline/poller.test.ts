/** When a worker group is polled, and when not. */
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/core/model/call.ts';
import type { PipelineSettings } from '../../../src/core/model/settings.ts';
import { Poller } from '../../../src/core/pipeline/poller.ts';
import { Pacing } from '../../../src/core/scheduling/pacing.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Shutdown } from '../../../src/core/state/shutdown.ts';
import { Desk, START, UNAVAILABLE, aRun, accepted, failing } from '../../support/desk.ts';
import { polledTask } from '../../support/polled-task.ts';
import { PIPELINE, definition, settings } from '../../support/settings.ts';

const POLL = 'PollForTask';
const NO_WORK: Outcome = { kind: 'accepted', answer: {} };

function deskOf(
  over: Partial<PipelineSettings> = {},
  more: { state?: PersistentState } = {},
): Desk {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const activities = names.map((name) => ({ match: { name }, job: name }));
  return new Desk({
    jobs: names.map((name) => definition(name)),
    settings: { dataPipeline: { ...PIPELINE, activities, ...over } },
    random: () => 1,
    ...more,
  });
}

const polls = (desk: Desk): number => desk.callsOf(POLL).length;

test('one poll is in flight, with the group and the host’s name', () => {
  const desk = deskOf();
  desk.pass(60_000);
  expect(desk.callsOf(POLL)).toEqual([
    { operation: POLL, workerGroup: 'files', hostname: 'test-host' },
  ]);
});

test('not before the runner’s first heartbeat was answered, or has failed', () => {
  const answered = deskOf();
  expect(polls(answered)).toBe(1);
  const waiting = new Desk({ settings: { dataPipeline: PIPELINE }, answers: () => undefined });
  waiting.pass(60_000);
  expect(polls(waiting)).toBe(0);
  waiting.settle('ReportTaskRunnerHeartbeat', UNAVAILABLE);
  waiting.pass(1_000);
  expect(polls(waiting)).toBe(1);
});

describe('the next poll', () => {
  test('begins a second after the last began, however fast that was answered', () => {
    const desk = deskOf();
    desk.settle(POLL, NO_WORK);
    expect(polls(desk)).toBe(1);
    desk.pass(999);
    expect(polls(desk)).toBe(1);
    desk.pass(1);
    expect(polls(desk)).toBe(2);
    desk.pass(90_000);
    desk.settle(POLL, NO_WORK);
    expect(polls(desk)).toBe(3);
  });

  test('waits longer after each failure, and not after a success', () => {
    const desk = deskOf();
    desk.answers = failing(POLL, UNAVAILABLE);
    desk.settle(POLL, UNAVAILABLE);
    // After 1 s, 2 s, 4 s.
    desk.pass(7_500);
    expect(polls(desk)).toBe(4);
    desk.answers = accepted;
    desk.pass(30_000);
    const before = polls(desk);
    desk.settle(POLL, NO_WORK);
    desk.pass(1_000);
    desk.settle(POLL, UNAVAILABLE);
    desk.pass(1_000);
    expect(polls(desk)).toBe(before + 2);
  });

  test('waits a second after the first failure, also if it is the fiftieth poll', () => {
    const desk = deskOf();
    desk.answers = failing(POLL, UNAVAILABLE);
    desk.settle(POLL, UNAVAILABLE);
    desk.pass(999);
    expect(polls(desk)).toBe(1);
    desk.pass(1);
    expect(polls(desk)).toBe(2);
  });

  test('comes from the group that has waited longest', () => {
    const desk = deskOf({ workerGroups: ['one', 'two'], concurrency: 1 });
    const groups = (): string[] => desk.callsOf(POLL).map(({ workerGroup }) => workerGroup);
    for (let i = 0; i < 4; i++) {
      desk.pass(5_000);
      desk.settle(POLL, NO_WORK);
    }
    expect(groups().slice(0, 4)).toEqual(['one', 'two', 'one', 'two']);
  });
});

describe('a host that is full', () => {
  function take(desk: Desk, name: string): void {
    const task = { ...polledTask(name), taskId: name };
    desk.settle(POLL, { kind: 'accepted', answer: { task } });
    desk.pass(2_000);
  }

  test('polls no more, until a run has ended', () => {
    const desk = deskOf({ concurrency: 2 });
    take(desk, 'a');
    expect(desk.inFlight.filter(({ call }) => call.operation === POLL)).toHaveLength(1);
    take(desk, 'b');
    expect(polls(desk)).toBe(2);
    desk.post({ type: 'run-exited', run: 'a/1', exitCode: 0 });
    desk.pass(2_000);
    expect(polls(desk)).toBe(3);
  });

  test('counts polls in flight, since each may bring a task', () => {
    const desk = deskOf({ workerGroups: ['one', 'two', 'three'], concurrency: 2 });
    desk.pass(10_000);
    expect(polls(desk)).toBe(2);
  });
});

describe('no poll is made', () => {
  test('while draining; again after resume', () => {
    const desk = deskOf();
    desk.post({ type: 'drain-requested' });
    desk.settle(POLL, NO_WORK);
    desk.pass(10_000);
    expect(polls(desk)).toBe(1);
    desk.post({ type: 'resume-requested' });
    expect(polls(desk)).toBe(2);
  });

  test('once the agent is to stop', () => {
    const desk = deskOf();
    desk.post({ type: 'stop-requested' });
    desk.settle(POLL, NO_WORK);
    desk.pass(4_000);
    expect(polls(desk)).toBe(1);
  });

  test.each([
    ['its group', { ...PIPELINE, workerGroups: ['other'] }],
    ['the destination', undefined],
  ])('after a reload that took %s away', (_what, dataPipeline) => {
    const desk = deskOf();
    const { migrationHub, ...rest } = settings();
    expect(migrationHub).toBeDefined();
    const next = dataPipeline === undefined ? rest : { ...rest, dataPipeline };
    desk.post({ type: 'settings-changed', settings: next });
    desk.settle(POLL, NO_WORK);
    desk.pass(10_000);
    expect(desk.callsOf(POLL).filter(({ workerGroup }) => workerGroup === 'files')).toHaveLength(1);
  });

  test('however it is asked: nothing waits for a turn, and a turn that comes all the same is not used', () => {
    const parts = () => ({
      ...{ state: new PersistentState(), random: () => 1, heartbeat: { isSettled: true } },
      ...{ settings: { current: settings({ dataPipeline: PIPELINE }) }, pacing: new Pacing() },
      shutdown: new Shutdown(),
    });
    const now = START;
    const asked = (over: Partial<ReturnType<typeof parts>> = {}) => {
      const poller = new Poller({ ...parts(), ...over }, 'files');
      return [poller.next()?.operation, poller.call(now)?.operation];
    };
    expect(asked()).toEqual([POLL, POLL]);
    const full = new Pacing();
    for (let i = 0; i < PIPELINE.concurrency; i++) full.began(POLL, now.bootMs, 1);
    const draining = new Shutdown();
    draining.drain();
    const reasons = [
      ...[{ heartbeat: { isSettled: false } }, { pacing: full }, { shutdown: draining }],
      { settings: { current: settings() } },
    ];
    for (const reason of reasons) {
      expect(asked(reason), Object.keys(reason).join()).toEqual([undefined, undefined]);
    }
  });

  test('while live runs of a copied host hold their jobs', () => {
    const state = new PersistentState();
    const run = aRun({ copiedHost: true });
    state.copiedHostRuns.set(run.id, run);
    const desk = deskOf({}, { state });
    desk.pass(10_000);
    expect(polls(desk)).toBe(0);
    run.state = 'failed';
    desk.pass(10_000);
    expect(polls(desk)).toBe(1);
  });
});
