/**
 * The endpoint of a client, by the client's own rules and explicit. A client without one would look for it in the environment
 * and in the profile of AWS_PROFILE, whatever profile is configured.
 */
import type { ClientOptions } from './settings.ts';

interface Rules {
  readonly endpointProvider: (
    parameters: {
      readonly Region: string;
      readonly UseFIPS: boolean;
      readonly UseDualStack: boolean;
      readonly Endpoint?: string;
    },
    context: object,
  ) => { readonly url: URL };
}

/** Options that replace those of the client. Throws if they exclude each other, such as FIPS with another endpoint. */
export function atEndpoint(
  { endpointProvider }: Rules,
  { endpoint, region = '', useDualstackEndpoint, useFipsEndpoint }: ClientOptions,
): Pick<ClientOptions, 'useDualstackEndpoint' | 'useFipsEndpoint'> & { readonly endpoint: string } {
  if (region === '') {
    throw new Error('no region: set aws.region or AWS_REGION, or give the profile one');
  }
  const shared = { Region: region, UseFIPS: useFipsEndpoint, UseDualStack: useDualstackEndpoint };
  const { url } = endpointProvider(
    endpoint === undefined ? shared : { ...shared, Endpoint: endpoint },
    {},
  );
  return { endpoint: url.href, useDualstackEndpoint: false, useFipsEndpoint: false };
}
