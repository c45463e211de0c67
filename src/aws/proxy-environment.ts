/** The proxy of a connection, from the configuration or from the variables that curl reads, in the form that Node reads. */
import { isIPv4 } from 'node:net';
import type { Environment } from './services-options.ts';

/**
 * Node's own proxy support: HTTPS through CONNECT, HTTP in absolute form. A configured proxy replaces HTTPS_PROXY,
 * HTTP_PROXY and ALL_PROXY; NO_PROXY applies to all. Lower case wins, and an empty variable means no proxy.
 */
export function proxyEnvironment(
  configured: string | undefined,
  environment: Environment,
): Environment | undefined {
  const read = (name: string): string | undefined =>
    environment[name.toLowerCase()] ?? environment[name];
  const https = withScheme(configured ?? read('HTTPS_PROXY') ?? read('ALL_PROXY'));
  const http = withScheme(configured ?? read('HTTP_PROXY') ?? read('ALL_PROXY'));
  if (https === undefined && http === undefined) return undefined;
  return { HTTPS_PROXY: https, HTTP_PROXY: http, NO_PROXY: nodeNoProxy(read('NO_PROXY')) };
}

/**
 * `proxy:3128` is common and works with curl; Node needs a URL. Node silently bypasses a proxy of another kind (SOCKS).
 * The agent rejects it instead: an operator who configures a proxy does not want it bypassed.
 */
function withScheme(proxy: string | undefined): string | undefined {
  if (proxy === undefined || proxy === '') return undefined;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//iu.exec(proxy)?.[1]?.toLowerCase();
  if (scheme === undefined) return `http://${proxy}`;
  if (scheme === 'http' || scheme === 'https') return proxy;
  throw new Error(`a proxy must be http or https, not ${scheme}`);
}

/**
 * To curl a name stands for itself and everything below it, entries are separated by commas or blanks, and networks are
 * written as 10.0.0.0/8. To Node `name` and `.name` are two entries, separated by commas, and networks are ranges.
 */
export function nodeNoProxy(text: string | undefined): string | undefined {
  return text
    ?.split(/[,\s]+/u)
    .filter((entry) => entry !== '')
    .flatMap((entry) => {
      const range = rangeOf(entry);
      if (range !== undefined) return [range];
      if (entry === '*' || entry.includes(':') || isIPv4(entry)) return [entry];
      const name = entry.replace(/^\*?\./u, '');
      return [name, `.${name}`];
    })
    .join(',');
}

/** `10.1.0.0/16` as `10.1.0.0-10.1.255.255`. */
function rangeOf(entry: string): string | undefined {
  const [, address = '', bits = ''] = /^([\d.]+)\/(\d{1,2})$/u.exec(entry) ?? [];
  if (!isIPv4(address) || Number(bits) > 32) return undefined;
  const number = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(number / size) * size;
  const dotted = (value: number): string =>
    [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
  return `${dotted(first)}-${dotted(first + size - 1)}`;
}
