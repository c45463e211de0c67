/** The parts of the planner that the operator’s views read. */
import type { Context } from '../scheduling/context.ts';
import type { Pacing } from '../scheduling/pacing.ts';
import type { RunIndex } from '../state/run-index.ts';
import type { Schedules } from '../runs/schedules.ts';

/** What an operator's view is made from; nobody outside the core writes to it. */
export interface PlannerView {
  readonly context: Context;
  readonly runs: RunIndex;
  readonly pacing: Pacing;
  readonly isDraining: boolean;
  readonly schedules: Schedules;
}
