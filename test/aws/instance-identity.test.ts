/** The identity of an EC2 instance, against a metadata service of version 2 that behaves well, badly or not at all. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { createInstanceIdentity } from '../../src/aws/instance-identity.ts';
import type { Services } from '../../src/ports.ts';
import { CALLS, listen, servicesAt, setEnvironment, startStub } from './aws-stub.ts';
import type { Stub } from './aws-stub.ts';

const DOCUMENT = '{\n  "accountId" : "123456789012",\n  "instanceId" : "i-0123"\n}';
const SIGNATURE = 'abcd+/\nefgh=';

let stub: Stub;
let metadata: Server;
let asked: string[];
let answer: (response: ServerResponse, path: string) => void;
let services: Services;

beforeEach(async () => {
  setEnvironment();
  stub = await startStub();
  asked = [];
  answer = answerWell;
  metadata = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const isToken = request.url === '/latest/api/token';
    const isAllowed = isToken
      ? request.headers['x-aws-ec2-metadata-token-ttl-seconds'] === '60'
      : request.headers['x-aws-ec2-metadata-token'] === 'the-token';
    if (!isAllowed) response.writeHead(401).end();
    else answer(response, request.url ?? '');
  });
  await listen(metadata);
});

afterEach(async () => {
  services.close();
  metadata.closeAllConnections();
  await new Promise((resolve) => metadata.close(resolve));
  await stub.close();
});

function answerWell(response: ServerResponse, path: string): void {
  if (path.endsWith('/token')) response.end('the-token');
  else response.end(path.endsWith('/document') ? DOCUMENT : SIGNATURE);
}

async function poll(environment: Record<string, string> = {}, times = 1): Promise<unknown> {
  const { port } = metadata.address() as AddressInfo;
  services = servicesAt(stub.url, {
    environment: { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}/`, ...environment },
    limits: {},
  });
  for (let i = 0; i < times; i++) {
    expect((await services.send(CALLS.PollForTask)).kind).toBe('accepted');
  }
  return stub.requests.at(-1)!.body['instanceIdentity'];
}

test('goes with every poll, asked for once, with a token', async () => {
  expect(await poll({}, 3)).toEqual({ document: DOCUMENT, signature: SIGNATURE });
  expect(asked.toSorted()).toEqual([
    'GET /latest/dynamic/instance-identity/document',
    'GET /latest/dynamic/instance-identity/signature',
    'PUT /latest/api/token',
  ]);
  expect(stub.requests.every(({ body }) => 'instanceIdentity' in body)).toBe(true);
});

test.each(['true', 'TRUE'])(
  'is not asked for where AWS_EC2_METADATA_DISABLED is %s',
  async (disabled) => {
    expect(await poll({ AWS_EC2_METADATA_DISABLED: disabled })).toBeUndefined();
    expect(asked).toEqual([]);
  },
);

test('other calls do not wait for it', async () => {
  answer = () => undefined;
  const { port } = metadata.address() as AddressInfo;
  services = servicesAt(stub.url, {
    environment: { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}` },
  });
  expect((await services.send(CALLS.ReportTaskProgress)).kind).toBe('accepted');
  expect(asked).toEqual([]);
});

test.each<[string, typeof answer]>([
  ['never answers', () => undefined],
  ['has no identity', (response) => response.writeHead(404).end()],
  ['hangs up', (response) => response.destroy()],
  ['answers with a page that is too long', (response) => response.end('<html>'.repeat(1000))],
  ['answers with what no poll may hold', (response) => response.end('\u0000')],
  ['answers with nothing', (response) => response.end()],
])(
  'a service that %s: polls go without, within a second, and it is not asked again',
  async (_how, badly) => {
    answer = (response, path) => {
      if (path.endsWith('/token')) answerWell(response, path);
      else badly(response, path);
    };
    const sinceMs = performance.now();
    expect(await poll({}, 2)).toBeUndefined();
    expect(performance.now() - sinceMs).toBeLessThan(5_000);
    expect(asked.filter((line) => line.startsWith('PUT'))).toHaveLength(1);
  },
);

test.each<[Record<string, string>, string]>([
  [{}, 'http://169.254.169.254'],
  [{ AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: 'IPv6' }, 'http://[fd00:ec2::254]'],
  [{ AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: 'IPv4' }, 'http://169.254.169.254'],
  [{ AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://other//' }, 'http://other'],
  [
    { AWS_EC2_METADATA_SERVICE_ENDPOINT: '', AWS_EC2_METADATA_DISABLED: 'false' },
    'http://169.254.169.254',
  ],
])('with %o it is asked for at %s', async (environment, at) => {
  const asked = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('no route'));
  onTestFinished(() => asked.mockRestore());
  expect(await createInstanceIdentity(environment)()).toBeUndefined();
  expect(asked.mock.calls.map(([url]) => url)).toEqual([`${at}/latest/api/token`]);
});

test('the longest document that a poll may hold goes with it, a longer one does not', async () => {
  for (const [length, goes] of [
    [1024, true],
    [1025, false],
  ] as const) {
    const fetched = vi
      .spyOn(globalThis, 'fetch')
      .mockImplementation(() => Promise.resolve(new Response('x'.repeat(length))));
    const identity = await createInstanceIdentity({})();
    expect(identity !== undefined).toBe(goes);
    fetched.mockRestore();
  }
});

test('one that was not found is asked for again after an hour, one that was found never', async () => {
  let nowMs = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const asked = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('no route'));
  onTestFinished(() => {
    clock.mockRestore();
    asked.mockRestore();
  });
  const ask = createInstanceIdentity({});
  for (const ms of [0, 3_599_999, 3_600_000]) {
    nowMs = ms;
    expect(await ask()).toBeUndefined();
  }
  expect(asked).toHaveBeenCalledTimes(2);
  asked.mockImplementation(() => Promise.resolve(new Response('document')));
  for (const ms of [7_200_000, 20_000_000]) {
    nowMs = ms;
    expect(await ask()).toEqual({ document: 'document', signature: 'document' });
  }
  // Token, document and signature, once.
  expect(asked).toHaveBeenCalledTimes(5);
});
