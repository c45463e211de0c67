/** What a simulator offers, and what can be asked of it: for tests, the demo and the `simulate` command. */
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
  /** How many times faster than the host's clock simulated time runs. Default 1. */
  readonly speed?: number;
  /** Another clock, for simulations in virtual time; `speed` is then without effect. */
  readonly clock?: SimulatorClock;
  /** For ids and dice. Default 1. */
  readonly seed?: number;
  readonly behaviour?: Partial<Behaviour>;
  /** Changes to the token buckets; null takes one away. */
  readonly limits?: RateLimitChanges;
  /** Whether calls over a limit are throttled. Default true; they are counted in any case. */
  readonly enforceLimits?: boolean;
  readonly faults?: readonly FaultRule[];
  /** Added to the `Date` header. */
  readonly dateSkewMs?: number;
  /**
   * Where the services' memory is kept, if it is to survive the process. The file's own state wins over `homeRegion`;
   * `behaviour` wins over the switches in the file. Unusable: throws a StateFileError.
   */
  readonly stateFile?: string;
  /** What a later write of the state file fails with. Default: thrown. */
  readonly onStateError?: (error: Error) => void;
  /** Entries that the journal keeps. Default 10,000. */
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
  /** Rules that have been read already, as from a fault script. */
  addFaults(faults: readonly Fault[]): void;
  clearFaults(): void;
  /** What ReportTaskRunnerHeartbeat answers to a runner, or to `all`. */
  setTerminate(taskRunnerId: string, terminate?: boolean): void;
  /** What the switches stand at. */
  switches(): readonly SwitchShown[];
  /** Sets switches as a file or a flag writes them; with a problem none is set. What has begun keeps its windows. */
  setSwitches(changes: Readonly<Record<string, unknown>>): readonly SwitchProblem[];
  setLimits(changes: RateLimitChanges): void;
  setHomeRegion(region: string | undefined): void;
  /** A pipeline with one shell activity, made, defined and activated. */
  submitShellActivity(activity: ShellActivity): Submitted;
  /** SetStatus TRY_CANCEL for all instances of the pipeline that have not ended; how many there were. */
  cancel(pipelineId: string): number;
}
