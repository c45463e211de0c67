/** The proxy of a connection, from the configuration or from the variables that curl reads, in the form that Node reads. */
import { isIPv4, isIPv6 } from 'node:net';
import type { Environment } from './options.ts';

/**
 * Node's own proxy support: HTTPS through CONNECT, HTTP in absolute form. A configured proxy replaces HTTPS_PROXY,
 * HTTP_PROXY and ALL_PROXY; NO_PROXY applies to all. Lower case wins, and an empty one of these variables means no proxy.
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
  return { HTTPS_PROXY: https, HTTP_PROXY: http, NO_PROXY: nodeNoProxy(noProxyOf(environment)) };
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
 * The list as Node reads it: to curl a name stands for itself and everything below it, to Node `name` and `.name` are two
 * entries; networks are ranges there. What curl never matches is left out, so that both take the same way.
 */
function nodeNoProxy(text: string | undefined): string | undefined {
  const entries = entriesOf(text);
  if (entries.length === 0) return undefined;
  // Only alone it stands for all.
  if (entries.length === 1 && entries[0] === '*') return '*';
  return entries.flatMap((entry) => nodeEntries(entry) ?? []).join(',');
}

/** The entries of NO_PROXY that have no effect, each with what to write instead. */
export function noProxyProblems(environment: Environment): string[] {
  const entries = entriesOf(noProxyOf(environment));
  if (entries.length === 1 && entries[0] === '*') return [];
  return entries.filter((entry) => nodeEntries(entry) === undefined).map(problemOf);
}

function problemOf(entry: string): string {
  if (entry === '*') return '* stands for all hosts only if it is alone';
  if (entry.startsWith('*.')) return `${entry}: write ${entry.slice(1)}`;
  if (/^[^:]+:\d+$|\]:\d+$/u.test(entry)) return `${entry}: write it without a port`;
  if (entry.includes(':') && entry.includes('/'))
    return `${entry}: IPv6 networks are not supported`;
  return `${entry}: neither a name, an address nor a network`;
}

/** As curl does, an empty variable is not set, and the lower-case one comes first. */
function noProxyOf(environment: Environment): string | undefined {
  return [environment['no_proxy'], environment['NO_PROXY']].find((text) => (text ?? '') !== '');
}

function entriesOf(text: string | undefined): string[] {
  return (text ?? '').split(/[,\s]+/u).filter((entry) => entry !== '');
}

/** Undefined: curl matches nothing with it, or Node has no such entry (networks of IPv6). */
function nodeEntries(entry: string): string[] | undefined {
  if (isIPv4(entry)) return [entry];
  if (isIPv6(entry)) return [entry, `[${entry}]`];
  if (entry.includes('/')) return rangeOf(entry);
  const name = entry.replace(/^\./u, '').replace(/\.$/u, '').toLowerCase();
  return /[*:[\]]/u.test(name) || name === '' ? undefined : [name, `.${name}`];
}

/** `10.1.0.0/16` as `10.1.0.0-10.1.255.255`. To curl /0 is the address itself. */
function rangeOf(entry: string): string[] | undefined {
  const [, address = '', bits = ''] = /^([\d.]+)\/(\d{1,2})$/u.exec(entry) ?? [];
  if (!isIPv4(address) || Number(bits) > 32) return undefined;
  if (Number(bits) === 0 || Number(bits) === 32) return [address];
  const number = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(number / size) * size;
  const dotted = (value: number): string =>
    [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
  return [`${dotted(first)}-${dotted(first + size - 1)}`];
}
