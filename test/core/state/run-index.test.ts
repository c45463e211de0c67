/** The runs of each job: their numbers, which one is next, which may go. */
import { describe, expect, test } from 'vitest';
import type { Delivery, Run } from '../../../src/core/model/job.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { RunIndex } from '../../../src/core/state/run-index.ts';
import { START, aRun } from '../../support/desk.ts';
import { definition } from '../../support/settings.ts';

function indexOf(...runs: Run[]): RunIndex {
  const state = new PersistentState();
  for (const run of runs) state.recoverRun(run);
  return new RunIndex(state);
}

const ended = (number: number, over: Partial<Run> = {}): Run =>
  aRun({ number, state: 'succeeded', ...over });
const queued = (number: number, over: Partial<Run> = {}): Run =>
  aRun({ number, state: 'queued', ...over });

function lease(delivery: Delivery, acknowledgedAt?: typeof START): NonNullable<Run['pipeline']> {
  return {
    task: {
      ...{ taskId: 't', pipelineId: 'df-1', attemptId: 'a_Attempt=1', instance: 'df-1/a' },
      ...{ workerGroup: 'files', windowMs: 900_000, receivedAt: START },
    },
    delivery,
    ...(acknowledgedAt === undefined ? {} : { acknowledgedAt }),
  };
}

test('runs are in the order of their numbers, however the store had them', () => {
  const index = indexOf(ended(10), ended(9), aRun({ job: 'other' }));
  expect(index.of('copy').map(({ number }) => number)).toEqual([9, 10]);
  expect([...index.all().keys()].toSorted()).toEqual(['copy', 'other']);
  expect(index.of('nobody')).toEqual([]);
});

test('the next number follows the last, whether that run is kept elsewhere or not', () => {
  expect(indexOf(ended(7)).nextNumber('copy')).toBe(8);
  expect(indexOf().nextNumber('copy')).toBe(1);
  const state = new PersistentState();
  state.copiedHostRuns.set('copy/12', ended(12, { copiedHost: true }));
  expect(new RunIndex(state).nextNumber('copy')).toBe(13);
});

test('a live run is found by its id, and those of a job by its name', () => {
  const run = aRun({ number: 2 });
  const index = indexOf(ended(1), run, aRun({ job: 'other' }));
  expect([index.live('copy/2'), index.live('copy/1')]).toEqual([run, undefined]);
  expect(index.liveOf('copy')).toEqual([run]);
});

describe('the next run', () => {
  test('is the oldest that is queued', () => {
    expect(indexOf(ended(1), queued(2), queued(3)).nextInLine('copy')?.number).toBe(2);
    expect(indexOf(ended(1)).nextInLine('copy')).toBeUndefined();
  });

  test.each(['starting', 'running', 'canceling'] as const)('waits for one that is %s', (state) => {
    expect(indexOf(aRun({ number: 1, state }), queued(2)).nextInLine('copy')).toBeUndefined();
  });

  test('is none of a copied host, and none whose pipeline task is not acknowledged', () => {
    const copied = queued(1, { copiedHost: true });
    const unacknowledged = queued(2, { pipeline: lease({ state: 'pending' }) });
    expect(indexOf(copied, unacknowledged, queued(3)).nextInLine('copy')?.number).toBe(3);
    const acknowledged = queued(2, { pipeline: lease({ state: 'pending' }, START) });
    expect(indexOf(acknowledged, queued(3)).nextInLine('copy')?.number).toBe(2);
  });
});

test('an ad hoc job is known by its last ad hoc run', () => {
  const first = { ...definition('copy'), command: ['one'] };
  const last = { ...definition('copy'), command: ['two'] };
  const index = indexOf(
    ended(1, { origin: 'ad-hoc', definition: first }),
    ended(2, { origin: 'ad-hoc', definition: last }),
    ended(3, { origin: 'tracked' }),
  );
  expect(index.adHocDefinition('copy')).toBe(last);
  expect(indexOf(ended(1)).adHocDefinition('copy')).toBeUndefined();
});

describe('what may be forgotten', () => {
  const delivered: Delivery = { state: 'delivered', at: START };
  const retained: Delivery = { state: 'refused', reason: 'x', isRetained: true };
  test.each<[string, Partial<Run>, boolean]>([
    ['a run that has ended', {}, true],
    ['a live run', { state: 'running' }, false],
    ['a run of a copied host', { copiedHost: true }, false],
    ['one that the Hub waits for', { hub: { task: 'a', delivery: { state: 'pending' } } }, false],
    ['one that the Hub has', { hub: { task: 'a', delivery: delivered } }, true],
    ['one that the pipeline waits for', { pipeline: lease({ state: 'pending' }) }, false],
    ['one that is in the outbox', { pipeline: lease(retained) }, false],
    ['one that was refused for good', { pipeline: lease({ state: 'refused', reason: 'x' }) }, true],
  ])('%s', (_what, over, expected) => {
    const run = ended(1, over);
    expect(indexOf(run).isForgettable(run)).toBe(expected);
  });

  test('not what the state has no more', () => {
    expect(indexOf().isForgettable(ended(1))).toBe(false);
  });
});

describe('old runs', () => {
  const many = (count: number): Run[] => Array.from({ length: count }, (_, i) => ended(i + 1));

  test('twenty of a job are kept, the newest one to come included', () => {
    const index = indexOf(...many(22));
    expect(index.takeOld('copy').map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(index.of('copy')).toHaveLength(19);
    expect(index.takeOld('copy')).toEqual([]);
    expect(index.takeOld('nobody')).toEqual([]);
  });

  test('a run of which something is pending stays, and the next one goes', () => {
    const index = indexOf(aRun({ number: 0 }), ...many(20));
    expect(index.takeOld('copy').map(({ number }) => number)).toEqual([1, 2]);
    expect(
      indexOf(...many(25).map((run) => ({ ...run, state: 'running' as const }))).takeOld('copy'),
    ).toEqual([]);
  });
});

test('a job without runs is no longer known', () => {
  const [a, b] = [ended(1), ended(2)];
  const index = indexOf(a, b);
  index.remove(a);
  expect(index.of('copy')).toEqual([b]);
  index.remove(b);
  expect(index.all().has('copy')).toBe(false);
  index.remove(b);
  index.add(a);
  expect(index.of('copy')).toEqual([a]);
});
