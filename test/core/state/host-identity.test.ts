/** Whose state it is: a host that differs in a known part is another one, and what it finds is set aside. */
import { describe, expect, test } from 'vitest';
import type { Run } from '../../../src/core/model/job.ts';
import { claimState, isSameHost, recogniseHost } from '../../../src/core/state/host-identity.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { START, aRun, aTask } from '../../support/desk.ts';

const A = { machine: 'm1', hardware: 'h1', instance: 'i1' };

test.each([
  ['all parts are the same', A, A, true],
  ['nothing is known of one', {}, A, true],
  ['a part is unreadable for one', { machine: 'm1' }, A, true],
  ['the machine differs', { machine: 'm2' }, A, false],
  ['the hardware differs', { machine: 'm1', hardware: 'h2' }, A, false],
  ['the instance differs', { instance: 'i2' }, A, false],
])('if %s', (_what, a, b, expected) => {
  expect(isSameHost(a, b)).toBe(expected);
  expect(isSameHost(b, a)).toBe(expected);
});

function stateOf(...runs: Run[]): PersistentState {
  const state = new PersistentState();
  state.metadata = { streams: [], hostIdentity: A, taskRunnerId: 'runner-a' };
  for (const run of runs) state.recoverRun(run);
  state.recoverHubTask(aTask());
  return state;
}

describe('on its own host', () => {
  test('nothing is set aside or written', () => {
    const state = stateOf(aRun());
    recogniseHost(state, A, START);
    expect(state.metadata).toEqual({ streams: [], hostIdentity: A, taskRunnerId: 'runner-a' });
    expect([state.runs.size, state.hubTasks.size]).toEqual([1, 1]);
    expect(state.takeChanges().metadata).toBeUndefined();
  });

  test('a part that can be read for the first time is added, one that cannot be read is kept', () => {
    const state = stateOf();
    state.metadata.hostIdentity = { machine: 'm1', hardware: 'h1' };
    recogniseHost(state, { machine: 'm1', instance: 'i1' }, START);
    expect(state.metadata.hostIdentity).toEqual(A);
    expect(state.takeChanges().metadata).toBeDefined();
  });

  test('the first start records the host, and an unknown host records nothing', () => {
    const fresh = new PersistentState();
    recogniseHost(fresh, {}, START);
    expect(fresh.takeChanges().metadata).toBeUndefined();
    recogniseHost(fresh, A, START);
    expect(fresh.metadata.hostIdentity).toEqual(A);
  });
});

describe('on another host', () => {
  const B = { machine: 'm2' };
  const delivered = { task: 'copy', delivery: { state: 'delivered', at: START } } as const;
  const pending = { task: 'copy', delivery: { state: 'pending' } } as const;

  test('live runs and pending reports are set aside, with all tasks; what is done stays', () => {
    const state = stateOf(
      aRun({ number: 1, state: 'succeeded', hub: delivered }),
      aRun({ number: 2, state: 'succeeded', hub: pending }),
      aRun({ number: 3, hub: delivered }),
      aRun({ number: 4, state: 'failed' }),
    );
    recogniseHost(state, B, START);
    expect([...state.copiedHostRuns.keys()]).toEqual(['copy/2', 'copy/3']);
    expect([...state.runs.keys()]).toEqual(['copy/1', 'copy/4']);
    expect([...state.copiedHostHubTasks.keys()]).toEqual(['copy']);
    const changes = state.takeChanges();
    expect([...changes.events].map(({ run, fields }) => [run, fields])).toEqual([
      ['copy/2', { state: 'succeeded' }],
      ['copy/3', { state: 'running' }],
      [undefined, { withheld: 2 }],
    ]);
    expect([...changes.runs].map(({ id }) => id)).toEqual(['copy/2', 'copy/3']);
  });

  test('a pipeline task that is pending or in the outbox is set aside', () => {
    const task = {
      ...{ taskId: 't', pipelineId: 'p', attemptId: 'a', instance: 'i', workerGroup: 'g' },
      ...{ windowMs: 1, receivedAt: START },
    };
    const run = (number: number, delivery: NonNullable<Run['pipeline']>['delivery']): Run =>
      aRun({ number, state: 'failed', pipeline: { task, delivery } });
    const state = stateOf(
      run(1, { state: 'pending' }),
      run(2, { state: 'refused', reason: 'x', isRetained: true }),
      run(3, { state: 'withheld', reason: 'x' }),
    );
    recogniseHost(state, B, START);
    expect([...state.copiedHostRuns.keys()]).toEqual(['copy/1', 'copy/2']);
  });

  test('it gets an identity of its own, and remembers the first host through further copies', () => {
    const state = stateOf();
    recogniseHost(state, B, START);
    expect(state.metadata).toEqual({
      streams: [],
      hostIdentity: B,
      copiedFrom: { identity: A, taskRunnerId: 'runner-a' },
    });
    state.metadata.taskRunnerId = 'runner-b';
    recogniseHost(state, { machine: 'm3' }, START);
    expect(state.metadata.copiedFrom).toEqual({ identity: A, taskRunnerId: 'runner-a' });
    expect(state.metadata.hostIdentity).toEqual({ machine: 'm3' });
  });

  test('the next agent there finds the same runs set aside', () => {
    const state = stateOf(aRun({ copiedHost: true }));
    state.recoverHubTask(aTask({ name: 'theirs', copiedHost: true }));
    recogniseHost(state, A, START);
    expect([...state.copiedHostRuns.keys()]).toEqual(['copy/1']);
    expect([...state.copiedHostHubTasks.keys()]).toEqual(['theirs']);
    expect([...state.hubTasks.keys()]).toEqual(['copy']);
  });
});

test('a claim brings everything back, with the first host’s runner', () => {
  const state = stateOf(aRun());
  recogniseHost(state, { machine: 'm2' }, START);
  state.takeChanges();
  const { runs, tasks } = claimState(state);
  expect(runs.map(({ id, copiedHost }) => [id, copiedHost])).toEqual([['copy/1', undefined]]);
  expect(tasks.map(({ name, copiedHost }) => [name, copiedHost])).toEqual([['copy', undefined]]);
  expect([state.runs.size, state.liveRuns.size, state.hubTasks.size]).toEqual([1, 1, 1]);
  expect([state.copiedHostRuns.size, state.copiedHostHubTasks.size]).toEqual([0, 0]);
  expect(state.metadata.taskRunnerId).toBe('runner-a');
  expect(state.metadata.copiedFrom).toBeUndefined();
  const changes = state.takeChanges();
  expect([[...changes.runs].length, [...changes.hubTasks].length]).toEqual([1, 1]);
  expect(changes.metadata).toBeDefined();
});

test('a claim of a host that had no runner id keeps this host’s', () => {
  const state = new PersistentState();
  state.metadata = { streams: [], copiedFrom: { identity: A }, taskRunnerId: 'runner-b' };
  claimState(state);
  expect(state.metadata.taskRunnerId).toBe('runner-b');
});
