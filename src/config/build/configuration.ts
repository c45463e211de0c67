/** The configuration as the rest of the agent sees it: checked, complete, in milliseconds. */
import type { Settings } from '../../core/model/settings.ts';
import type { LogLevel } from '../../ports.ts';
import type { Problem } from '../lib/problem.ts';

export interface Configuration {
  /** What the planner must know; its rates are this host's part. */
  readonly settings: Settings;
  readonly aws: AwsConfiguration;
  readonly agent: AgentConfiguration;
  readonly log: { readonly level: LogLevel };
  readonly fleet?: FleetConfiguration;
  /** Legal, but riskier than the documents advise; in the order of the file. */
  readonly warnings: readonly Problem[];
  readonly written: Written;
}

export interface AwsConfiguration {
  /** aws.region, else AWS_REGION, else AWS_DEFAULT_REGION. */
  readonly region?: string;
  readonly profile?: string;
  /** Only what the file says; HTTPS_PROXY and NO_PROXY are read where the connections are made. */
  readonly proxy?: string;
  readonly endpoints: {
    readonly migrationHub?: string;
    readonly migrationHubConfig?: string;
    readonly dataPipeline?: string;
  };
  /** Present where Data Pipeline is a destination. */
  readonly dataPipelineRegion?: string;
}

export interface AgentConfiguration {
  readonly stateDirectory: string;
  readonly socket: string;
  readonly keepLogsMs: number;
  readonly backend: 'process' | 'unit';
  readonly httpListen?: { readonly host: string; readonly port: number };
}

export interface FleetConfiguration {
  readonly redis?: string;
  /** Hosts with the same one share the budgets in Redis. */
  readonly account: string;
  /** This host's part of each budget: `settings.rates` are `rates` times this. */
  readonly share: number;
  /** The whole budget of the fleet, as Redis shares it out. */
  readonly rates: Settings['rates'];
}

/** What stands in the file, to show where each value comes from. */
export interface Written {
  /** As in the file, `${env:…}` filled in. Holds secrets: never shown as it is. */
  readonly tree: unknown;
  /** Keys that took a value from the environment, as they are written. */
  readonly fromEnvironment: ReadonlyMap<string, string>;
  /** Values that no default of the schema tells: from the environment, or made of other keys. */
  readonly derived: ReadonlyMap<string, Derived>;
}

export interface Derived {
  readonly value: string;
  readonly source: 'default' | 'environment';
}
