/** `doctor` asks STS whose credentials it has: one signed request, and no failure if STS does not answer. */
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Checked } from '../../../src/cli/doctor/report.ts';
import { setEnvironment } from '../../aws/aws-stub.ts';
import { run } from '../terminal-in-memory.ts';

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const ARN = 'arn:aws:sts::111122223333:assumed-role/migration/i-0abc';
const IDENTITY = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult><Arn>${ARN}</Arn><UserId>AROA:i-0abc</UserId><Account>111122223333</Account></GetCallerIdentityResult>
  <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>`;
const DENIAL = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>AccessDenied</Code><Message>explicit deny</Message></Error></ErrorResponse>`;

let directory: string;
let sts: Server;
let seen: { request: IncomingMessage; body: string }[];
let answer: { status: number; body: string };

beforeEach(async () => {
  setEnvironment({ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: SECRET });
  directory = mkdtempSync(join(tmpdir(), 'identity-'));
  seen = [];
  answer = { status: 200, body: IDENTITY };
  sts = createServer((request, response) => {
    const answerIt = (body: string): void => {
      seen.push({ request, body });
      response.writeHead(answer.status, { 'content-type': 'text/xml' }).end(answer.body);
    };
    text(request).then(answerIt, () => response.destroy());
  });
  await new Promise<void>((resolve) => sts.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  sts.closeAllConnections();
  await new Promise((resolve) => sts.close(resolve));
  rmSync(directory, { recursive: true });
});

/** The services are at an address that nothing listens on: only STS answers. */
async function identity(environment: NodeJS.ProcessEnv): Promise<Checked> {
  const file = join(directory, 'config.yaml');
  const agent = `{ stateDirectory: "${directory}/state", socket: "${directory}/agent.sock" }`;
  const content = `aws: { region: eu-west-1, endpoints: { dataPipeline: "http://127.0.0.1:9" } }
dataPipeline: { workerGroups: [files], activities: [] }
agent: ${agent}
`;
  writeFileSync(file, content);
  const { stdout } = await run(['doctor', '--config', file, '--json'], { environment });
  const { checks } = JSON.parse(stdout) as { checks: Checked[] };
  return checks.find(({ check }) => check === 'identity')!;
}

function address(): string {
  return `http://127.0.0.1:${(sts.address() as AddressInfo).port}`;
}

test('account and ARN, by one request whose signature is right', async () => {
  const found = await identity({ AWS_ENDPOINT_URL_STS: address() });
  expect(found).toMatchObject({ verdict: 'ok', message: `${ARN}, account 111122223333` });
  expect(seen).toHaveLength(1);
  const [{ request, body }] = seen as [(typeof seen)[number]];
  expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
    Action: 'GetCallerIdentity',
    Version: '2011-06-15',
  });
  const [, scope = '', signed = '', signature] =
    /Credential=AKIAIOSFODNN7EXAMPLE\/(\S+), SignedHeaders=(\S+), Signature=(\w{64})$/.exec(
      request.headers.authorization ?? '',
    ) ?? [];
  expect(scope).toMatch(/^\d{8}\/eu-west-1\/sts\/aws4_request$/);
  expect(signature).toBe(signatureOf(request, body, scope, signed.split(';')));
});

test.each([
  ['denied', 403, DENIAL, /explicit deny/],
  ['nonsense', 200, '<html>a captive portal</html>', /./],
])('%s: skipped with the reason, no failure', async (_name, status, body, reason) => {
  answer = { status, body };
  const found = await identity({ AWS_ENDPOINT_URL_STS: address() });
  expect(found.verdict).toBe('skipped');
  expect(found.message).toMatch(reason);
  expect(found.message).toMatch(/the agent itself needs no STS$/);
});

test('not reachable: skipped, no failure', async () => {
  const found = await identity({ AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:9' });
  expect(found).toMatchObject({ verdict: 'skipped' });
});

test('an endpoint on this host, as of a simulator: AWS is not called with its keys', async () => {
  const found = await identity({});
  expect(found).toMatchObject({
    verdict: 'skipped',
    message: 'an endpoint is on this host, so STS is not called',
  });
});

/** Signature Version 4 as the AWS General Reference writes it, without the SDK. */
function signatureOf(
  { headers, method = '', url = '' }: IncomingMessage,
  body: string,
  scope: string,
  signed: readonly string[],
): string {
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string): Buffer =>
    createHmac('sha256', key).update(text).digest();
  const lines = signed.map((name) => `${name}:${String(headers[name]).trim()}\n`).join('');
  const canonical = [method, url, '', lines, signed.join(';'), hash(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${SECRET}`);
  return hmac(key, toSign).toString('hex');
}
