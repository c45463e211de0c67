/**
 * The protocol of the three services, awsJson1_1: which operation a target names, which region a call was
 * signed for, and the format of answers and errors. Signatures are not checked: any credentials are accepted.
 */
import { httpDate } from '../lib/clock.ts';
import type { ServiceError } from '../lib/errors.ts';
import type { Output, Service } from '../lib/operation.ts';

/** The prefixes of X-Amz-Target (`sdkId` in the service models), by the simulator's name of the service. */
export const TARGET_PREFIX: Readonly<Record<Service['name'], string>> = {
  MigrationHub: 'AWSMigrationHub',
  MigrationHubConfig: 'AWSMigrationHubMultiAccountService',
  DataPipeline: 'DataPipeline',
};

/** The answer to send, or how the connection ends without one. */
export type Delivery =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  /** As `answer`, but the connection breaks after half of the body. */
  | {
      readonly kind: 'cut';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  /** As `cut`, but the connection stays open and nothing follows. */
  | {
      readonly kind: 'stall';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  | { readonly kind: 'close' }
  /** RST instead of FIN. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'silence' };

export type Answer = Extract<Delivery, { kind: 'answer' }>;

export interface Envelope {
  readonly requestId: string;
  /** The time in the `Date` header. */
  readonly dateMs: number;
}

export function outputAnswer(output: Output, envelope: Envelope): Answer {
  return answer(200, JSON.stringify(output), envelope);
}

export function errorAnswer(
  service: Service['name'] | undefined,
  error: ServiceError,
  envelope: Envelope,
): Answer {
  // The Hub's models write `Message`. Data Pipeline's write `message`, and its samples qualify the name.
  const body =
    service === 'DataPipeline'
      ? { __type: `com.amazon.setl.webservice#${error.name}`, message: error.message }
      : service === undefined
        ? { __type: error.name, message: error.message }
        : { __type: error.name, Message: error.message };
  return answer(
    error.status,
    JSON.stringify({ ...body, ...error.members }),
    envelope,
    error.headers,
  );
}

export function answer(
  status: number,
  body: string,
  { requestId, dateMs }: Envelope,
  more: Readonly<Record<string, string>> = {},
): Answer {
  return {
    kind: 'answer',
    status,
    headers: {
      'x-amzn-RequestId': requestId,
      'Content-Type': 'application/x-amz-json-1.1',
      'Content-Length': String(Buffer.byteLength(body)),
      Date: httpDate(dateMs),
      ...more,
    },
    body,
  };
}

/** The caller, for the journal: the client's name, its application's name, and the access key. */
export function callerName(userAgent: string | undefined, authorization?: string): string {
  const products = (userAgent ?? '').split(/\s+/);
  const application = products.find((each) => each.startsWith('app/'));
  const key = /Credential=([^/,\s]+)/.exec(authorization ?? '')?.[1];
  const client = [products[0], application].filter((each) => each !== undefined && each !== '');
  return [client.join(' ') || 'unnamed client', ...(key === undefined ? [] : [`key ${key}`])].join(
    ', ',
  );
}

/** `AWS4-HMAC-SHA256 Credential=AKID/20260824/us-west-2/mgh/aws4_request, …` names the region third. */
export function signedRegion(authorization: string | undefined): string | undefined {
  const scope = /Credential=([^,\s]+)/.exec(authorization ?? '')?.[1]?.split('/');
  return scope?.length === 5 ? scope[2] : undefined;
}

/** An empty body is a request without members. Undefined if the body is not JSON. */
export function parseJson(body: string): { readonly value: unknown } | undefined {
  if (body === '') return { value: {} };
  try {
    return { value: JSON.parse(body) };
  } catch {
    return undefined;
  }
}
