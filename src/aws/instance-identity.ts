/**
 * Who this host is, where it is an EC2 instance: the identity document and its signature, which PollForTask takes as proof
 * that the runner is on EC2 (MODEL InstanceIdentity). Asked of the instance's metadata service, version 2, at the first
 * poll; elsewhere nobody answers there, and polls go without.
 */
import type { Environment } from './services-options.ts';

export interface InstanceIdentity {
  readonly document: string;
  readonly signature: string;
}

/** On an instance the answer takes milliseconds; elsewhere the way often leads into nothing. */
const LOOKUP_MS_MAX = 1_000;
/** A service that was not up yet is asked again so often. */
const ASK_AGAIN_MS = 3_600_000;
/** MODEL: both are strings of 0–1,024. */
const LENGTH_MAX = 1_024;

/** Resolves within a second, and never rejects. `undefined`: no instance, or nobody is to be asked. */
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

/** The SDKs' own variables, read as they read them. */
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
    return await response.text();
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
  // Not to be made legal: a changed document does not match its signature.
  return isSendable(document) && isSendable(signature) ? { document, signature } : undefined;
}

/** What a captive portal or a proxy answers is no identity; and a poll must not be refused for it. */
function isSendable(text: string): boolean {
  return text !== '' && text.length <= LENGTH_MAX && /^[\u0020-\u007e\r\n\t]*$/u.test(text);
}
