/**
 * TLS with real certificates, straight and behind a proxy: which certificates are trusted, and what the
 * error says if one is not.
 */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Services } from '../../../src/ports.ts';
import { createAuthority, opensslMissing } from '../../support/certificates.ts';
import type { Authority, Certificate } from '../../support/certificates.ts';
import { CALLS, listen, servicesAt, PATIENT, setEnvironment, startStub } from '../aws-stub.ts';
import { startProxy } from '../http-proxy.ts';
import type { Proxy } from '../http-proxy.ts';

const there = opensslMissing === undefined;
let authority: Authority;
let stranger: Authority;
let good: Certificate;
const open: { close(): unknown }[] = [];

beforeAll(() => {
  if (!there) return;
  authority = createAuthority();
  stranger = createAuthority();
  good = authority.issue();
});

afterAll(() => {
  if (!there) return;
  authority.remove();
  stranger.remove();
});

beforeEach(() => setEnvironment());

afterEach(async () => {
  setEnvironment();
  for (const one of open.splice(0)) await one.close();
});

interface TlsServer {
  readonly port: number;
  /** Bodies' targets, or paths where there is none. */
  readonly seen: string[];
}

/** Answers everything with `body`, over TLS. */
async function tlsServer({ key, cert }: Certificate, body = '{}'): Promise<TlsServer> {
  const seen: string[] = [];
  const server: Server = createServer({ key, cert }, (request, response) => {
    seen.push(String(request.headers['x-amz-target'] ?? request.url));
    request.resume();
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(body);
  });
  server.on('tlsClientError', () => undefined);
  await listen(server);
  open.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

function services(url: string, options: Parameters<typeof servicesAt>[1] = {}): Services {
  const made = servicesAt(url, { limits: PATIENT, ...options });
  open.push(made);
  return made;
}

async function proxyHere(): Promise<Proxy> {
  const proxy = await startProxy();
  open.push(proxy);
  return proxy;
}

/** One call through each generation of the SDK. */
const BOTH = [CALLS.ImportMigrationTask, CALLS.ReportTaskProgress];

async function reason(from: Services): Promise<string> {
  const reasons: string[] = [];
  for (const call of BOTH) {
    const outcome = await from.send(call);
    expect(outcome.kind).toBe('unavailable');
    reasons.push(outcome.kind === 'accepted' ? '' : outcome.reason);
  }
  expect(new Set(reasons).size).toBe(1);
  return reasons[0] ?? '';
}

describe.skipIf(!there)(
  `TLS${opensslMissing === undefined ? '' : ` (skipped: ${opensslMissing})`}`,
  () => {
    test('of an authority that AWS_CA_BUNDLE names carries the calls of both services', async () => {
      const server = await tlsServer(good);
      const made = services(`https://127.0.0.1:${server.port}`, {
        environment: { AWS_CA_BUNDLE: authority.certFile },
      });
      for (const call of BOTH) expect(await made.send(call)).toMatchObject({ kind: 'accepted' });
      expect(server.seen).toEqual([
        'AWSMigrationHub.ImportMigrationTask',
        'DataPipeline.ReportTaskProgress',
      ]);
    });

    test('goes through a proxy by CONNECT, whose eyes see nothing of the calls; NO_PROXY goes past it', async () => {
      const server = await tlsServer(good);
      const proxy = await proxyHere();
      const environment = { AWS_CA_BUNDLE: authority.certFile, HTTPS_PROXY: proxy.url };
      const made = services(`https://localhost:${server.port}`, { environment });
      for (const call of [...BOTH, ...BOTH]) {
        expect(await made.send(call)).toMatchObject({ kind: 'accepted' });
      }
      // One tunnel that is kept, however many calls.
      expect(proxy.seen).toEqual([`CONNECT localhost:${server.port}`]);
      expect(server.seen).toHaveLength(4);
      const past = services(`https://localhost:${server.port}`, {
        environment: { ...environment, NO_PROXY: 'localhost' },
      });
      for (const call of BOTH) expect(await past.send(call)).toMatchObject({ kind: 'accepted' });
      expect(proxy.seen).toHaveLength(1);
    });

    test('behind a proxy is checked as it is straight: a proxy that opens it is a stranger', async () => {
      const server = await tlsServer(stranger.issue());
      const proxy = await proxyHere();
      const made = services(`https://127.0.0.1:${server.port}`, {
        environment: { AWS_CA_BUNDLE: authority.certFile },
        proxy: proxy.url,
      });
      expect(await reason(made)).toMatch(/does not trust the authority.*AWS_CA_BUNDLE/u);
      expect(server.seen).toEqual([]);
    });

    test('the credential chain takes the same way: proxy, tunnel and authority', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'migration-agent-tls-sts-'));
      open.push({ close: () => rm(directory, { recursive: true }) });
      await writeFile(join(directory, 'token'), 'a-token');
      const sts = await tlsServer(
        good,
        `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
        <AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>example</SecretAccessKey>
        <SessionToken>session</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
        </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
      );
      const stub = await startStub();
      open.push(stub);
      const proxy = await proxyHere();
      setEnvironment({
        AWS_ACCESS_KEY_ID: undefined,
        AWS_SECRET_ACCESS_KEY: undefined,
        AWS_WEB_IDENTITY_TOKEN_FILE: join(directory, 'token'),
        AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/migration',
        AWS_ENDPOINT_URL_STS: `https://localhost:${sts.port}`,
      });
      const made = services(stub.url, {
        environment: { AWS_CA_BUNDLE: authority.certFile, HTTPS_PROXY: proxy.url },
      });
      expect(await made.send(CALLS.ReportTaskProgress)).toMatchObject({ kind: 'accepted' });
      expect(proxy.seen).toEqual([`CONNECT localhost:${sts.port}`]);
      expect(stub.requests[0]?.headers.authorization).toContain('AKIDROLE');
    });

    test.each<[string, () => Certificate, string, RegExp]>([
      [
        'ended',
        () => authority.issue(-1),
        '127.0.0.1',
        /has expired, or this host's clock is wrong/u,
      ],
      ['is of a stranger', () => stranger.issue(), '127.0.0.1', /AWS_CA_BUNDLE or NODE_EXTRA_CA/u],
      [
        'belongs to another host',
        () => authority.issue(2, ['other']),
        'localhost',
        /belongs to another host/u,
      ],
    ])('a certificate that %s is refused, with a remedy', async (_what, issue, host, remedy) => {
      const server = await tlsServer(issue());
      const made = services(`https://${host}:${server.port}`, {
        environment: { AWS_CA_BUNDLE: authority.certFile },
      });
      expect(await reason(made)).toMatch(remedy);
      expect(server.seen).toEqual([]);
    });

    test('a bundle that cannot be read is reported by name, and read again later', async () => {
      const server = await tlsServer(good);
      const directory = await mkdtemp(join(tmpdir(), 'migration-agent-bundle-'));
      open.push({ close: () => rm(directory, { recursive: true }) });
      const bundle = join(directory, 'ca.pem');
      const made = services(`https://127.0.0.1:${server.port}`, {
        environment: { AWS_CA_BUNDLE: bundle },
      });
      expect(await reason(made)).toContain(`AWS_CA_BUNDLE or ca_bundle: ${bundle} cannot be read`);
      await writeFile(bundle, authority.cert);
      for (const call of BOTH) expect(await made.send(call)).toMatchObject({ kind: 'accepted' });
    });
  },
);

test('a server without TLS is named as such', async () => {
  const stub = await startStub();
  open.push(stub);
  expect(await reason(services(`https://127.0.0.1:${stub.port}`))).toMatch(/does not speak TLS/u);
});

test('a name that does not resolve is reported with what to check', async () => {
  // RFC 6761 keeps .invalid from ever being a name.
  expect(await reason(services('https://nobody.invalid'))).toMatch(/check the name, DNS/u);
});
