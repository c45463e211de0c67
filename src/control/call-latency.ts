/** How long calls take, from the request to the answer or the time limit. */
import { Histogram } from 'prom-client';

import type { Services } from '../ports.ts';

/** From a near region's answer to the longest a call may take; long polls have buckets of their own. */
const BUCKETS_S = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 90];

export function createCallLatency(): Histogram<'operation' | 'outcome'> {
  return new Histogram({
    name: 'migration_agent_call_duration_seconds',
    help: 'How long a call took, by operation and outcome; PollForTask waits for work up to 90 s',
    labelNames: ['operation', 'outcome'],
    buckets: BUCKETS_S,
    registers: [],
  });
}

/** The same services, each call timed. */
export function timedServices(
  services: Services,
  latency: ReturnType<typeof createCallLatency>,
): Services {
  return {
    send: async (call) => {
      const since = performance.now();
      const outcome = await services.send(call);
      const { operation } = call;
      latency.observe({ operation, outcome: outcome.kind }, (performance.now() - since) / 1000);
      return outcome;
    },
    credentialsExpireAtMs: () => services.credentialsExpireAtMs?.(),
    close: () => services.close(),
  };
}
