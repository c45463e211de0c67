/**
 * What an operation is to the gateway: it gets a parsed body and a caller, and gives an output, throws
 * a `ServiceError`, or asks to answer later (PollForTask only).
 */
import { readRequest } from './constraints.ts';
import type { Shape } from './constraints.ts';
import { ServiceError } from './errors.ts';

export interface Caller {
  /** The simulated time at which the call arrived; one reading for the whole operation. */
  readonly now: number;
  /** The region that the call was signed for, where it carries a signature. */
  readonly region?: string;
  /** Whether the client still listens: a held answer may find that it does not. */
  readonly isGone: () => boolean;
}

export type Output = Readonly<Record<string, unknown>>;

/** An answer that comes later. `start` gets the way to give it and returns the way to give the wait up. */
export class Later {
  readonly start: (settle: (output: Output) => void) => () => void;
  constructor(start: (settle: (output: Output) => void) => () => void) {
    this.start = start;
  }
}

export type Operation = (body: unknown, caller: Caller) => Output | Later;

export interface Service {
  /** As the audit and the rate limits name it. */
  readonly name: 'MigrationHub' | 'MigrationHubConfig' | 'DataPipeline';
  readonly operations: ReadonlyMap<string, Operation>;
}

/** Binds a shape to what is done with it. A request that breaks the shape is refused with `refusal`. */
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
