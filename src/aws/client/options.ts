/**
 * The options of the services, the time limits with the source of each number, and the regions of Migration Hub.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

export type ServiceName = 'migrationHub' | 'migrationHubConfig' | 'dataPipeline';

export interface ServicesOptions {
  /** The region for GetHomeRegion. Default: `region` if Migration Hub is offered there, else us-west-2. */
  readonly hub?: { readonly configRegion?: string };
  readonly region?: string;
  readonly dataPipelineRegion?: string;
  readonly profile?: string;
  readonly proxy?: string;
  readonly endpoints: Readonly<Partial<Record<ServiceName, string>>>;
  readonly version: string;
  /** Proxy, AWS_CA_BUNDLE, and what shared-settings.ts reads. The SDK reads those of its credentials itself. */
  readonly environment: Environment;
  readonly limits?: Partial<TimeLimits>;
}

export interface TimeLimits {
  /** An ordinary call, from its first byte to its last. */
  readonly callMs: number;
  /** PollForTask: the service holds it for up to 90 s (API reference). */
  readonly pollMs: number;
  /**
   * A poll that the network cuts after this much silence counts as "no work": proxies cut idle connections (squid and
   * nginx at 60 s, some at 30 s). An earlier cut is a failure. Twice what connecting and answering may take otherwise.
   */
  readonly quietPollMs: number;
  /** TCP and TLS. The SDK's `standard` mode has 3.1 s, which is too short for a distant proxy. */
  readonly connectMs: number;
  readonly credentialsMs: number;
  /**
   * How long an unused connection is kept. Load balancers cut at 60 s (the default of AWS ELB), NAT gateways silently at
   * 350 s: one report a minute would run into that cut again and again.
   */
  readonly idleMs: number;
}

export const LIMITS: TimeLimits = {
  callMs: 10_000,
  pollMs: 100_000,
  quietPollMs: 20_000,
  connectMs: 5_000,
  credentialsMs: 10_000,
  idleMs: 20_000,
};

export function hubRegionNear(region: string | undefined): string {
  return region !== undefined && HUB_REGIONS.includes(region) ? region : HUB_REGION_DEFAULT;
}

/** The regions of Migration Hub (AWS general reference, endpoints); each of them answers GetHomeRegion. */
const HUB_REGIONS: readonly string[] = [
  'us-east-1',
  'us-west-2',
  'ap-northeast-1',
  'ap-southeast-2',
  'eu-central-1',
  'eu-west-1',
  'eu-west-2',
];
const HUB_REGION_DEFAULT = 'us-west-2';
