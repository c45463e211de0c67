/**
 * AWS Data Pipeline: its 19 operations, and the one timer that ends windows and answers polls.
 * The groups are in `control-operations.ts` (what a user calls), `query-operations.ts` (lists and descriptions) and
 * `runner-operations.ts` (what a task runner calls).
 */
import type { Behaviour } from '../lib/behaviour.ts';
import type { SimulatorClock } from '../lib/clock.ts';
import type { Dice } from '../lib/dice.ts';
import type { Operation, Service } from '../lib/operation.ts';
import type { Pager } from '../lib/pages.ts';
import { controlOperations } from './control-operations.ts';
import { queryOperations } from './query-operations.ts';
import { PipelineRecords } from './records.ts';
import { PipelineRuns } from './runs.ts';
import type { RunsSnapshot } from './runs.ts';
import type { PipelineContext } from './context.ts';
import type { TaskObserver } from './task-events.ts';
import { RunnerRegister } from './runner-register.ts';
import type { RunnersSnapshot } from './runner-register.ts';
import { runnerOperations } from './runner-operations.ts';

export interface DataPipeline {
  readonly service: Service;
  readonly records: PipelineRecords;
  readonly runs: PipelineRuns;
  readonly runners: RunnerRegister;
  snapshot(): PipelineSnapshot;
  /** Continues from an earlier state. */
  restore(earlier: PipelineSnapshot): void;
  close(): void;
}

export interface PipelineSnapshot {
  readonly pipelines: ReturnType<PipelineRecords['snapshot']>;
  readonly runs: RunsSnapshot;
  readonly runners: RunnersSnapshot;
}

export function createDataPipeline(options: {
  readonly clock: SimulatorClock;
  readonly dice: Dice;
  readonly behaviour: Behaviour;
  readonly pager: Pager;
  readonly observe: TaskObserver;
  /** Called when something has changed without a call, because time has passed. */
  readonly onChange: () => void;
}): DataPipeline {
  const { clock, dice, behaviour, pager, observe, onChange } = options;
  const records = new PipelineRecords();
  const runs = new PipelineRuns(behaviour, dice, observe);
  const runners = new RunnerRegister();
  let stopTimer: (() => void) | undefined;
  let timerAt = Infinity;

  const settle = (now: number): void => {
    runs.queue.serve(now);
    const due = runs.nextDue();
    if (due === timerAt) return;
    stopTimer?.();
    timerAt = due;
    stopTimer = due === Infinity ? undefined : clock.after(due - now, wake);
  };
  const wake = (): void => {
    timerAt = Infinity;
    const now = clock.now();
    runs.advance(now);
    settle(now);
    onChange();
  };

  const context: PipelineContext = { clock, dice, behaviour, pager, records, runs, runners };
  const operations = new Map<string, Operation>();
  const all = [
    ...controlOperations(context),
    ...queryOperations(context),
    ...runnerOperations(context),
  ];
  for (const [name, operation] of all) {
    operations.set(name, (body, caller) => {
      runs.advance(caller.now);
      try {
        return operation(body, caller);
      } finally {
        settle(caller.now);
      }
    });
  }

  return {
    service: { name: 'DataPipeline', operations },
    records,
    runs,
    runners,
    snapshot: () => ({
      pipelines: records.snapshot(),
      runs: runs.snapshot(),
      runners: runners.snapshot(),
    }),
    restore(earlier) {
      records.restore(earlier.pipelines);
      runs.restore(earlier.runs);
      runners.restore(earlier.runners);
      wake();
    },
    close() {
      stopTimer?.();
    },
  };
}
