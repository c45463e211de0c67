/** The way to each service, as `doctor` tries it: names, connection, TLS, proxy. Nothing is said to the service. */
import { endpointOf } from '../../aws/probe.ts';
import { hubRegionNear } from '../../aws/services-options.ts';
import type { AwsDoctor, Questions } from './aws-questions.ts';
import type { Check, Finding } from './report.ts';

export function reachable(
  { configuration, environment, probe }: AwsDoctor,
  asked: Questions,
): Check[] {
  const { aws, settings } = configuration;
  const look = async (
    service: 'migrationHub' | 'migrationHubConfig' | 'dataPipeline',
    region: string,
  ): Promise<Finding> => {
    const endpoint = endpointOf(service, aws, region, environment);
    const proxy = proxyWords(aws.proxy, environment);
    try {
      const { tookMs } = await probe.reach(endpoint);
      return { verdict: 'ok', message: `${endpoint} is there${proxy} (${tookMs} ms)` };
    } catch (error) {
      return {
        verdict: 'failed',
        message: `${endpoint}${proxy}: ${wordsOf(error)}`,
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
            name: 'way to Migration Hub',
            look: async () => look('migrationHub', (await asked.hubRegion()) ?? near),
          },
        ]),
    ...(settings.migrationHub === undefined || settings.migrationHub.region !== undefined
      ? []
      : [{ name: 'way to its home region', look: () => look('migrationHubConfig', near) }]),
    ...(settings.dataPipeline === undefined
      ? []
      : [
          {
            name: 'way to Data Pipeline',
            look: () => look('dataPipeline', aws.dataPipelineRegion ?? ''),
          },
        ]),
  ];
}

function proxyWords(configured: string | undefined, environment: NodeJS.ProcessEnv): string {
  const named =
    configured ??
    environment['https_proxy'] ??
    environment['HTTPS_PROXY'] ??
    environment['http_proxy'] ??
    environment['HTTP_PROXY'];
  if (named === undefined || named === '') return '';
  return ` by the proxy ${named.replace(/\/\/[^@/]*@/u, '//***@')} (but for NO_PROXY)`;
}

function reachRemedy(error: unknown, endpoint: string, hasProxy: boolean): string {
  const { hostname, port, protocol } = new URL(endpoint);
  const to = `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
  const { code = '' } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return hasProxy
      ? 'the name of the proxy is not known here: look at aws.proxy and HTTPS_PROXY'
      : `the name ${hostname} is not known here: look at /etc/resolv.conf, at the region, or set aws.proxy`;
  }
  if (/CERT|SSL|TLS|SELF_SIGNED/u.test(code)) {
    return 'a proxy that opens TLS needs its CA in NODE_EXTRA_CA_CERTS';
  }
  return hasProxy
    ? `let the proxy connect to ${to}, with an idle time of more than 90 s for long polls`
    : `allow ${to} to go out, or set aws.proxy`;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
