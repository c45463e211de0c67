/** The configuration as the rest of the agent uses it: checked, complete, in milliseconds. */
import type { Settings } from '../../core/model/settings.ts';
import type { LogLevel } from '../../ports.ts';
import type { Problem } from '../lib/problem.ts';

export interface Configuration {
  /** The planner's settings; its rates are this host's share. */
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
  /** From the file only; HTTPS_PROXY and NO_PROXY are read when connections are created. */
  readonly proxy?: string;
  readonly endpoints: {
    readonly migrationHub?: string;
    readonly migrationHubConfig?: string;
    readonly dataPipeline?: string;
  };
  /** Present if Data Pipeline is a destination. */
  readonly dataPipelineRegion?: string;
}

export interface AgentConfiguration {
  readonly stateDirectory: string;
  readonly socket: string;
  readonly keepLogsMs: number;
  readonly backend: 'process' | 'unit';
  /** Who may run commands that the configuration does not name. */
  readonly adHoc: 'self' | 'group' | 'off';
  /** Names that the HTTP listener answers to, beside IP addresses and localhost. */
  readonly httpHosts: readonly string[];
  readonly httpListen?: { readonly host: string; readonly port: number };
}

export interface FleetConfiguration {
  readonly redis?: string;
  /** Hosts with the same account share the budgets in Redis. */
  readonly account: string;
  /** This host's part of each budget: `settings.rates` are `rates` times this. */
  readonly share: number;
  /** The whole budget of the fleet, as Redis shares it out. */
  readonly rates: Settings['rates'];
}

/** The file's own contents, to show the source of each value. */
export interface Written {
  /** The tree of the file with `${env:…}` filled in. Contains secrets: never show it unmasked. */
  readonly tree: unknown;
  /** Keys with a value from the environment, and their spelling in the file. */
  readonly fromEnvironment: ReadonlyMap<string, string>;
  /** Values that are not in the schema: from the environment, or derived from other keys. */
  readonly derived: ReadonlyMap<string, Derived>;
}

export interface Derived {
  readonly value: string;
  readonly source: 'default' | 'environment' | 'profile';
}
