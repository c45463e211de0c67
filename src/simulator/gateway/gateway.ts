/**
 * The way of a call: found by its target, counted against its limit, met by a fault or not, done, and
 * answered. It knows no socket: `server.ts` brings HTTP, and a simulation in virtual time may call it
 * directly.
 */
import type { Auditor } from '../audit/audit.ts';
import type { Behaviour } from '../lib/behaviour.ts';
import type { SimulatorClock } from '../lib/clock.ts';
import type { Dice } from '../lib/dice.ts';
import type { Faults } from '../faults/faults.ts';
import type { Journal } from '../audit/journal.ts';
import { TARGET_PREFIX } from './json-protocol.ts';
import type { Delivery } from './json-protocol.ts';
import type { Operation, Service } from '../lib/operation.ts';
import type { RateLimits } from '../faults/rate-limits.ts';
import { GatewayRequest } from './request.ts';

export interface GatewayCall {
  /** The X-Amz-Target header. */
  readonly target: string | undefined;
  readonly body: string;
  readonly region?: string | undefined;
  /** Who calls, for the journal. */
  readonly by?: string | undefined;
  readonly isGone?: () => boolean;
}

/** Sends what it is given; false when the client could not get it. */
export type Deliver = (delivery: Delivery) => boolean;

export interface Gateway {
  /** What is served, as X-Amz-Target names it. */
  readonly targets: readonly string[];
  /** Calls `deliver` once, now or later. Returns what is to be called when the client hangs up first. */
  call(call: GatewayCall, deliver: Deliver): () => void;
}

/** What an X-Amz-Target names. */
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
  /** Whether calls over the limit are refused; they are counted in any case. */
  readonly enforceLimits: boolean;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly audit: Auditor;
  readonly dateSkewMs: number;
  /** Called when a call has been carried out. */
  readonly onChange: () => void;
}

export function createGateway(parts: GatewayParts): Gateway {
  const targets = new Map<string, Target>();
  for (const service of parts.services) {
    for (const [name, run] of service.operations) {
      targets.set(`${TARGET_PREFIX[service.name]}.${name}`, { service, name, run });
    }
  }
  return {
    targets: [...targets.keys()],
    call(call, deliver) {
      const found = targets.get(call.target ?? '');
      const visit = new GatewayRequest(parts, call, found, deliver);
      visit.begin();
      return () => {
        visit.abandon();
      };
    },
  };
}
