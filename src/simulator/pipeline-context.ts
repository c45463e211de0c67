/** What the groups of Data Pipeline operations share. */
import type { Behaviour } from './behaviour.ts';
import type { SimulatorClock } from './clock.ts';
import type { Dice } from './dice.ts';
import type { Pager } from './pages.ts';
import type { PipelineRecords } from './pipeline-records.ts';
import type { PipelineRuns } from './pipeline-runs.ts';
import type { RunnerRegister } from './runner-register.ts';

export interface PipelineContext {
  readonly clock: SimulatorClock;
  readonly dice: Dice;
  readonly behaviour: Behaviour;
  readonly pager: Pager;
  readonly records: PipelineRecords;
  readonly runs: PipelineRuns;
  readonly runners: RunnerRegister;
}

/** The error that Data Pipeline models for a request that breaks its form. */
export const REFUSAL = 'InvalidRequestException';
