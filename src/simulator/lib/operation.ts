/**
 * The interface of an operation for the gateway: it gets a parsed body and a caller. It returns an output, throws
 * a `ServiceError`, or returns `Later` to answer later (PollForTask only).
 */
import { readRequest } from './constraints.ts';
import type { Shape } from './constraints.ts';
import { ServiceError } from './errors.ts';

export interface Caller {
  /** The simulated time at which the call arrived; one reading for the whole operation. */
  readonly now: number;
  /** The region that the call was signed for, if it has a signature. */
  readonly region?: string;
  /** Whether the client has hung up, for answers that come later. */
  readonly isGone: () => boolean;
}

export type Output = Readonly<Record<string, unknown>>;

/** An answer that comes later. `start` gets the function that answers, and returns a function that ends the wait. */
export class Later {
  readonly start: (settle: (output: Output) => void) => () => void;
  constructor(start: (settle: (output: Output) => void) => () => void) {
    this.start = start;
  }
}

export type Operation = (body: unknown, caller: Caller) => Output | Later;

export interface Service {
  /** The name in the audit and in the rate limits. */
  readonly name: 'MigrationHub' | 'MigrationHubConfig' | 'DataPipeline';
  readonly operations: ReadonlyMap<string, Operation>;
}

/** Reads the request by a shape and runs the operation. A request that does not fit the shape gets the error `refusal`. */
export function operation<T>(
  shape: Shape<T>,
  refusal: string,
  run: (input: T, caller: Caller) => Output | Later,
): Operation {
  return (body, caller) => {
    const read = readRequest(shape, body);
    if ('problem' in read) throw new ServiceError(refusal, read.problem);
    return run(read.value, caller);
  };
}
