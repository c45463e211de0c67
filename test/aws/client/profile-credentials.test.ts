/**
 * What a profile says of credentials and connections, with a real shared file and a local server for STS and SSO: aws.profile and
 * AWS_PROFILE mean the same, for each of the three clients.
 */
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createProbe } from '../../../src/aws/probe.ts';
import { createServices } from '../../../src/aws/services.ts';
import type { ServicesOptions } from '../../../src/aws/client/options.ts';
import { createAuthority, opensslMissing } from '../../support/certificates.ts';
import { CALLS, listen, ok, setEnvironment, SHORT, startStub } from '../aws-stub.ts';
import type { SeenRequest, Stub } from '../aws-stub.ts';
import { startProxy } from '../http-proxy.ts';

const LIMITS = { ...SHORT, callMs: 10_000, connectMs: 10_000, credentialsMs: 10_000 };
const ALL = [CALLS.GetHomeRegion, CALLS.ImportMigrationTask, CALLS.ReportTaskProgress];
const WAYS = ['aws.profile', 'AWS_PROFILE'] as const;
const EXPIRATION = new Date(Date.now() + 3_600_000);

let directory: string;
let stub: Stub;
const home = process.env['HOME'];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'migration-agent-profile-'));
  stub = await startStub((response, request) => {
    if (request.target !== '') {
      ok({})(response, request);
      return;
    }
    const isSso = request.url.startsWith('/federation/credentials');
    if (isSso) {
      const keys = { accessKeyId: 'AKIDSSO', secretAccessKey: 'b', sessionToken: 'c' };
      ok({ roleCredentials: { ...keys, expiration: EXPIRATION.getTime() } })(response, request);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/xml' });
    response.end(
      `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
       <AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>b</SecretAccessKey><SessionToken>c</SessionToken>
       <Expiration>${EXPIRATION.toISOString()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
    );
  });
});

afterEach(async () => {
  setEnvironment({ HOME: home });
  await stub.close();
  await rm(directory, { recursive: true });
});

async function optionsFor(
  way: (typeof WAYS)[number],
  lines: readonly string[],
): Promise<ServicesOptions> {
  const file = join(directory, 'config');
  await writeFile(file, `${lines.join('\n')}\n`);
  setEnvironment({
    HOME: directory,
    AWS_CONFIG_FILE: file,
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    ...(way === 'AWS_PROFILE' ? { AWS_PROFILE: 'migration' } : {}),
  });
  return {
    ...(way === 'aws.profile' ? { profile: 'migration' } : {}),
    endpoints: {},
    version: '1',
    environment: process.env,
    limits: LIMITS,
  };
}

/** One call of each client. */
async function sendAll(options: ServicesOptions): Promise<void> {
  const services = createServices(options);
  try {
    for (const call of ALL) expect(await services.send(call)).toMatchObject({ kind: 'accepted' });
  } finally {
    services.close();
  }
}

function keyOf({ headers }: SeenRequest): string | undefined {
  return /Credential=([^/]+)/u.exec(headers.authorization ?? '')?.[1];
}

const toAws = (): SeenRequest[] => stub.requests.filter(({ target }) => target !== '');
const KEYS = ['aws_access_key_id = AKIDBASE', 'aws_secret_access_key = b'];
const SHARED = (): string[] => ['region = eu-west-1', `endpoint_url = ${stub.url}`];

const SSO_SESSION = [
  '[sso-session corp]',
  'sso_region = us-east-1',
  'sso_start_url = https://corp.awsapps.com/start',
];
const SSO_PROFILE = [
  'sso_session = corp',
  'sso_account_id = 123456789012',
  'sso_role_name = Mover',
];

/** As after `aws sso login`. */
async function loggedIn(): Promise<void> {
  const cache = join(directory, '.aws/sso/cache');
  await mkdir(cache, { recursive: true });
  const token = { accessToken: 'token', expiresAt: EXPIRATION.toISOString() };
  const name = createHash('sha1').update('corp').digest('hex');
  await writeFile(join(cache, `${name}.json`), JSON.stringify(token));
}

describe.each(WAYS)('a profile that %s names', (way) => {
  test('takes a role with the keys of its source profile', async () => {
    const lines = ['[profile base]', ...KEYS, '[profile migration]', ...SHARED()];
    const role = ['role_arn = arn:aws:iam::123456789012:role/mover', 'source_profile = base'];
    await sendAll(await optionsFor(way, [...lines, ...role]));
    const [assume] = stub.requests.filter(({ target }) => target === '');
    expect(keyOf(assume!)).toBe('AKIDBASE');
    expect(toAws().map(keyOf)).toEqual(['AKIDROLE', 'AKIDROLE', 'AKIDROLE']);
  });

  test('gets its keys from SSO, by the token of the last login', async () => {
    await loggedIn();
    const lines = [...SSO_SESSION, '[profile migration]', ...SHARED(), ...SSO_PROFILE];
    await sendAll(await optionsFor(way, lines));
    expect(toAws().map(keyOf)).toEqual(['AKIDSSO', 'AKIDSSO', 'AKIDSSO']);
  });

  test('asks SSO in the region of the login, not in its own', async () => {
    await loggedIn();
    const proxy = await startProxy();
    const lines = ['[profile migration]', 'region = eu-west-1', ...SSO_PROFILE];
    const options = await optionsFor(way, [...SSO_SESSION, ...lines]);
    const services = createServices({ ...options, proxy: proxy.url });
    try {
      // The proxy refuses: where the request would have gone is enough.
      expect((await services.send(CALLS.ImportMigrationTask)).kind).not.toBe('accepted');
      expect(proxy.seen).toContain('CONNECT portal.sso.us-east-1.amazonaws.com:443');
    } finally {
      services.close();
      await proxy.close();
    }
  });

  test('asks a program for its keys', async () => {
    const program = join(directory, 'keys');
    const keys = { Version: 1, AccessKeyId: 'AKIDPROGRAM', SecretAccessKey: 'b' };
    await writeFile(program, `#!/bin/sh\necho '${JSON.stringify(keys)}'\n`);
    await chmod(program, 0o755);
    const line = `credential_process = ${program}`;
    await sendAll(await optionsFor(way, ['[profile migration]', ...SHARED(), line]));
    expect(toAws().map(keyOf)).toEqual(['AKIDPROGRAM', 'AKIDPROGRAM', 'AKIDPROGRAM']);
  });

  test('names its application in the User-Agent', async () => {
    const line = 'sdk_ua_app_id = wave-3';
    await sendAll(await optionsFor(way, ['[profile migration]', ...SHARED(), ...KEYS, line]));
    expect(toAws().map(({ headers }) => headers['user-agent']?.match(/app\/\S+/gu))).toEqual([
      ['app/wave-3'],
      ['app/wave-3'],
      ['app/wave-3'],
    ]);
  });

  const noTls = opensslMissing === undefined ? '' : ` (skipped: ${opensslMissing})`;
  test.skipIf(noTls !== '')(`trusts its ca_bundle, in doctor too${noTls}`, async () => {
    const authority = createAuthority();
    const seen: unknown[] = [];
    const server = createServer(authority.issue(), (request, response) => {
      seen.push(request.headers['x-amz-target']);
      request.resume();
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
      response.end('{}');
    });
    try {
      await listen(server);
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const lines = ['[profile migration]', 'region = eu-west-1', `endpoint_url = ${url}`, ...KEYS];
      const options = await optionsFor(way, [...lines, `ca_bundle = ${authority.certFile}`]);
      await sendAll(options);
      expect(seen).toHaveLength(3);
      const probe = createProbe(options);
      await probe.reach(url);
      probe.close();
      const without = createServices(await optionsFor(way, lines));
      expect(await without.send(CALLS.ImportMigrationTask)).toMatchObject({ kind: 'unavailable' });
      without.close();
    } finally {
      server.closeAllConnections();
      server.close();
      authority.remove();
    }
  });
});
