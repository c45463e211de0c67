/**
 * The entrance for calls: it finds the operation by the target, and a GatewayRequest carries it out. The gateway knows no
 * socket: `console/server.ts` adds HTTP, and a simulation in virtual time calls the gateway directly.
 */
import { TARGET_PREFIX } from './json-protocol.ts';
import type { Deliver, GatewayCall, GatewayParts, Target } from './call.ts';
import { GatewayRequest } from './request.ts';

export interface Gateway {
  /** The values of X-Amz-Target that are served. */
  readonly targets: readonly string[];
  /** Calls `deliver` once, now or later. Returns a function to call if the client hangs up before that. */
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
