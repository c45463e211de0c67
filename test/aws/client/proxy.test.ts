/**
 * Proxies, configured or from the environment: HTTPS by CONNECT, HTTP by absolute form, for the services and
 * for the calls of the credential chain.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CALLS, listen, servicesAt, setEnvironment, startStub } from '../aws-stub.ts';
import type { Stub } from '../aws-stub.ts';
import { startProxy } from '../http-proxy.ts';
import type { Proxy } from '../http-proxy.ts';

let stub: Stub;
let proxy: Proxy;

beforeEach(async () => {
  setEnvironment();
  stub = await startStub();
  proxy = await startProxy();
});

afterEach(async () => {
  await proxy.close();
  await stub.close();
  setEnvironment();
});

describe('a proxy', () => {
  test('that is configured carries the calls of both services, but for NO_PROXY', async () => {
    const services = servicesAt(stub.url, { proxy: proxy.url });
    expect((await services.send(CALLS.ImportMigrationTask)).kind).toBe('accepted');
    expect((await services.send(CALLS.ReportTaskProgress)).kind).toBe('accepted');
    expect((await services.send(CALLS.PollForTask)).kind).toBe('accepted');
    expect(proxy.seen).toEqual(Array.from({ length: 3 }, () => `POST ${stub.url}/`));
    services.close();
    const direct = servicesAt(stub.url, {
      proxy: proxy.url,
      environment: { NO_PROXY: '127.0.0.1' },
    });
    expect((await direct.send(CALLS.ReportTaskProgress)).kind).toBe('accepted');
    expect(proxy.seen).toHaveLength(3);
    direct.close();
  });

  test.each(['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'])(
    'is taken from %s',
    async (name) => {
      const services = servicesAt(stub.url, { environment: { [name]: proxy.url } });
      expect((await services.send(CALLS.ReportTaskProgress)).kind).toBe('accepted');
      expect(proxy.seen).toHaveLength(1);
      services.close();
    },
  );

  test.each([
    [
      { ALL_PROXY: 'http://127.0.0.1:1', HTTP_PROXY: 'PROXY' },
      1,
      'its own variable before ALL_PROXY',
    ],
    [{ HTTP_PROXY: 'http://127.0.0.1:1', http_proxy: 'PROXY' }, 1, 'lower case before upper case'],
    [{ HTTP_PROXY: 'PROXY', http_proxy: '' }, 0, 'none, if the variable is empty'],
    [{ HTTP_PROXY: 'PROXY', NO_PROXY: 'example.com 127.0.0.0/8' }, 0, 'none for a network'],
    [{ HTTP_PROXY: 'PROXY', NO_PROXY: '*' }, 0, 'none for anybody'],
    [{ HTTP_PROXY: 'PROXY', no_proxy: '', NO_PROXY: '*' }, 0, 'upper case, if lower case is empty'],
    [{ HTTP_PROXY: 'PROXY', NO_PROXY: '10.0.0.0/8,27.0.0.1' }, 1, 'for all others'],
  ] as [Record<string, string>, number, string][])(
    'of %j is used %i times: %s',
    async (variables, count) => {
      const environment = Object.fromEntries(
        Object.entries(variables).map(([name, value]) => [name, value.replace('PROXY', proxy.url)]),
      );
      const services = servicesAt(stub.url, { environment });
      expect((await services.send(CALLS.ReportTaskProgress)).kind).toBe('accepted');
      expect(proxy.seen).toHaveLength(count);
      services.close();
    },
  );

  test('may be written without a scheme, and with a user', async () => {
    const { host } = new URL(proxy.url);
    for (const written of [host, `http://anna:secret@${host}`]) {
      const services = servicesAt(stub.url, { proxy: written });
      expect((await services.send(CALLS.ReportTaskProgress)).kind).toBe('accepted');
      services.close();
    }
    const basic = `Basic ${Buffer.from('anna:secret').toString('base64')}`;
    expect(proxy.authorizations).toEqual([undefined, basic]);
  });

  test.each([{ proxy: 'yes' }, { proxy: undefined }])(
    'carries HTTPS by CONNECT (configured: $proxy)',
    async ({ proxy: configured }) => {
      // No TLS answers behind the proxy: that it was asked for the way is what is to be seen.
      const services = servicesAt('', {
        ...(configured === undefined ? {} : { proxy: proxy.url }),
        environment: configured === undefined ? { HTTPS_PROXY: proxy.url } : {},
        endpoints: { dataPipeline: `https://127.0.0.1:${stub.port}` },
      });
      expect((await services.send(CALLS.ReportTaskProgress)).kind).toBe('unavailable');
      expect(proxy.seen).toEqual([`CONNECT 127.0.0.1:${stub.port}`]);
      services.close();
    },
  );

  test('that refuses is the way that failed, not the credentials', async () => {
    const refusing = createServer((_request, response) => response.writeHead(407).end('no'));
    refusing.on('connect', (_request, socket) =>
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'),
    );
    await listen(refusing);
    const url = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`;
    for (const endpoint of [stub.url, `https://127.0.0.1:${stub.port}`]) {
      const services = servicesAt(endpoint, { proxy: url });
      for (const call of [CALLS.ImportMigrationTask, CALLS.ReportTaskProgress]) {
        const outcome = await services.send(call);
        expect(outcome.kind).toBe('unavailable');
        expect(outcome.kind === 'unavailable' && outcome.reason).toContain('407');
      }
      services.close();
    }
    refusing.closeAllConnections();
    refusing.close();
  });

  test('of a kind that is not known stops the calls: nothing goes past it', async () => {
    for (const written of ['socks5://127.0.0.1:1', 'http://[']) {
      const services = servicesAt(stub.url, { proxy: written });
      const outcome = await services.send(CALLS.ReportTaskProgress);
      expect(outcome.kind).toBe('unavailable');
      expect(outcome.kind === 'unavailable' && outcome.reason).toMatch(/proxy/iu);
      services.close();
    }
    expect(stub.requests).toHaveLength(0);
  });

  test('carries the calls of the credential chain too', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'migration-agent-proxy-'));
    await writeFile(join(directory, 'token'), 'a-token');
    const sts = await startStub((response) => {
      response.writeHead(200, { 'content-type': 'text/xml' });
      response.end(`<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
        <AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>example</SecretAccessKey>
        <SessionToken>session</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
        </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`);
    });
    setEnvironment({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_WEB_IDENTITY_TOKEN_FILE: join(directory, 'token'),
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/migration',
      AWS_ENDPOINT_URL_STS: sts.url,
    });
    const services = servicesAt(stub.url, {
      proxy: proxy.url,
    });
    expect(await services.send(CALLS.ReportTaskProgress)).toMatchObject({ kind: 'accepted' });
    expect(proxy.seen).toEqual([`POST ${sts.url}/`, `POST ${stub.url}/`]);
    expect(stub.requests[0]?.headers.authorization).toContain('AKIDROLE');
    services.close();
    await sts.close();
    await rm(directory, { recursive: true });
  });

  test('carries the calls of single sign-on too', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'migration-agent-sso-'));
    const startUrl = 'https://example.awsapps.com/start';
    const token = createHash('sha1').update(startUrl).digest('hex');
    await mkdir(join(directory, '.aws', 'sso', 'cache'), { recursive: true });
    await writeFile(
      join(directory, '.aws', 'sso', 'cache', `${token}.json`),
      JSON.stringify({
        startUrl,
        region: 'us-west-2',
        accessToken: 'a-token',
        expiresAt: '2099-01-01T00:00:00Z',
      }),
    );
    const profile = [
      '[profile files]',
      `sso_start_url = ${startUrl}`,
      'sso_region = us-west-2',
      'sso_account_id = 123456789012',
      'sso_role_name = migration',
    ];
    await writeFile(join(directory, 'config'), profile.join('\n'));
    const sso = await startStub((response) => {
      const roleCredentials = {
        accessKeyId: 'AKIDSSO',
        secretAccessKey: 'example',
        sessionToken: 'session',
        expiration: 4_070_908_800_000,
      };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ roleCredentials }));
    });
    const home = process.env['HOME'];
    setEnvironment({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_CONFIG_FILE: join(directory, 'config'),
      AWS_ENDPOINT_URL_SSO: sso.url,
      HOME: directory,
    });
    const services = servicesAt(stub.url, {
      profile: 'files',
      environment: { HTTP_PROXY: proxy.url },
    });
    expect(await services.send(CALLS.ReportTaskProgress)).toMatchObject({ kind: 'accepted' });
    expect(proxy.seen[0]).toMatch(`GET ${sso.url}/federation/credentials`);
    expect(stub.requests[0]?.headers.authorization).toContain('AKIDSSO');
    services.close();
    await sso.close();
    process.env['HOME'] = home;
    await rm(directory, { recursive: true });
  });
});
