/** The errors that faults and limits cause, in the format of each service. */
import type { Behaviour } from '../lib/behaviour.ts';
import { ServiceError } from '../lib/errors.ts';
import type { Fault } from './rule.ts';
import type { Service } from '../lib/operation.ts';
import { defined } from '../lib/defined.ts';

/** The error of a rule `error`. If the rule has no name, it is the service's internal error. */
export function faultError(
  service: Service['name'],
  behaviour: Behaviour,
  fault: Fault,
): ServiceError {
  if (fault.name === 'ThrottlingException') return throttling(service, behaviour, 0, fault);
  const fallback = service === 'DataPipeline' ? 'InternalServiceError' : 'InternalServerError';
  const {
    name = fallback,
    message = 'A fault rule of the simulator caused this error.',
    status,
  } = fault;
  return new ServiceError(name, message, status);
}

/** As IAM refuses a call. The Hub answers a dry run with an error of its own (API, UnauthorizedOperation). */
export function denied(service: Service['name'], isDryRun: boolean, fault: Fault): ServiceError {
  const { message = 'User is not authorized to perform this operation.' } = fault;
  const hasOwnName = service === 'MigrationHub' && isDryRun;
  return new ServiceError(hasOwnName ? 'UnauthorizedOperation' : 'AccessDeniedException', message);
}

/** The Hub answers HTTP 429 with RetryAfterSeconds (model). Data Pipeline models no throttling error: its name is a switch. */
export function throttling(
  service: Service['name'],
  behaviour: Behaviour,
  retryAfterSeconds: number,
  fault?: Fault,
): ServiceError {
  const message = 'Rate exceeded';
  if (service === 'DataPipeline') {
    // Data Pipeline models no member for the wait. If a rule has retryAfterSeconds, the answer has a Retry-After header.
    const seconds = fault?.retryAfterSeconds;
    return new ServiceError(
      fault?.name ?? behaviour.throttlingName,
      message,
      fault?.status ?? 400,
      {},
      defined({ 'Retry-After': seconds?.toString() }),
    );
  }
  return new ServiceError(fault?.name ?? 'ThrottlingException', message, fault?.status ?? 429, {
    RetryAfterSeconds: behaviour.retryAfterSeconds === 'zero' ? 0 : retryAfterSeconds,
  });
}
