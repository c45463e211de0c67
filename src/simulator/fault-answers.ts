/** The errors that faults and limits answer with, in each service's own form. */
import type { Behaviour } from './behaviour.ts';
import { ServiceError } from './errors.ts';
import type { Fault } from './faults.ts';
import type { Service } from './operation.ts';

/** What a rule `error` says; without a name, the service's own internal error. */
export function faultError(service: Service['name'], fault: Fault): ServiceError {
  const fallback = service === 'DataPipeline' ? 'InternalServiceError' : 'InternalServerError';
  const { name = fallback, message = 'A fault rule says so.', status } = fault;
  return new ServiceError(name, message, status);
}

/** The Hub's is HTTP 429 with RetryAfterSeconds (model); Data Pipeline models none, so its name is a switch. */
export function throttling(
  service: Service['name'],
  behaviour: Behaviour,
  retryAfterSeconds: number,
  fault?: Fault,
): ServiceError {
  const message = 'Rate exceeded';
  if (service === 'DataPipeline') {
    return new ServiceError(fault?.name ?? behaviour.throttlingName, message, fault?.status ?? 400);
  }
  return new ServiceError(fault?.name ?? 'ThrottlingException', message, fault?.status ?? 429, {
    RetryAfterSeconds: retryAfterSeconds,
  });
}
