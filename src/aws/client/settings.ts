/**
 * The options of every SDK client. Each option that the agent depends on is set explicitly: the SDK's own resolution of a
 * profile differs between its generations, and the older clients know AWS_PROFILE alone.
 */
import { defined } from '../../core/lib/defined.ts';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Identity } from './credentials.ts';
import type { Environment } from './options.ts';
import { SILENT_LOGGER } from './silent-logger.ts';

/** Appears in the User-Agent as `app/migration-agent`, and so in CloudTrail, unless another is named. */
export const APP_ID = 'migration-agent';

export interface ClientSettings {
  readonly version: string;
  /** The environment variables of the agent. */
  readonly environment: Environment;
  readonly handler: NodeHttpHandler;
  readonly credentials: () => Promise<Identity>;
  readonly useFipsEndpoint: boolean;
  readonly useDualstackEndpoint: boolean;
  /** The app id that the environment or the profile names. */
  readonly appId: string | undefined;
}

export interface ClientOptions {
  readonly credentials: () => Promise<Identity>;
  readonly requestHandler: NodeHttpHandler;
  readonly maxAttempts: number;
  readonly retryMode: string;
  readonly defaultsMode: 'legacy';
  readonly logger: typeof SILENT_LOGGER;
  readonly customUserAgent: [string, string][];
  readonly useFipsEndpoint: boolean;
  readonly useDualstackEndpoint: boolean;
  readonly endpoint?: string;
  readonly region?: string;
}

export function clientOptions(
  settings: ClientSettings,
  endpoint: string | undefined,
  region: string | undefined,
): ClientOptions {
  const customUserAgent: [string, string][] = [[APP_ID, settings.version]];
  return defined({
    credentials: settings.credentials,
    requestHandler: settings.handler,
    // The planner retries: it knows the slack and the budget, which the SDK does not.
    maxAttempts: 1,
    retryMode: 'standard',
    defaultsMode: 'legacy',
    logger: SILENT_LOGGER,
    customUserAgent,
    useFipsEndpoint: settings.useFipsEndpoint,
    useDualstackEndpoint: settings.useDualstackEndpoint,
    endpoint,
    region,
  });
}

/** The older clients have no option for an app id. They read AWS_SDK_UA_APP_ID; `customUserAgent` has the same effect. */
export function olderClientOptions(
  settings: ClientSettings,
  endpoint: string | undefined,
  region: string,
): ClientOptions {
  const shared = clientOptions(settings, endpoint, region);
  const ofEnvironment = settings.environment['AWS_SDK_UA_APP_ID'];
  if (ofEnvironment !== undefined && ofEnvironment !== '') return shared;
  const own: [string, string] = [`app/${settings.appId ?? APP_ID}`, ''];
  return { ...shared, customUserAgent: [own, ...shared.customUserAgent] };
}
