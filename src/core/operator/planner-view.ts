/** The parts of the planner that the operator’s views read. They are read-only there. */
import type { HubConnection } from '../hub/connection.ts';
import type { PromiseBudget } from '../hub/promise-budget.ts';
import type { Settings } from '../model/settings.ts';
import type { Schedules } from '../runs/schedules.ts';
import type { Pacing } from '../scheduling/pacing.ts';
import type { Reporters } from '../scheduling/reporters.ts';
import type { ServiceClock } from '../scheduling/service-clock.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { RunIndex } from '../state/run-index.ts';
import type { Shutdown } from '../state/shutdown.ts';

export interface PlannerView {
  readonly state: PersistentState;
  readonly settings: Settings;
  readonly runs: RunIndex;
  readonly reporters: Reporters;
  readonly pacing: Pacing;
  readonly hub: HubConnection;
  readonly promises: PromiseBudget;
  readonly clock: ServiceClock;
  readonly shutdown: Shutdown;
  readonly schedules: Schedules;
}
