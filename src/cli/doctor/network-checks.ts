/** The network path to each service: name, connection, TLS, proxy. No request is sent. */
import { noProxyProblems } from '../../aws/client/proxy-environment.ts';
import { hubRegionNear } from '../../aws/client/options.ts';
import type { ServiceName } from '../../aws/client/options.ts';
import type { AwsDoctor, Calls } from './aws-calls.ts';
import type { Finding } from '../file-system/finding.ts';
import type { Check } from './report.ts';

export function reachable({ configuration, environment, probe }: AwsDoctor, calls: Calls): Check[] {
  const { aws, settings } = configuration;
  const look = async (service: ServiceName, region: string): Promise<Finding> => {
    let endpoint: string;
    try {
      endpoint = await probe.endpoint(service, region);
    } catch (error) {
      const remedy = 'check the variables AWS_… and the profile of the shared AWS files';
      return { verdict: 'failed', message: messageOf(error), remedy };
    }
    const proxy = proxyText(aws.proxy, endpoint, environment);
    try {
      const { tookMs } = await probe.reach(endpoint);
      const message = `${endpoint} answers${proxy} (${tookMs} ms)`;
      const ignored = proxy === '' ? [] : noProxyProblems(environment);
      if (ignored.length === 0) return { verdict: 'ok', message };
      const remedy = `these entries of NO_PROXY have no effect: ${ignored.join('; ')}`;
      return { verdict: 'warning', message, remedy };
    } catch (error) {
      return {
        verdict: 'failed',
        message: `${endpoint}${proxy}: ${messageOf(error)}`,
        remedy: reachRemedy(error, endpoint, proxy !== ''),
      };
    }
  };
  const near = hubRegionNear(aws.region);
  return [
    ...(settings.migrationHub === undefined
      ? []
      : [
          {
            name: 'network: Migration Hub',
            look: async () => look('migrationHub', (await calls.hubRegion()) ?? near),
          },
        ]),
    ...(settings.migrationHub === undefined || settings.migrationHub.region !== undefined
      ? []
      : [{ name: 'network: home region', look: () => look('migrationHubConfig', near) }]),
    ...(settings.dataPipeline === undefined
      ? []
      : [
          {
            name: 'network: Data Pipeline',
            look: () => look('dataPipeline', aws.dataPipelineRegion ?? ''),
          },
        ]),
  ];
}

function proxyText(
  configured: string | undefined,
  endpoint: string,
  environment: NodeJS.ProcessEnv,
): string {
  const name = endpoint.startsWith('https:') ? 'https_proxy' : 'http_proxy';
  const variables = [name, name.toUpperCase(), 'all_proxy', 'ALL_PROXY'];
  const named =
    configured ?? variables.map((name) => environment[name]).find((each) => each !== undefined);
  if (named === undefined || named === '') return '';
  return ` through the proxy ${named.replace(/\/\/[^@/]*@/u, '//***@')} (except NO_PROXY)`;
}

function reachRemedy(error: unknown, endpoint: string, hasProxy: boolean): string {
  const { hostname, port, protocol } = new URL(endpoint);
  const to = `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
  const { code = '' } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return hasProxy
      ? 'the name of the proxy does not resolve: check aws.proxy and HTTPS_PROXY'
      : `the name ${hostname} does not resolve: check /etc/resolv.conf and the region, or set aws.proxy`;
  }
  if (/CERT|SSL|TLS|SELF_SIGNED/u.test(code)) {
    return 'if a proxy inspects TLS, add its CA certificate to those of the system (update-ca-certificates, update-ca-trust)';
  }
  return hasProxy
    ? `allow the proxy to connect to ${to}, with an idle timeout of more than 90 s for long polls`
    : `allow outgoing connections to ${to}, or set aws.proxy`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
