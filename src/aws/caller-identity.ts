/** Asks STS whose credentials these are. Only `doctor` does: the agent's work needs no call to STS. */
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { defined } from '../core/lib/defined.ts';
import { atEndpoint } from './client/endpoint.ts';
import { olderClientOptions } from './client/settings.ts';
import type { ClientSettings } from './client/settings.ts';
import { outcomeOfFailure } from './outcomes.ts';

export interface CallerIdentity {
  /** Twelve digits. */
  readonly account: string;
  readonly arn: string;
}

/** Rejects with a message for people. */
export async function callerIdentity(
  settings: ClientSettings,
  endpoint: string | undefined,
  region: string,
  limitMs: number,
): Promise<CallerIdentity> {
  const options = olderClientOptions(settings, endpoint, region);
  const limit = AbortSignal.timeout(limitMs);
  try {
    const { config } = new STSClient(options);
    const client = new STSClient({ ...options, ...atEndpoint(config, options) });
    const sending = { abortSignal: limit };
    const { Account = '', Arn = '' } = await client.send(new GetCallerIdentityCommand({}), sending);
    if (Account === '' || Arn === '') throw new Error('the answer names no account');
    return { account: Account, arn: Arn };
  } catch (error) {
    const late = defined({ limitMs: limit.aborted ? limitMs : undefined });
    const outcome = outcomeOfFailure({ error, response: undefined, ...late });
    const reason = outcome.kind === 'accepted' ? 'no reason given' : outcome.reason;
    throw new Error(reason, { cause: error });
  }
}
