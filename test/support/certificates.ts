/** Certificates for tests, made by the openssl command when a test needs them, and removed with their directory. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The reason for the title of a skipped test; undefined if the tool is installed. */
export const opensslMissing: string | undefined =
  spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'openssl is not installed';

export interface Certificate {
  readonly keyFile: string;
  readonly certFile: string;
  readonly key: string;
  readonly cert: string;
}

export interface Authority {
  readonly certFile: string;
  readonly cert: string;
  /** For 127.0.0.1 and `names`; `days` below zero: it has expired. */
  issue(days?: number, names?: readonly string[]): Certificate;
  remove(): void;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export function createAuthority(): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-tls-'));
  const at = (name: string): string => join(directory, name);
  const authority = ['-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '2'];
  openssl('req', '-x509', ...NEW_KEY, '-subj', '/CN=authority of a test', ...authority);
  let issued = 0;
  return {
    certFile: at('ca.pem'),
    cert: readFileSync(at('ca.pem'), 'utf8'),
    issue(days = 2, names = ['localhost']) {
      const name = `server-${++issued}`;
      const keyFile = at(`${name}.key`);
      const request = at(`${name}.csr`);
      const certFile = at(`${name}.pem`);
      const all = ['IP:127.0.0.1', ...names.map((one) => `DNS:${one}`)].join();
      const wanted = ['-addext', `subjectAltName=${all}`, '-keyout', keyFile, '-out', request];
      openssl('req', ...NEW_KEY, '-subj', '/CN=server of a test', ...wanted);
      const by = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'];
      const given = ['-copy_extensions', 'copy', '-days', `${days}`, '-out', certFile];
      openssl('x509', '-req', '-in', request, ...by, ...given);
      return {
        keyFile,
        certFile,
        key: readFileSync(keyFile, 'utf8'),
        cert: readFileSync(certFile, 'utf8'),
      };
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
}

function openssl(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl: ${stderr}`);
}
