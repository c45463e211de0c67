/**
 * The errors of the services, by their modelled names. An operation throws one; the gateway turns it
 * into the answer.
 */

export class ServiceError extends Error {
  override readonly name: string;
  readonly status: number;
  /** Further members of the error's body, such as RetryAfterSeconds. */
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    name: string,
    message: string,
    status: number = SERVER_FAULTS.has(name) ? 500 : 400,
    members: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = name;
    this.status = status;
    this.members = members;
    this.headers = headers;
  }
}

/** The errors that the models define as server faults: HTTP 500. All others are 400, unless the model has another status. */
const SERVER_FAULTS: ReadonlySet<string> = new Set([
  'InternalServerError',
  'InternalServiceError',
  'ServiceUnavailableException',
  'InternalFailure',
]);

export function resourceNotFound(what: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', `${what} does not exist.`);
}

export function invalidInput(message: string): ServiceError {
  return new ServiceError('InvalidInputException', message);
}

export function invalidRequest(message: string): ServiceError {
  return new ServiceError('InvalidRequestException', message);
}

/** The answer to a call with DryRun that would have been carried out. */
export function dryRunSucceeded(): ServiceError {
  return new ServiceError(
    'DryRunOperation',
    'Request would have succeeded, but DryRun flag is set.',
  );
}
