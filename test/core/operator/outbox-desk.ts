/** What the tests of the outbox share: a desk whose Hub is ready, and the lease of a run's pipeline task. */
import { HOUR_MS } from '../../../src/core/lib/time.ts';
import type { Delivery, Run } from '../../../src/core/model/job.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Desk, START } from '../../support/desk.ts';
import type { Answers } from '../../support/desk.ts';
import { PIPELINE, definition } from '../../support/settings.ts';

/** Nothing is answered unless the test says so: what is pending stays pending. The jobs are `copy` and `other`. */
export function deskOf(
  fill: (state: PersistentState) => void,
  answers: Answers = () => undefined,
): Desk {
  const state = new PersistentState();
  state.metadata = { streams: ['eu-central-1/test-stream'], homeRegion: 'eu-central-1' };
  fill(state);
  return new Desk({
    state,
    answers,
    jobs: [definition('copy'), definition('other')],
    settings: { dataPipeline: PIPELINE },
  });
}

export function leaseOf(delivery: Delivery): NonNullable<Run['pipeline']> {
  return {
    task: {
      ...{ taskId: 'task-1', pipelineId: 'df-1', attemptId: 'a', instance: 'df-1/a' },
      ...{ workerGroup: 'files', windowMs: HOUR_MS, receivedAt: START },
    },
    acknowledgedAt: START,
    acceptedAt: START,
    delivery,
  };
}
