/** The options and the interface of a simulator, for tests, the demo and the `simulate` command. */
import type { Audit } from '../audit/audit.ts';
import type { Behaviour, SwitchProblem, SwitchShown } from '../lib/behaviour.ts';
import type { SimulatorClock } from '../lib/clock.ts';
import type { Fault, FaultRule } from '../faults/rule.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { JournalEntry } from '../audit/journal.ts';
import type { ShellActivity, Submitted } from './quick-pipeline.ts';
import type { RateLimitChanges } from '../faults/rate-limits.ts';
import type { SimulatorState } from './state.ts';

export interface SimulatorOptions {
  /** Default `us-west-2`; null leaves it unset. */
  readonly homeRegion?: string | null;
  /** How many times faster simulated time runs than the host's clock. Default 1. */
  readonly speed?: number;
  /** Another clock, for simulations in virtual time. `speed` then has no effect. */
  readonly clock?: SimulatorClock;
  /** For ids and random numbers. Default 1. */
  readonly seed?: number;
  readonly behaviour?: Partial<Behaviour>;
  /** Changes to the token buckets; null removes one. */
  readonly limits?: RateLimitChanges;
  /** Whether calls over a limit are throttled. Default true; they are counted in any case. */
  readonly enforceLimits?: boolean;
  readonly faults?: readonly FaultRule[];
  /** Added to the `Date` header. */
  readonly dateSkewMs?: number;
  /**
   * The file for the state of the services, if they should continue after a restart. The state in the file overrides
   * `homeRegion`; `behaviour` overrides the switches in the file. A file that cannot be used throws a StateFileError.
   */
  readonly stateFile?: string;
  /** Gets the error of a later write of the state file. Default: throws it. */
  readonly onStateError?: (error: Error) => void;
  /** The size of the journal. Default 10,000 calls. */
  readonly journalSize?: number;
}

export interface Simulator {
  /** Serves HTTP on 127.0.0.1; port 0 takes a free one. */
  listen(port: number): Promise<{ readonly port: number; readonly url: string }>;
  /** Ends held polls and connections. */
  close(): Promise<void>;
  /** Simulated time. */
  now(): number;
  /** The services without HTTP. */
  readonly gateway: Gateway;
  audit(): Audit;
  journal(): readonly JournalEntry[];
  state(): SimulatorState;
  addFault(...rules: readonly FaultRule[]): void;
  /** Adds rules that have been parsed, as from a fault script. */
  addFaults(faults: readonly Fault[]): void;
  clearFaults(): void;
  /** Sets what ReportTaskRunnerHeartbeat answers to a runner, or to `all`. */
  setTerminate(taskRunnerId: string, terminate?: boolean): void;
  /** The values of the switches. */
  switches(): readonly SwitchShown[];
  /** Sets switches by their text. If there is a problem, no switch is set. Windows that have begun keep their length. */
  setSwitches(changes: Readonly<Record<string, unknown>>): readonly SwitchProblem[];
  setLimits(changes: RateLimitChanges): void;
  setHomeRegion(region: string | undefined): void;
  /** Creates, defines and activates a pipeline with one shell activity. */
  submitShellActivity(activity: ShellActivity): Submitted;
  /** SetStatus TRY_CANCEL for all instances of the pipeline that have not ended. Returns their number. */
  cancel(pipelineId: string): number;
}
