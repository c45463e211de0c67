/** What all groups of Data Pipeline operations use. */
import type { Behaviour } from '../lib/behaviour.ts';
import type { SimulatorClock } from '../lib/clock.ts';
import type { Dice } from '../lib/dice.ts';
import type { Pager } from '../lib/pages.ts';
import type { PipelineRecords } from './records.ts';
import type { PipelineRuns } from './runs.ts';
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

/** The error that Data Pipeline models for a malformed request. */
export const REFUSAL = 'InvalidRequestException';
