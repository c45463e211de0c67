/** The states of a run: which moves are legal, which states are final, which hold the job. */
import { expect, test } from 'vitest';
import {
  copiedHostRefusal,
  isFinal,
  isPending,
  isPendingForPipeline,
  isSettled,
  isStarted,
  moveRun,
} from '../../../src/core/model/job.ts';
import type { Delivery, RunState } from '../../../src/core/model/job.ts';
import { START, aRun } from '../../support/desk.ts';

const MOVES: Record<RunState, readonly RunState[]> = {
  queued: ['starting', 'failed', 'canceled', 'fenced'],
  starting: ['running', 'failed', 'lost', 'canceling', 'canceled', 'fenced', 'succeeded'],
  running: ['succeeded', 'failed', 'lost', 'canceling'],
  canceling: ['canceled', 'fenced'],
  succeeded: [],
  failed: [],
  lost: [],
  canceled: [],
  fenced: [],
};
const STATES = Object.keys(MOVES) as RunState[];

test.each(STATES)('%s', (state) => {
  for (const to of STATES) {
    const run = aRun({ state });
    const move = (): void => moveRun(run, to);
    if (MOVES[state].includes(to)) move();
    else expect(move).toThrow(`run copy/1 cannot move from ${state} to ${to}`);
    expect(run.state).toBe(MOVES[state].includes(to) ? to : state);
  }
  expect(isFinal(state)).toBe(MOVES[state].length === 0);
  expect(isStarted(aRun({ state }))).toBe(['starting', 'running', 'canceling'].includes(state));
});

test.each<[Delivery, boolean]>([
  [{ state: 'pending' }, true],
  [{ state: 'refused', reason: 'x', isRetained: true }, true],
  [{ state: 'refused', reason: 'x' }, false],
  [{ state: 'delivered', at: START }, false],
  [{ state: 'withheld', reason: 'x' }, false],
])('%j is pending: %s', (delivery, expected) => {
  expect(isPending(delivery)).toBe(expected);
});

test('a refusal names the run and the remedy', () => {
  expect(copiedHostRefusal(aRun({ number: 7 }))).toMatch(
    /^run 7 of copy belongs to the host .* "migration-agent claim"$/,
  );
});

const DELIVERIES = {
  pending: { state: 'pending' },
  delivered: { state: 'delivered', at: START },
  refused: { state: 'refused', reason: 'x' },
  retained: { state: 'refused', reason: 'x', isRetained: true },
  withheld: { state: 'withheld', reason: 'x' },
} as const satisfies Record<string, Delivery>;

test.each([
  ['pending', true],
  ['delivered', false],
  ['refused', false],
  ['retained', true],
  ['withheld', false],
] as const)('what is still to be delivered: %s: %s', (name, expected) => {
  const delivery = DELIVERIES[name];
  const pipeline = { task: {} as never, delivery };
  const hub = { task: 'copy', delivery };
  expect(isPending(delivery)).toBe(expected);
  for (const state of ['succeeded', 'failed', 'lost', 'canceled', 'fenced'] as const) {
    expect(isPendingForPipeline(aRun({ state, pipeline }))).toBe(expected);
    expect(isPendingForPipeline(aRun({ state, hub }))).toBe(false);
    expect(isSettled(aRun({ state, pipeline }))).toBe(!expected);
    expect(isSettled(aRun({ state, hub }))).toBe(!expected);
    expect(isSettled(aRun({ state }))).toBe(true);
  }
  for (const state of ['queued', 'starting', 'running', 'canceling'] as const) {
    expect(isPendingForPipeline(aRun({ state, pipeline }))).toBe(false);
    expect(isSettled(aRun({ state, pipeline, hub }))).toBe(false);
  }
});
