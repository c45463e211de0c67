/** The identity of an EC2 instance, against a metadata service of version 2 that behaves well, badly or not at all. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
