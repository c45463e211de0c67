/**
 * The names of errors, and what each means for the planner: the table behind outcomes.ts. The name decides before the
 * HTTP status, because the models and the reference pages disagree about statuses.
 */
import type { Outcome } from '../core/model/call.ts';

export type FailureKind = Exclude<Outcome['kind'], 'accepted'>;

const KINDS: Readonly<Record<FailureKind, readonly string[]>> = {
  // Too fast. Migration Hub models ThrottlingException; Data Pipeline models none and throws "a throttling
  // exception" (dp-limits), so the names that AWS services use are all here (smithy-typescript,
  // service-error-classification), and any name that holds one of THROTTLE_WORDS counts too.
  throttled: [
    'BandwidthLimitExceeded',
    'LimitExceededException',
    'PriorRequestNotComplete',
    'ProvisionedThroughputExceededException',
    'SlowDown',
    'TransactionInProgressException',
  ],
  // The service is failing.
  unavailable: [
    'InternalServerError', // Migration Hub
    'ServiceUnavailableException', // Migration Hub
    'InternalServiceError', // Data Pipeline
    'InternalFailure', // every AWS service
    'ServiceUnavailable', // every AWS service
    'RequestTimeout', // every AWS service: our request came in too slowly
    'RequestTimeoutException',
    'TimeoutError', // the SDK's request handler
    'AbortError',
  ],
  // Credentials or permissions: apart from one refresh, only an operator can fix these.
  denied: [
    'AccessDeniedException', // both services, and the front door of every service
    'AccessDenied',
    'UnauthorizedOperation', // Migration Hub
    'UnrecognizedClientException', // the access key is not known (any more)
    'InvalidClientTokenId',
    'InvalidAccessKeyId',
    'ExpiredTokenException',
    'ExpiredToken',
    'TokenRefreshRequired',
    'NotAuthorized',
    'OptInRequired',
    'IncompleteSignature',
    'MissingAuthenticationToken',
    'MissingAuthenticationTokenException',
    'InvalidSignatureException', // a wrong secret, or a wrong clock
    'SignatureDoesNotMatch',
    'RequestExpired', // a wrong clock
    'RequestTimeTooSkewed',
    'RequestInTheFuture',
    'AuthFailure',
    'CredentialsProviderError', // the SDK found no credentials
    'TokenProviderError', // an SSO session that ended
  ],
  // The payload; of Migration Hub also the wrong region and a stream that is being deleted.
  refused: [
    'InvalidInputException', // Migration Hub
    'InvalidRequestException', // Data Pipeline
    'ValidationException', // the front door
    'ValidationError',
    'SerializationException',
    'UnknownOperationException',
    'RequestEntityTooLargeException',
  ],
  missing: ['ResourceNotFoundException'], // Migration Hub: stream or task
  gone: ['TaskNotFoundException', 'PipelineNotFoundException', 'PipelineDeletedException'],
  'no-home-region': ['HomeRegionNotSetException'],
  // Migration Hub: access to Application Discovery Service is missing, which only links and applications need.
  disabled: ['PolicyErrorException'],
};

export const THROTTLE_PATTERN = /throttl|requestlimitexceeded|toomanyrequests/iu;

/** Data Pipeline documents InvalidRequestException also for "exceeded any of the service limits". */
export const THROTTLE_SENTENCE = /\brate exceeded\b|\bthrottl/iu;

/** Errors that new credentials may fix; they do not fix a wrong clock or a missing permission. */
export const STALE_CREDENTIALS: ReadonlySet<string> = new Set([
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidAccessKeyId',
  'ExpiredTokenException',
  'ExpiredToken',
  'TokenRefreshRequired',
]);

/** Names for a wrong clock; a wrong secret has the same names. */
export const WRONG_CLOCK: ReadonlySet<string> = new Set([
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'RequestInTheFuture',
  'AuthFailure',
]);

export const KIND_OF_NAME: ReadonlyMap<string, FailureKind> = new Map(
  (Object.keys(KINDS) as FailureKind[]).flatMap((kind) =>
    KINDS[kind].map((name) => [name, kind] as const),
  ),
);
