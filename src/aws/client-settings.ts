/**
 * What every SDK client is made with. Each option that the agent depends on is said; FIPS and dual-stack
 * endpoints and AWS_ENDPOINT_URL_… stay with the environment, so no `endpoint` is passed where none is
 * configured.
 */
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Identity } from './credentials.ts';
import { SILENT_LOGGER } from './quiet.ts';

/** In the User-Agent as `app/migration-agent`; CloudTrail shows it. */
export const APP_ID = 'migration-agent';

export interface ClientSettings {
  readonly version: string;
  readonly handler: NodeHttpHandler;
  readonly credentials: () => Promise<Identity>;
}

export interface ClientOptions {
  readonly credentials: () => Promise<Identity>;
  readonly requestHandler: NodeHttpHandler;
  readonly maxAttempts: number;
  readonly retryMode: string;
  readonly defaultsMode: 'legacy';
  readonly logger: typeof SILENT_LOGGER;
  readonly customUserAgent: [string, string][];
  readonly endpoint?: string;
  readonly region?: string;
}

export function clientOptions(
  settings: ClientSettings,
  endpoint: string | undefined,
  region: string | undefined,
): ClientOptions {
  return {
    credentials: settings.credentials,
    requestHandler: settings.handler,
    // Retrying is planning: the planner knows the slack and the budget, the SDK does not.
    maxAttempts: 1,
    retryMode: 'standard',
    defaultsMode: 'legacy',
    logger: SILENT_LOGGER,
    customUserAgent: [[APP_ID, settings.version]],
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
  };
}
