/**
 * Where a call enters: the operation is found by its target, and a request carries it out. The gateway knows no
 * socket: `console/server.ts` brings HTTP, and a simulation in virtual time calls it directly.
 */
import { TARGET_PREFIX } from './json-protocol.ts';
import type { Deliver, GatewayCall, GatewayParts, Target } from './call.ts';
import { GatewayRequest } from './request.ts';

export interface Gateway {
  /** What is served, as X-Amz-Target names it. */
  readonly targets: readonly string[];
  /** Calls `deliver` once, now or later. Returns what is to be called when the client hangs up first. */
  call(call: GatewayCall, deliver: Deliver): () => void;
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
      const request = new GatewayRequest(parts, call, found, deliver);
      request.begin();
      return () => {
        request.abandon();
      };
    },
  };
}
