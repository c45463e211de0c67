/** The TCP listener and the metrics that it serves. Loaded only where `agent.http.listen` is written. */
import type { Agent } from '../../agent/agent.ts';
import type { Configuration } from '../../config/build/configuration.ts';
import { createCallLatency, timedServices } from '../../control/call-latency.ts';
import { createHttpListener } from '../../control/http/tcp-listener.ts';
import type { HttpListener } from '../../control/http/tcp-listener.ts';
import { createRegistry } from '../../control/metrics.ts';
import { openRunLog } from '../../jobs/job-host.ts';
import type { Log, Services } from '../../ports.ts';

export interface Metered {
  /** The same services, each call timed. */
  readonly services: Services;
  listener(agent: Agent): HttpListener;
}

export function meter(
  services: Services,
  inForce: { readonly configuration: Configuration },
  listen: { readonly host: string; readonly port: number },
  log: Log,
): Metered {
  const callLatency = createCallLatency();
  const { stateDirectory } = inForce.configuration.agent;
  return {
    services: timedServices(services, callLatency),
    listener: (agent) =>
      createHttpListener({
        listen: addressOf(listen),
        output: { openLog: (job, run, stream) => openRunLog(stateDirectory, job, run, stream) },
        hosts: () => inForce.configuration.agent.httpHosts,
        operator: agent,
        registry: createRegistry(agent, callLatency),
        log,
      }),
  };
}

function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
