/** An event of a run has its names; one of the agent has none. */
import { expect, test } from 'vitest';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Timeline } from '../../../src/core/state/timeline.ts';
import { START, aRun } from '../../support/desk.ts';

test('an event has its time, its fields, and the run that it is about', () => {
  const state = new PersistentState();
  const timeline = new Timeline(state);
  timeline.add('job.lost', START, { reason: 'no record' }, aRun());
  timeline.add('agent.draining', START, {});
  expect([...state.takeChanges().events]).toEqual([
    { event: 'job.lost', at: START, job: 'copy', run: 'copy/1', fields: { reason: 'no record' } },
    { event: 'agent.draining', at: START, fields: {} },
  ]);
});
