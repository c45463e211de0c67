/**
 * Proxies, configured or from the environment: HTTPS by CONNECT, HTTP by absolute form, for the services and
 * for the calls of the credential chain.
 */
import { createServer, request as httpRequest } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  CALLS,
  listen,
  servicesAt,
  setEnvironment,
  SHORT,
  startStub,
  type Stub,
} from './aws-stub.ts';

interface Proxy {
  readonly url: string;
  /** `CONNECT host:port` or `POST http://…`. */
  readonly seen: string[];
  readonly authorizations: (string | undefined)[];
  close(): Promise<void>;
}

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

  test.each(['HTTP_PROXY', 'http_proxy'])('is taken from %s', async (name) => {
    const services = servicesAt(stub.url, { environment: { [name]: proxy.url } });
    expect((await services.send(CALLS.ReportTaskProgress)).kind).toBe('accepted');
    expect(proxy.seen).toHaveLength(1);
    services.close();
  });

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
        limits: { ...SHORT, callMs: 2000 },
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
      limits: { ...SHORT, credentialsMs: 5000 },
    });
    expect(await services.send(CALLS.ReportTaskProgress)).toMatchObject({ kind: 'accepted' });
    expect(proxy.seen).toEqual([`POST ${sts.url}/`, `POST ${stub.url}/`]);
    expect(stub.requests[0]?.headers.authorization).toContain('AKIDROLE');
    services.close();
    await sts.close();
    await rm(directory, { recursive: true });
  });
});

async function startProxy(): Promise<Proxy> {
  const seen: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
    authorizations.push(request.headers['proxy-authorization']);
    const onward = httpRequest(
      request.url ?? '',
      { method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('connect', (request, socket: Socket) => {
    seen.push(`CONNECT ${request.url ?? ''}`);
    const [host, port] = (request.url ?? '').split(':');
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket);
      socket.pipe(onward);
    });
    for (const end of [socket, onward]) {
      sockets.add(end);
      end.on('error', () => sockets.forEach((one) => one.destroy()));
    }
  });
  await listen(server);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    authorizations,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
