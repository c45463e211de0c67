/**
 * What the planner needs of the configuration: durations in milliseconds, rates as numbers, no files and no endpoints.
 * `src/config` builds it from the YAML file.
 */
import type { Operation } from './call.ts';
import type { JobDefinition, StopPolicy } from './job.ts';

/** A token bucket: `perSecond` calls on average, up to `burst` at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export interface HubSettings {
  /** Absent: the home region, as GetHomeRegion answers. */
  readonly region?: string;
  readonly stream: string;
  readonly createStream: boolean;
  readonly nextUpdateMs: number;
  readonly nextUpdateMaxMs: number;
  readonly finalNextUpdateMs: number;
}

/** Matches tasks by fields of their activity: `name` is the component's; any other key is a field's name. */
export interface ActivityRule {
  readonly match: Readonly<Record<string, string>>;
  /** The configured job to run. Exactly one of `job` and `shell` is present. */
  readonly job?: string;
  /** Run the pipeline's own command. */
  readonly shell?: true;
  /** The task is a precondition: an exit code other than 0 is reported as FALSE, not as FAILED. */
  readonly precondition?: boolean;
}

export interface PipelineSettings {
  readonly workerGroups: readonly string[];
  /** Absent: made once and kept in the state directory. */
  readonly taskRunnerId?: string;
  readonly concurrency: number;
  readonly reportEveryMs: number;
  readonly windowMs: number;
  readonly onFence: 'stop' | 'continue';
  readonly heartbeatEveryMs: number;
  readonly onTerminate: 'drain' | 'stop';
  readonly activities: readonly ActivityRule[];
}

export interface Settings {
  readonly hostname: string;
  readonly migrationHub?: HubSettings;
  readonly dataPipeline?: PipelineSettings;
  /** This host's part of each budget (its share of a fleet's). Every operation is present. */
  readonly rates: Readonly<Record<Operation, Rate>>;
  readonly jobs: ReadonlyMap<string, JobDefinition>;
  /** How long ended runs of jobs that `jobs` does not have are kept. */
  readonly keepRunsMs: number;
  /** How runs of a pipeline's own shell command are stopped. */
  readonly shellStop: StopPolicy;
}

/** True if anything is reported anywhere: then answers show the services' time. */
export function hasDestination({ dataPipeline, migrationHub }: Settings): boolean {
  return (dataPipeline ?? migrationHub) !== undefined;
}

/** The settings in force. The planner alone replaces them. */
export interface SettingsHolder {
  readonly current: Settings;
}
