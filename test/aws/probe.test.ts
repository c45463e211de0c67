/** What `doctor` finds out before it calls: whose credentials, which endpoints, and whether a connection can be made. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createProbe } from '../../src/aws/probe.ts';
import type { Probe } from '../../src/aws/probe.ts';
import type { ServicesOptions } from '../../src/aws/client/options.ts';
import { setEnvironment } from './aws-stub.ts';

beforeEach(() => {
  setEnvironment();
});
afterEach(() => {
  setEnvironment();
});

function probe(options: Partial<ServicesOptions> = {}): Probe {
  const made = createProbe({
    region: 'us-west-2',
    endpoints: {},
    version: '1.2.3',
    environment: { AWS_EC2_METADATA_DISABLED: 'true' },
    ...options,
  });
  onTestFinished(() => made.close());
  return made;
}

/** A server that never says anything. `connections`: how many have come. */
async function silent(): Promise<{ port: number; connections: () => number }> {
  let count = 0;
  const server = createServer(() => (count += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, connections: () => count };
}

test('a key is shown by its ends, and credentials without an expiry have none', async () => {
  setEnvironment({ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE' });
  expect(await probe().credentials()).toEqual({ key: 'AKIA…MPLE' });
});

test('an expiry and an account are shown if the provider names them', async () => {
  setEnvironment({
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_CREDENTIAL_EXPIRATION: '2036-01-01T00:00:00Z',
    AWS_ACCOUNT_ID: '111122223333',
  });
  expect(await probe().credentials()).toEqual({
    key: 'AKIA…MPLE',
    account: '111122223333',
    expiresAtMs: Date.UTC(2036, 0, 1),
  });
});

test.each(['http://localhost:1', 'http://127.0.0.2:1', 'http://[::1]:1'])(
  'with an endpoint at %s STS is not called: the credentials may be meant for nobody else',
  async (dataPipeline) => {
    expect(await probe({ endpoints: { dataPipeline } }).identity()).toBeUndefined();
  },
);

test('the endpoints are those of the region, or the configured ones', async () => {
  const made = probe({ endpoints: { dataPipeline: 'http://127.0.0.1:4580/path/' } });
  expect(await made.endpoint('migrationHub', 'eu-central-1')).toBe(
    'https://mgh.eu-central-1.amazonaws.com',
  );
  expect(await made.endpoint('migrationHubConfig', 'us-west-2')).toBe(
    'https://migrationhub-config.us-west-2.amazonaws.com',
  );
  expect(await made.endpoint('dataPipeline', 'us-east-1')).toBe('http://127.0.0.1:4580/path');
});

test('an endpoint that accepts a connection is reached, and nothing is sent', async () => {
  const { port, connections } = await silent();
  const { tookMs } = await probe().reach(`http://127.0.0.1:${port}`);
  expect(tookMs).toBeGreaterThanOrEqual(0);
  expect(connections()).toBeLessThanOrEqual(1);
});

test('one that refuses is not, with the reason and its code', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port: free } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const failed = await probe()
    .reach(`http://127.0.0.1:${free}`)
    .catch((error: unknown) => error as Error);
  expect(failed).toBeInstanceOf(Error);
  expect((failed as Error).message).toContain('ECONNREFUSED');
  expect((failed as Error).cause).toMatchObject({ code: 'ECONNREFUSED' });
});

test('one that speaks no TLS is not reached by https', async () => {
  const server = createServer((socket) => socket.end('hello\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  await expect(probe().reach(`https://127.0.0.1:${port}`)).rejects.toThrow();
});
