/**
 * The identity document of an EC2 instance and its signature, which PollForTask accepts as proof that the runner is on EC2
 * (MODEL InstanceIdentity). Read from the instance metadata service (IMDSv2) at the first poll. On other hosts nothing
 * answers there, and polls are made without it.
 */
import type { Environment } from './client/options.ts';

export interface InstanceIdentity {
  readonly document: string;
  readonly signature: string;
}

/** On an instance the answer takes milliseconds; on other hosts the address is often a black hole. */
const LOOKUP_MS_MAX = 1_000;
/** How often to ask again after a failure: the service may not have been up yet. */
const ASK_AGAIN_MS = 3_600_000;
/** MODEL: both are strings of 0–1,024. */
const LENGTH_MAX = 1_024;

/** Resolves within a second, and never rejects. `undefined`: not an instance, or the lookup is disabled. */
export function createInstanceIdentity(
  environment: Environment,
): () => Promise<InstanceIdentity | undefined> {
  const endpoint = endpointOf(environment);
  if (endpoint === undefined) return () => Promise.resolve(undefined);
  let lookup: Promise<InstanceIdentity | undefined> | undefined;
  let askedAtMs = -Infinity;
  let isFound = false;
  return () => {
    const nowMs = performance.now();
    if (lookup === undefined || (!isFound && nowMs - askedAtMs >= ASK_AGAIN_MS)) {
      askedAtMs = nowMs;
      lookup = lookUp(endpoint).then(
        (identity) => {
          isFound = identity !== undefined;
          return identity;
        },
        () => undefined,
      );
    }
    return lookup;
  };
}

/** The same variables as the SDKs, read the same way. */
function endpointOf(environment: Environment): string | undefined {
  if (environment['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') return undefined;
  const named = environment['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
  if (named !== undefined && named !== '') return named.replace(/\/+$/u, '');
  const mode = environment['AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE']?.toLowerCase();
  return mode === 'ipv6' ? 'http://[fd00:ec2::254]' : 'http://169.254.169.254';
}

async function lookUp(endpoint: string): Promise<InstanceIdentity | undefined> {
  const signal = AbortSignal.timeout(LOOKUP_MS_MAX);
  const ask = async (path: string, init: RequestInit): Promise<string> => {
    const response = await fetch(`${endpoint}/latest/${path}`, { ...init, signal });
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
    return await firstText(response);
  };
  const token = await ask('api/token', {
    method: 'PUT',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
  });
  const init = { headers: { 'x-aws-ec2-metadata-token': token } };
  const [document, signature] = await Promise.all([
    ask('dynamic/instance-identity/document', init),
    ask('dynamic/instance-identity/signature', init),
  ]);
  // The text cannot be made legal: a changed document would not match its signature.
  return isSendable(document) && isSendable(signature) ? { document, signature } : undefined;
}

/** The text of the answer, up to one character more than is legal. */
async function firstText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > LENGTH_MAX) break;
  }
  return text;
}

/** A captive portal or a proxy may answer instead; sending that would make AWS reject the poll. */
function isSendable(text: string): boolean {
  return text !== '' && text.length <= LENGTH_MAX && /^[\u0020-\u007e\r\n\t]*$/u.test(text);
}
