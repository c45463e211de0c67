/**
 * What the environment and the profile of the shared AWS files say about all clients alike: region, endpoints, FIPS,
 * dual-stack, certificate authorities and app id. Resolved once and given to each client: so `aws.profile` and AWS_PROFILE mean the same for all of them.
 */
import { loadConfig } from '@smithy/node-config-provider';
import { defined } from '../../core/lib/defined.ts';
import type { Environment, ServiceName, ServicesOptions } from './options.ts';

export interface SharedSettings {
  readonly region: string | undefined;
  readonly endpoints: Readonly<Partial<Record<ServiceName | 'sts', string>>>;
  readonly useFipsEndpoint: boolean;
  readonly useDualstackEndpoint: boolean;
  /** A file of certificate authorities to trust besides those of the host. */
  readonly caBundle: string | undefined;
  /** Appears in the User-Agent and so in CloudTrail; undefined: no other than the agent's own. */
  readonly appId: string | undefined;
}

type Section = Readonly<Record<string, string | undefined>>;

interface ProfileFiles {
  readonly profile: Section;
  readonly sections: Readonly<Record<string, Section | undefined>>;
}

/** As the SDKs write the service's name in AWS_ENDPOINT_URL_… and, in small letters, in a `services` section. */
const SERVICE_IDS: Readonly<Record<ServiceName | 'sts', string>> = {
  migrationHub: 'MIGRATION_HUB',
  migrationHubConfig: 'MIGRATIONHUB_CONFIG',
  dataPipeline: 'DATA_PIPELINE',
  sts: 'STS',
};

type Options = Pick<
  ServicesOptions,
  'region' | 'dataPipelineRegion' | 'profile' | 'endpoints' | 'environment'
>;

/** Rejects if a shared file cannot be read, or says something else than true or false where it must. */
export async function sharedSettings(options: Options): Promise<SharedSettings> {
  const { environment } = options;
  const files = await readProfile(options.profile ?? filled(environment['AWS_PROFILE']));
  const { profile } = files;
  const isIgnored = flag(
    ['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', environment],
    ['ignore_configured_endpoint_urls', profile],
  );
  const named = (service: keyof typeof SERVICE_IDS): string | undefined =>
    isIgnored ? undefined : endpointUrl(SERVICE_IDS[service], environment, files);
  const endpoint = (service: ServiceName): string | undefined =>
    options.endpoints[service] ?? named(service);
  return {
    region: options.region ?? filled(profile['region']) ?? options.dataPipelineRegion,
    endpoints: defined({
      migrationHub: endpoint('migrationHub'),
      migrationHubConfig: endpoint('migrationHubConfig'),
      dataPipeline: endpoint('dataPipeline'),
      sts: named('sts'),
    }),
    useFipsEndpoint: flag(['AWS_USE_FIPS_ENDPOINT', environment], ['use_fips_endpoint', profile]),
    useDualstackEndpoint: flag(
      ['AWS_USE_DUALSTACK_ENDPOINT', environment],
      ['use_dualstack_endpoint', profile],
    ),
    caBundle: filled(environment['AWS_CA_BUNDLE']) ?? filled(profile['ca_bundle']),
    appId: filled(environment['AWS_SDK_UA_APP_ID']) ?? filled(profile['sdk_ua_app_id']),
  };
}

/** The profile of both files together, by the SDK's own reader. */
async function readProfile(profile: string | undefined): Promise<ProfileFiles> {
  return await loadConfig<ProfileFiles>(
    {
      environmentVariableSelector: () => undefined,
      configFileSelector: (section, sections = {}) => ({ profile: section, sections }),
      default: { profile: {}, sections: {} },
    },
    defined({ profile, ignoreCache: true }),
  )();
}

/** In the order of the SDKs: the service's own variable, the one of all, the services section, the profile. */
function endpointUrl(
  id: string,
  environment: Environment,
  { profile, sections }: ProfileFiles,
): string | undefined {
  const services = sections[`services.${profile['services'] ?? ''}`];
  return [
    environment[`AWS_ENDPOINT_URL_${id}`],
    environment['AWS_ENDPOINT_URL'],
    services?.[`${id.toLowerCase()}.endpoint_url`],
    profile['endpoint_url'],
  ].find((url) => filled(url) !== undefined);
}

/** The first that is given. The SDK rejects other words than these, too. */
function flag(...places: readonly (readonly [name: string, of: Section])[]): boolean {
  for (const [name, of] of places) {
    const value = filled(of[name]);
    if (value === undefined) continue;
    const text = value.toLowerCase();
    if (text !== 'true' && text !== 'false') {
      throw new Error(`${name} must be true or false, not ${value}`);
    }
    return text === 'true';
  }
  return false;
}

function filled(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}
