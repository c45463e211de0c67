/** The parts of the gateway, and the arguments of a call to it. */
import type { Auditor } from '../audit/audit.ts';
import type { Journal } from '../audit/journal.ts';
import type { Faults } from '../faults/faults.ts';
import type { RateLimits } from '../faults/rate-limits.ts';
import type { Behaviour } from '../lib/behaviour.ts';
import type { SimulatorClock } from '../lib/clock.ts';
import type { Dice } from '../lib/dice.ts';
import type { Operation, Service } from '../lib/operation.ts';
import type { Delivery } from './json-protocol.ts';

export interface GatewayCall {
  /** The X-Amz-Target header. */
  readonly target: string | undefined;
  readonly body: string;
  readonly region?: string | undefined;
  /** Who calls, for the journal. */
  readonly by?: string | undefined;
  readonly isGone?: () => boolean;
}

/** Sends an answer; false if the client could not receive it. */
export type Deliver = (delivery: Delivery) => boolean;

/** The operation that an X-Amz-Target header names. */
export interface Target {
  readonly service: Service;
  readonly name: string;
  readonly run: Operation;
}

export interface GatewayParts {
  readonly clock: SimulatorClock;
  readonly dice: Dice;
  readonly behaviour: Behaviour;
  readonly services: readonly Service[];
  readonly limits: RateLimits;
  /** Whether calls over the limit are throttled. They are counted in any case. */
  readonly enforceLimits: boolean;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly audit: Auditor;
  readonly dateSkewMs: number;
  /** Called after each operation that was carried out. */
  readonly onChange: () => void;
}
