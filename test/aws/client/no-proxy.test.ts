/** NO_PROXY as curl reads it: each list is given to the real curl and to Node's agent, and both must take the same way. */
import { execFile } from 'node:child_process';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noProxyProblems, proxyEnvironment } from '../../../src/aws/client/proxy-environment.ts';
import { isInstalled } from '../../jobs/support.ts';
import { listen } from '../aws-stub.ts';

const LISTS: readonly string[] = [
  '',
  '*',
  '*,other.example',
  'amazonaws.example',
  '.amazonaws.example',
  'amazonaws.example.',
  '*.amazonaws.example',
  'AMAZONAWS.Example',
  'naws.example',
  'mgh.amazonaws.example',
  'x.mgh.amazonaws.example',
  'other.example amazonaws.example',
  'other.example,\tamazonaws.example ,last.example',
  'amazonaws.example:PORT',
  '127.0.0.1',
  '127.0.0.1:PORT',
  '127.0.0.0/8',
  '127.0.0.1/32',
  '127.0.0.2/32',
  '127.0.0.0/0',
  '126.0.0.0/7',
  '127.0.0.1/33',
  '10.0.0.0/8',
];
const HOSTS = ['mgh.amazonaws.example', 'amazonaws.example', '127.0.0.1'];

const server = createServer((request, response) => {
  // To a proxy the whole address is written.
  response.end(request.url?.startsWith('http://') === true ? 'proxy' : 'direct');
});
let port: number;
beforeAll(async () => {
  await listen(server);
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function byCurl(host: string, noProxy: string): Promise<string> {
  const args = ['-q', '-s', '--resolve', `${host}:${port}:127.0.0.1`, `http://${host}:${port}/`];
  const env = { PATH: process.env['PATH'], http_proxy: `127.0.0.1:${port}`, NO_PROXY: noProxy };
  return (await promisify(execFile)('curl', args, { env })).stdout;
}

async function byAgent(host: string, noProxy: string): Promise<string> {
  const proxyEnv = proxyEnvironment(undefined, {
    HTTP_PROXY: `127.0.0.1:${port}`,
    NO_PROXY: noProxy,
  });
  const agent = new Agent({ ...(proxyEnv === undefined ? {} : { proxyEnv }) });
  return await new Promise((resolve, reject) => {
    const lookup = (_name: string, _options: object, found: (...answer: unknown[]) => void): void =>
      found(null, [{ address: '127.0.0.1', family: 4 }]);
    get({ host, port, path: '/', agent, lookup: lookup as never }, (response) => {
      response.setEncoding('utf8').once('data', resolve);
    }).once('error', reject);
  });
}

const noCurl = !isInstalled('curl');

describe.skipIf(noCurl)(`the same way as curl${noCurl ? ' (skipped: not installed)' : ''}`, () => {
  test.each(LISTS)('NO_PROXY=%j', async (list) => {
    const noProxy = list.replace('PORT', String(port));
    for (const host of HOSTS) {
      expect(`${host} ${await byAgent(host, noProxy)}`).toBe(
        `${host} ${await byCurl(host, noProxy)}`,
      );
    }
  });
});

test.each([
  ['a.example,.b.example 10.0.0.0/8,::1', []],
  ['*', []],
  ['*,a', ['* stands for all hosts only if it is alone']],
  ['*.a.example', ['*.a.example: write .a.example']],
  ['a.example:443', ['a.example:443: write it without a port']],
  ['fd00::/8', ['fd00::/8: IPv6 networks are not supported']],
  ['10.0.0.0/40', ['10.0.0.0/40: neither a name, an address nor a network']],
])('what has no effect in %j', (list, problems) => {
  expect(noProxyProblems({ NO_PROXY: list })).toEqual(problems);
});

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::1', '::1,[::1]'],
  ['10.1.2.3/16', '10.1.0.0-10.1.255.255'],
  ['10.1.255.3/23', '10.1.254.0-10.1.255.255'],
  ['10.1.2.3/31', '10.1.2.2-10.1.2.3'],
  ['192.168.0.200/25', '192.168.0.128-192.168.0.255'],
  ['200.0.0.0/1', '128.0.0.0-255.255.255.255'],
  ['10.1.2.3/32', '10.1.2.3'],
  ['10.1.2.3/0', '10.1.2.3'],
  ['.A.example.', 'a.example,.a.example'],
  ['10.1.2.3/33, a:1, .', ''],
])('%s is given to Node as %j', (list, given) => {
  const made = proxyEnvironment('proxy:3128', { NO_PROXY: list });
  expect(made?.['NO_PROXY']).toBe(given);
});

test.each<[string | undefined, Record<string, string>, (string | undefined)[] | undefined]>([
  [undefined, {}, undefined],
  ['proxy:3128', {}, ['http://proxy:3128', 'http://proxy:3128']],
  ['https://proxy', { HTTPS_PROXY: 'other' }, ['https://proxy', 'https://proxy']],
  [undefined, { HTTPS_PROXY: 'a', HTTP_PROXY: 'b' }, ['http://a', 'http://b']],
  [undefined, { HTTPS_PROXY: 'a', https_proxy: 'b' }, ['http://b', undefined]],
  [undefined, { HTTPS_PROXY: 'a', https_proxy: '' }, undefined],
  [undefined, { ALL_PROXY: 'a' }, ['http://a', 'http://a']],
  [undefined, { ALL_PROXY: 'a', HTTP_PROXY: 'HTTP://b' }, ['http://a', 'HTTP://b']],
])('the proxy of %s and %j', (configured, environment, proxies) => {
  const made = proxyEnvironment(configured, environment);
  expect(made && [made['HTTPS_PROXY'], made['HTTP_PROXY']]).toEqual(proxies);
});

test('a proxy of another kind is refused, not bypassed', () => {
  expect(() => proxyEnvironment('socks5://proxy', {})).toThrow(
    'a proxy must be http or https, not socks5',
  );
});
